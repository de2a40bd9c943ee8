//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// process is what /proc/PID/stat tells of one.
type process struct {
	parent int
	state  string
}

// processes are all that there are.
func processes() map[int]process {
	all := map[int]process{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) > 2 {
			parent, _ := strconv.Atoi(fields[1])
			all[pid] = process{parent, fields[0]}
		}
	}
	return all
}

// tree is a process and all below it.
func tree(pid int) []int {
	all := processes()
	out := []int{pid}
	for i := 0; i < len(out); i++ {
		for p, is := range all {
			if is.parent == out[i] {
				out = append(out, p)
			}
		}
	}
	return out
}

// belongs tells whether a process was started in a run's directory.
func belongs(pid int, dir string) bool {
	environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return bytes.Contains(environ, []byte("BENCH_FIFO="+dir+"/"))
}

// own are the processes of the contender itself, those it was asked for left out.
func (r *running) own() []int {
	return slices.DeleteFunc(tree(r.pid), func(pid int) bool { return slices.Contains(r.pids, pid) })
}

// pss is the memory of the contender alone in MB: what is shared with others
// counts by its share.
func (r *running) pss() float64 {
	var kb float64
	for _, pid := range r.own() {
		kb += field(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:")
	}
	return kb / 1024
}

// switches counts how often the contender's threads got and left a processor.
func (r *running) switches() float64 {
	var n float64
	for _, pid := range r.own() {
		threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		for _, t := range threads {
			path := fmt.Sprintf("/proc/%d/task/%s/status", pid, t.Name())
			n += field(path, "voluntary_ctxt_switches:") + field(path, "nonvoluntary_ctxt_switches:")
		}
	}
	return n
}

// field is the number behind a name in one of /proc's lists.
func field(path, name string) float64 {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			value, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return value
		}
	}
	return 0
}
