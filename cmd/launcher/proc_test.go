package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// allPIDs are those of every process that there is.
func allPIDs() []int {
	var pids []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// procChildren are the children of all of a process's threads.
func procChildren(pid int) []int {
	var pids []int
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range threads {
		text, _ := os.ReadFile(file)
		for word := range strings.FieldsSeq(string(text)) {
			child, _ := strconv.Atoi(word)
			pids = append(pids, child)
		}
	}
	return pids
}

// procStat is what proc_pid_stat(5) tells.
type procStat struct {
	state  byte // 0: there is no such process
	parent int
	cpu    time.Duration
	start  string // tells it from a later process with the same pid
}

func statOf(pid int) procStat {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// Behind the name, which may hold anything, field n is at n-3.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 {
		return procStat{}
	}
	parent, _ := strconv.Atoi(fields[1])
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every platform of Go's
	return procStat{fields[0][0], parent, time.Duration(user+system) * tick, fields[19]}
}

// procState is the letter of proc(5); 0 where there is no such process.
func procState(pid int) byte { return statOf(pid).state }

// runs tells whether there is such a process; a zombie is none.
func runs(pid int) bool {
	state := procState(pid)
	return state != 0 && state != 'Z' && state != 'X'
}

// procStatus are the lines of /proc/PID/status.
func procStatus(pid int) map[string]string {
	fields := map[string]string{}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.TrimSpace(value)
	}
	return fields
}

// carries tells whether a process was started with NAME=VALUE in its environment,
// and has not written its title over it.
func carries(pid int, variable string) bool {
	environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return bytes.Contains(environ, []byte(variable+"\x00"))
}

// procTitle is the command line as ps shows it; "" for a zombie.
func procTitle(pid int) string {
	title, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return string(bytes.ReplaceAll(title, []byte{0}, []byte{' '}))
}
