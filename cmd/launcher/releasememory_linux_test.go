package main

import (
	"os"
	"testing"
)

func TestReadOnlyMapping(t *testing.T) {
	tests := []struct {
		line string
		ok   bool
	}{
		{"00400000-00401000 r-xp 00000000 08:01 1234                   /usr/bin/a b", true},
		{"00400000-00401000 r--p 00000000 08:01 1234 /usr/bin/a b", true},
		{"00400000-00401000 rw-p 00000000 08:01 1234 /usr/bin/a b", false},
		{"00400000-00401000 r--s 00000000 08:01 1234 /usr/bin/a b", false},
		{"00400000-00401000 r--p 00000000 08:01 1234 /usr/bin/b", false},
		{"c000000000-c000400000 rw-p 00000000 00:00 0", false},
		{"Anonymous:             0 kB", false},
	}
	for _, test := range tests {
		start, end, ok := readOnlyMapping(test.line, "/usr/bin/a b")
		if ok != test.ok || ok && (start != 0x400000 || end != 0x401000) {
			t.Errorf("%q: %x-%x %v, want %v", test.line, start, end, ok, test.ok)
		}
	}
}

// TestReleaseMemory: the program goes on, and what it knows is still right.
func TestReleaseMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps"); err != nil {
		t.Skip("no /proc/self/smaps")
	}
	before := overview((&app{name: "launcher"}).root())
	releaseMemory()
	if after := overview((&app{name: "launcher"}).root()); after != before {
		t.Error("the help has changed")
	}
}
