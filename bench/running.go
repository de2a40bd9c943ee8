//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// How long anything may take before it counts as not done.
const (
	patience     = 60 * time.Second
	stopPatience = 15 * time.Second // for a stop: none here has anything to finish
)

// running is a contender with its processes, watched through a FIFO that each of
// them holds open: nobody is asked, and nobody is disturbed.
type running struct {
	pid     int
	pidfd   int
	fifo    int
	begun   time.Time
	pids    []int // of the processes, in the order in which they came up
	dir     string
	partial []byte
	exited  chan struct{}
}

// start runs a contender with n processes of command.
func (b *bench) start(c contender, n int, command []string, stdout *os.File) (*running, error) {
	b.serial++
	r := &running{dir: filepath.Join(b.dir, fmt.Sprint("run", b.serial)), exited: make(chan struct{})}
	if err := os.Mkdir(r.dir, 0o755); err != nil {
		return nil, err
	}
	argv, err := c.command(r.dir, n, command)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(r.dir, "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return nil, err
	}
	if r.fifo, err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err != nil {
		return nil, err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = r.dir, append(os.Environ(), "BENCH_FIFO="+path)
	if stdout != nil { // a nil *os.File would mean closed, not /dev/null
		cmd.Stdout = stdout
	}
	if os.Getenv("BENCH_DEBUG") != "" {
		cmd.Stderr = os.Stderr
	}
	r.begun = time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r.pid = cmd.Process.Pid
	if r.pidfd, err = unix.PidfdOpen(r.pid, 0); err != nil {
		return nil, err
	}
	go func() {
		cmd.Wait()
		close(r.exited)
	}()
	return r, nil
}

// up waits until n processes in all have come up, and returns when the last did.
func (r *running) up(n int) (time.Time, error) {
	deadline := time.Now().Add(patience)
	buf := make([]byte, 4096)
	for {
		if len(r.pids) >= n {
			return time.Now(), nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return time.Time{}, fmt.Errorf("%d of %d processes up after %s", len(r.pids), n, patience)
		}
		fds := []unix.PollFd{{Fd: int32(r.fifo), Events: unix.POLLIN}}
		unix.Poll(fds, int(left.Milliseconds())+1)
		if fds[0].Revents&unix.POLLIN == 0 {
			if fds[0].Revents&unix.POLLHUP != 0 {
				time.Sleep(time.Millisecond) // all have ended, and may be replaced
			}
			continue
		}
		k, err := unix.Read(r.fifo, buf)
		if err != nil {
			continue
		}
		r.partial = append(r.partial, buf[:k]...)
		for len(r.partial) >= 4 {
			r.pids = append(r.pids, int(binary.NativeEndian.Uint32(r.partial)))
			r.partial = r.partial[4:]
		}
	}
}

// term sends TERM to the contender. It returns how long the last process took to
// end, and the contender itself after that.
func (r *running) term() (last, exit time.Duration, err error) {
	fds := []unix.PollFd{{Fd: int32(r.fifo)}, {Fd: int32(r.pidfd), Events: unix.POLLIN}}
	begin := time.Now()
	unix.Kill(r.pid, unix.SIGTERM)
	for last == 0 || exit == 0 {
		left := stopPatience - time.Since(begin)
		if left <= 0 {
			return last, exit, fmt.Errorf("not stopped after %s", stopPatience)
		}
		unix.Poll(fds, int(left.Milliseconds())+1)
		now := time.Since(begin)
		if last == 0 && fds[0].Revents&unix.POLLHUP != 0 {
			last, fds[0].Fd = now, -1
		}
		if exit == 0 && fds[1].Revents&unix.POLLIN != 0 {
			exit, fds[1].Fd = now, -1
		}
	}
	return last, exit - last, nil
}

// end takes away whatever is left of it.
func (r *running) end() {
	all := append(tree(r.pid), r.pids...)
	if !r.gone() {
		unix.Kill(r.pid, unix.SIGKILL)
	}
	for _, pid := range all {
		if belongs(pid, r.dir) {
			unix.Kill(pid, unix.SIGKILL)
		}
	}
	<-r.exited
	unix.Close(r.fifo)
	unix.Close(r.pidfd)
	os.RemoveAll(r.dir)
}

func (r *running) gone() bool {
	select {
	case <-r.exited:
		return true
	default:
		return false
	}
}
