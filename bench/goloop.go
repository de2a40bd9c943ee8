//go:build linux

package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// goLoopName is the contender that shows what Go itself costs: what it does not
// reach no launcher written in Go can.
const goLoopName = "Go: loop, as little as can be"

// goLoopWord makes this binary that contender: bench go-loop N PROGRAM.
const goLoopWord = "go-loop"

// goLoop is the launcher without what makes it one: two pipes, fork and exec N
// times; at TERM read each child's /proc/PID/stat, send TERM and CONT, and wait
// for each. Signals come by os/signal, and one thread starts and waits.
func goLoop(args []string) int {
	runtime.LockOSThread()
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	if len(args) != 2 {
		return 2
	}
	n, _ := strconv.Atoi(args[0])
	pids := make([]int, n)
	for i := range pids {
		pid, err := goSpawn(args[1])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		pids[i] = pid
	}
	<-term
	var text [1024]byte
	for _, pid := range pids {
		if fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
			_, _ = unix.Read(fd, text[:])
			unix.Close(fd)
		}
		_ = unix.Kill(pid, unix.SIGTERM)
		_ = unix.Kill(pid, unix.SIGCONT)
	}
	for _, pid := range pids {
		_, _ = unix.Wait4(pid, nil, 0, nil)
	}
	return 0
}

// goSpawn starts one child with a session and two pipes, which nobody reads.
func goSpawn(program string) (int, error) {
	var out, err [2]int
	if e := unix.Pipe2(out[:], unix.O_CLOEXEC); e != nil {
		return 0, e
	}
	if e := unix.Pipe2(err[:], unix.O_CLOEXEC); e != nil {
		return 0, e
	}
	defer unix.Close(out[1])
	defer unix.Close(err[1])
	return syscall.ForkExec(program, []string{program}, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, uintptr(out[1]), uintptr(err[1])},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM},
	})
}
