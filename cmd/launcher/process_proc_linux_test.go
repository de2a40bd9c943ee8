package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// workers are the pids of those of the launcher's children that run, by what
// /proc says.
func (tr *trial) workers() []int {
	return slices.DeleteFunc(procChildren(tr.pid), func(pid int) bool {
		state := procState(pid)
		return state == 0 || state == 'Z'
	})
}

// zombies are the launcher's children that have ended and were not reaped.
func (tr *trial) zombies() []int {
	return slices.DeleteFunc(procChildren(tr.pid), func(pid int) bool { return procState(pid) != 'Z' })
}

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

// procState is the letter of proc(5); 0 where there is no such process.
func procState(pid int) byte {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	at := bytes.LastIndexByte(text, ')')
	if at < 0 || at+2 >= len(text) {
		return 0
	}
	return text[at+2]
}

// asleep are the workers that have become sleep(1).
func (tr *trial) asleep() []int {
	return slices.DeleteFunc(tr.workers(), func(pid int) bool { return procStatus(pid)["Name"] != "sleep" })
}

func procStatus(pid int) map[string]string {
	fields := map[string]string{}
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.TrimSpace(value)
	}
	return fields
}
