package launcher

import (
	"math"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// platform is what Linux needs: one epoll for the bell and all notify sockets.
type platform struct {
	epoll   int
	bell    bell
	sockets map[int32]*child
	events  [64]unix.EpollEvent
	proc    proc
	acks    acks
}

// bell is an eventfd. The lock keeps a late Wake from a number that Close gave
// back.
type bell struct {
	sync.Mutex
	fd int
}

func (s *System) open() (err error) {
	s.proc.root = "/proc"
	s.sockets = make(map[int32]*child)
	if s.bell.fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	if s.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		unix.Close(s.bell.fd)
		return os.NewSyscallError("epoll_create1", err)
	}
	if err = s.watch(s.bell.fd); err == nil {
		s.proc.spare, err = unix.FcntlInt(uintptr(s.idle.reader), unix.F_DUPFD_CLOEXEC, 0)
	}
	if err != nil {
		s.close()
		return err
	}
	if !s.config.PID1 {
		// Where a sandbox has no such call, orphans go to its PID 1 as ever.
		_ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
	}
	return nil
}

func (s *System) close() {
	s.bell.Lock()
	defer s.bell.Unlock()
	unix.Close(s.bell.fd)
	unix.Close(s.epoll)
	if s.proc.spare > 0 {
		unix.Close(s.proc.spare)
	}
	s.acks.close()
	s.bell.fd = -1
}

func (s *System) watch(fd int) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &event))
}

// hear lets Wait return for notes to c.
func (s *System) hear(c *child) error {
	if err := s.watch(c.socket.FD()); err != nil {
		return err
	}
	s.sockets[int32(c.socket.FD())] = c
	return nil
}

// deafen takes c's socket out before it is closed. The close itself takes it out
// of the epoll set: nobody else has that open file, for the loop alone forks, and
// no fork of its own is under way.
func (s *System) deafen(c *child) { delete(s.sockets, int32(c.socket.FD())) }

func (s *System) ring() {
	s.bell.Lock()
	defer s.bell.Unlock()
	if s.bell.fd >= 0 {
		one := [8]byte{7: 1} // any number will do, in either byte order
		_, _ = unix.Write(s.bell.fd, one[:])
	}
}

// hush takes note that the bell was rung. It must come before the mail is
// taken: what is put there later then rings anew.
func (s *System) hush() {
	if !s.rung.Load() {
		return
	}
	var count [8]byte
	if n, _ := unix.Read(s.bell.fd, count[:]); n == len(count) {
		s.rung.Store(false)
	}
}

// Wait blocks in epoll_wait(2) on the calling thread. As that is the main one,
// a signal interrupts it at once (EINTR, SA_RESTART or not: signal(7)), and a
// child's end is seen with no other thread involved.
func (s *System) Wait(until time.Time) Heard {
	n, err := unix.EpollWait(s.epoll, s.events[:], timeout(until))
	if err != nil {
		n = 0
	}
	s.forget()
	s.hush()
	heard := Heard{Signals: s.take()}
	for _, event := range s.events[:n] {
		c := s.sockets[event.Fd]
		switch {
		case c == nil:
			heard.Notes = append(heard.Notes, s.acknowledged(int(event.Fd))...)
			continue
		case c.answer != nil:
			s.hearAnswer(c)
			continue
		}
		heard.Notes = append(heard.Notes, s.notes(c, notesATurn)...)
	}
	return heard
}

// timeout is the time left in whole milliseconds, rounded up; -1: for ever.
func timeout(until time.Time) int {
	if until.IsZero() {
		return -1
	}
	left := time.Until(until)
	if left <= 0 {
		return 0
	}
	return int(min((left-1)/time.Millisecond+1, math.MaxInt32))
}

// Peek names a child that ended and leaves it a zombie. One that is not reaped
// may be named for ever (P4).
func (s *System) Peek() (int, error) {
	return waitid(unix.P_ALL, 0, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT)
}

// Paused tells whether pid stopped since last asked.
func (s *System) Paused(pid int) bool {
	if pid <= 1 {
		return false
	}
	got, err := waitid(unix.P_PID, pid, unix.WSTOPPED|unix.WNOHANG)
	return err == nil && got == pid
}

// waitid is waitid(2) and gives si_pid, which lies behind three ints in the
// union, at a pointer's alignment. Never with __WALL (P33).
func waitid(kind, id, options int) (int, error) {
	const word = unsafe.Sizeof(uintptr(0))
	const at = (3*4 + word - 1) / word * word
	for {
		var info unix.Siginfo
		err := unix.Waitid(kind, id, &info, options, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0, err
		}
		return int(*(*int32)(unsafe.Add(unsafe.Pointer(&info), at))), nil
	}
}

// collect reaps pid.
func (s *System) collect(pid int) (unix.WaitStatus, error) {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(pid, &status, unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err == nil && got == 0:
			return 0, unix.EAGAIN
		}
		return status, err
	}
}

// endWithUs sets PDEATHSIG: killed ourselves, our children get sig.
func endWithUs(attr *syscall.SysProcAttr, sig unix.Signal) { attr.Pdeathsig = sig }

// blocking calls do with sig blocked on this thread, to which the caller is locked.
func blocking(sig unix.Signal, do func() error) error {
	var set, old unix.Sigset_t
	bits := unsafe.Sizeof(set.Val[0]) * 8
	set.Val[uintptr(sig-1)/bits] |= 1 << (uintptr(sig-1) % bits)
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		return err
	}
	err := do()
	if back := unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil); err == nil {
		err = back
	}
	return err
}

// blockingAll calls do with every signal blocked on this thread, to which the
// caller is locked.
func blockingAll(do func() error) error {
	var all, old unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &old); err != nil {
		return err
	}
	err := do()
	// It cannot fail with these arguments.
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
	return err
}

func pipe(ends []int) error { return unix.Pipe2(ends, unix.O_CLOEXEC) }

// again opens the pipe's end once more: an open file of its own, since one that
// a child makes non-blocking (Node does) is so for all that share it. Without
// /proc it is shared.
func (i *idleInput) again() (fd int, opened bool, err error) {
	fd, err = unix.Open("/proc/self/fd/"+strconv.Itoa(i.reader), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	switch err {
	case nil:
		return fd, true, nil
	case unix.EMFILE, unix.ENFILE, unix.ENOMEM:
		return 0, false, err
	}
	return i.reader, false, nil
}

// openFiles lists our open descriptors.
func openFiles() []int {
	p := proc{root: "/proc"}
	names, err := p.list("self", "fd")
	if err != nil {
		return probeFiles()
	}
	return numbers(names)
}
