package launcher

import (
	"bytes"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// proc reads /proc with buffers of its own: it is looked at often while a
// process boots or drains, and each file is small.
type proc struct {
	root string // "/proc"
	path []byte
	buf  []byte

	// spare is a descriptor that is given up for a read where there is no other
	// (EMFILE): who hears a quiet signal, and what is left, has to be known then
	// too. 0: none was set aside; lent: a read has it.
	spare int

	known    bool // whether there are children files has been found out
	children bool // CONFIG_PROC_CHILDREN

	tree   map[int][]int // without them: children by parent, for one turn
	treeAt time.Time
}

const lent = -1

// treeFor is how long the tree of all processes is used at most; a Wait, Start
// or Reap ends it before. It makes going down a whole tree one scan, not one a
// process.
const treeFor = 10 * time.Millisecond

// forget drops what was read of processes that may have changed meanwhile.
func (s *System) forget() { s.proc.tree = nil }

// Look reads /proc/PID/stat, which holds all of Sight. Its masks end at signal
// 31: real-time signals are never in Caught, Ignored and Blocked.
func (s *System) Look(pid int) (Sight, error) { return s.proc.look(strconv.Itoa(pid)) }

// Title is the command line that /proc shows. A title that a server set comes as
// one word with blanks in it; a zombie has none.
func (s *System) Title(pid int) ([]string, error) {
	const most = 64 << 10
	line, err := s.proc.read(most, strconv.Itoa(pid), "cmdline")
	if err != nil {
		return nil, err
	}
	line = bytes.TrimRight(line, "\x00")
	if len(line) == 0 {
		return nil, nil
	}
	var words []string
	for word := range bytes.SplitSeq(line, []byte{0}) {
		words = append(words, string(word))
	}
	return words, nil
}

// Memory is Pss of /proc/PID/smaps_rollup: what is shared is counted once over
// all. Where that may not be read it is the resident pages of statm.
func (s *System) Memory(pid int) (int64, error) {
	name := strconv.Itoa(pid)
	if rollup, err := s.proc.read(4096, name, "smaps_rollup"); err == nil {
		if _, rest, ok := bytes.Cut(rollup, []byte("\nPss:")); ok {
			if fields := bytes.Fields(rest); len(fields) > 0 {
				return int64(number(fields[0])) << 10, nil
			}
		}
	}
	statm, err := s.proc.read(4096, name, "statm")
	if err != nil {
		return 0, err
	}
	if fields := bytes.Fields(statm); len(fields) > 1 {
		return int64(number(fields[1])) * int64(unix.Getpagesize()), nil
	}
	return 0, unix.EINVAL
}

// Origin is PS in pid's environment as it was at its exec, or fromProbe.
func (s *System) Origin(pid int) string {
	const most = 1 << 20
	environ, err := s.proc.read(most, strconv.Itoa(pid), "environ")
	if err != nil {
		return ""
	}
	origin := ""
	for entry := range bytes.SplitSeq(environ, []byte{0}) {
		if string(entry) == withinProbe {
			return fromProbe
		}
		if name, ok := bytes.CutPrefix(entry, []byte("PS=")); ok && origin == "" {
			origin = string(name)
		}
	}
	return origin
}

// Children are the children of every thread of pid, zombies included; 0 for our
// own, threads as in Kernel.
func (s *System) Children(pid, threads int) ([]int, error) {
	name := strconv.Itoa(pid)
	if pid == 0 {
		pid, name = unix.Getpid(), "self"
	}
	if !s.proc.hasChildren() {
		return s.proc.scan(pid)
	}
	tasks := []string{strconv.Itoa(pid)}
	if threads != 1 {
		var err error
		if tasks, err = s.proc.list(name, "task"); err != nil {
			return nil, err
		}
	}
	const most = 1 << 20
	var children []int
	for _, task := range tasks {
		line, err := s.proc.read(most, name, "task", task, "children")
		if err != nil && threads == 1 {
			return nil, err
		}
		if err != nil {
			continue // that thread ended; its children went to another
		}
		for field := range bytes.FieldsSeq(line) {
			children = append(children, int(number(field)))
		}
	}
	return children, nil
}

// Awaits tells whether a signalfd of pid takes sig.
func (s *System) Awaits(pid int, sig unix.Signal) bool {
	const most = 1024
	name := strconv.Itoa(pid)
	files, err := s.proc.list(name, "fdinfo")
	if err != nil {
		return false
	}
	for _, file := range files {
		info, err := s.proc.read(most, name, "fdinfo", file)
		if err != nil {
			continue
		}
		_, mask, ok := bytes.Cut(info, []byte("sigmask:"))
		if !ok {
			continue
		}
		mask, _, _ = bytes.Cut(mask, []byte("\n"))
		set, err := strconv.ParseUint(string(bytes.TrimSpace(mask)), 16, 64)
		if err == nil && SignalSet(set).Has(sig) {
			return true
		}
	}
	return false
}

func (p *proc) look(pid string) (Sight, error) {
	const most = 1024 // 52 numbers and a short name
	stat, err := p.read(most, pid, "stat")
	if err != nil {
		return Sight{}, err
	}
	return parseStat(stat)
}

// parseStat reads the fields of proc_pid_stat(5). The name stands between the
// first parenthesis and the last: it may hold some itself.
func parseStat(stat []byte) (Sight, error) {
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if begin < 0 || end < begin || len(stat) < end+3 {
		return Sight{}, unix.EINVAL
	}
	sight := Sight{
		PID:   int(number(bytes.TrimSpace(stat[:begin]))),
		Comm:  string(stat[begin+1 : end]),
		State: stat[end+2],
	}
	field := 3 // as counted there; the first behind the name
	for word := range bytes.FieldsSeq(stat[end+1:]) {
		switch field {
		case 4:
			sight.Parent = int(number(word))
		case 5:
			sight.Group = int(number(word))
		case 6:
			sight.Session = int(number(word))
		case 20:
			sight.Threads = int(number(word))
		case 22:
			sight.Start = number(word)
		case 32:
			sight.Blocked = SignalSet(number(word))
		case 33:
			sight.Ignored = SignalSet(number(word))
		case 34:
			sight.Caught = SignalSet(number(word))
			return sight, nil
		}
		field++
	}
	return Sight{}, unix.EINVAL // cut short
}

// number reads a decimal number without a detour over a string; what is none is 0.
func number(digits []byte) uint64 {
	var n uint64
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0
		}
		n = n*10 + uint64(d-'0')
	}
	return n
}

