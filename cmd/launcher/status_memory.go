package main

import (
	"os"
	"strconv"
	"strings"

	"dyno/internal/control"
)

// relative is a process as /proc/PID/stat tells.
type relative struct {
	parent int
	memory int64 // resident, in bytes
}

// addMemory fills in the memory of each process and of all below it. It is read
// here, by one look through /proc, so that asking costs the launcher nothing.
// Without /proc there is none.
func addMemory(s *control.Status) {
	all := map[int]relative{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if stat, err := os.ReadFile("/proc/" + e.Name() + "/stat"); err == nil {
			if r, ok := parseStat(string(stat)); ok {
				all[pid] = r
			}
		}
	}
	root := map[int]int{} // of which of ours a process is
	for i, p := range s.Processes {
		if _, ok := all[p.PID]; ok && p.PID != 0 {
			root[p.PID] = i
		}
	}
	for pid, r := range all {
		if i, ok := ancestor(pid, all, root); ok {
			s.Processes[i].Memory += r.memory
		}
	}
}

// ancestor finds which of ours pid descends from, or is.
func ancestor(pid int, all map[int]relative, root map[int]int) (int, bool) {
	const deepest = 64
	for range deepest {
		if i, ok := root[pid]; ok {
			return i, true
		}
		if pid = all[pid].parent; pid <= 1 {
			break
		}
	}
	return 0, false
}

// parseStat reads the fields 4 and 24 of proc_pid_stat(5), counted from behind
// the name, which may hold anything.
func parseStat(stat string) (relative, bool) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const parent, resident = 4 - 3, 24 - 3
	if len(fields) <= resident {
		return relative{}, false
	}
	ppid, err1 := strconv.Atoi(fields[parent])
	pages, err2 := strconv.ParseInt(fields[resident], 10, 64)
	return relative{ppid, pages * int64(os.Getpagesize())}, err1 == nil && err2 == nil
}