// hasChildren tells whether the kernel has /proc/PID/task/TID/children; some
// small ones have not.
func (p *proc) hasChildren() bool {
	if p.known {
		return p.children
	}
	threads, err := p.list("self", "task")
	if err != nil || len(threads) == 0 {
		return false // not known yet: no /proc, or not now
	}
	_, err = p.read(1<<20, "self", "task", threads[0], "children")
	if err == nil || err == unix.ENOENT {
		p.known, p.children = true, err == nil
	}
	return err == nil
}

// scan finds pid's children by everybody's parent.
func (p *proc) scan(pid int) ([]int, error) {
	if p.tree == nil || time.Since(p.treeAt) > treeFor {
		names, err := p.list()
		if err != nil {
			return nil, err
		}
		tree := make(map[int][]int)
		found := false
		for _, name := range names {
			if name[0] < '0' || name[0] > '9' {
				continue
			}
			if sight, err := p.look(name); err == nil {
				found = true
				tree[sight.Parent] = append(tree[sight.Parent], sight.PID)
			}
		}
		if !found {
			return nil, unix.ENOENT // an empty directory in /proc's place
		}
		p.tree, p.treeAt = tree, time.Now()
	}
	return p.tree[pid], nil
}

// open opens root/elem/elem….
func (p *proc) open(flags int, elems ...string) (int, error) {
	p.path = append(p.path[:0], p.root...)
	for _, elem := range elems {
		p.path = append(append(p.path, '/'), elem...)
	}
	p.path = append(p.path, 0)
	here := unix.AT_FDCWD
	for {
		fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(here), uintptr(unsafe.Pointer(&p.path[0])),
			uintptr(flags|unix.O_RDONLY|unix.O_CLOEXEC), 0, 0, 0)
		switch {
		case errno == 0:
			return int(fd), nil
		case errno == unix.EINTR:
		case errno == unix.EMFILE && p.spare > 0:
			unix.Close(p.spare)
			p.spare = lent
		default:
			return -1, errno
		}
	}
}

// close closes what open opened, or keeps it in the spare one's place.
func (p *proc) close(fd int) {
	if p.spare == lent {
		p.spare = fd
		return
	}
	unix.Close(fd)
}

// read gives a file's content, up to most bytes of it, which is good until the
// next call. A process that ends meanwhile is ESRCH.
func (p *proc) read(most int, elems ...string) ([]byte, error) {
	fd, err := p.open(0, elems...)
	if err != nil {
		return nil, err
	}
	defer p.close(fd)
	const least = 4096 // no file that is read often is longer: one read, and one for its end
	if p.buf == nil {
		p.buf = make([]byte, least)
	}
	length := 0
	for length < most {
		if length == len(p.buf) {
			p.buf = append(p.buf, make([]byte, len(p.buf))...)
		}
		room := len(p.buf) - length
		n, err := unix.Read(fd, p.buf[length:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, err
		}
		length += n
		if n == 0 || most <= least || n < min(room, least/2) {
			break // the kernel fills a page of such a file before it hands it over (seq_read_iter)
		}
	}
	return p.buf[:min(length, most)], nil
}

// list gives a directory's entries.
func (p *proc) list(elems ...string) ([]string, error) {
	fd, err := p.open(unix.O_DIRECTORY, elems...)
	if err != nil {
		return nil, err
	}
	defer p.close(fd)
	var names []string
	var entries [4096]byte
	for {
		n, err := unix.ReadDirent(fd, entries[:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, err
		case n <= 0:
			return names, nil
		}
		_, _, names = unix.ParseDirent(entries[:n], -1, names)
	}
}

// numbers keeps of names those that are numbers.
func numbers(names []string) []int {
	var ns []int
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			ns = append(ns, n)
		}
	}
	return ns
}
