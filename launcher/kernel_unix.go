package launcher

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"dyno/internal/early/listenpid"
	"dyno/internal/notify"
	"dyno/internal/output"

	"golang.org/x/sys/unix"
)

// KernelConfig is what the real Kernel works with.
type KernelConfig struct {
	// Output gives each child its standard output and error. nil: children
	// write to our own.
	Output *output.Output
	// Notify makes each child's NOTIFY_SOCKET. nil: children get none.
	Notify *notify.Dir
	// Step is a program that sets LISTEN_PID (internal/early/listenpid): our own. "":
	// there is none, and processes get their sockets without LISTEN_PID.
	Step string

	// Urgent (TERM, INT), Others and Children (CHLD) bring our signals, three
	// channels so that a burst of one kind cannot push out another (P24). A nil
	// one brings nothing.
	Urgent, Others, Children <-chan os.Signal

	// PID1: getpid() == 1. The kernel then adopts orphans and ends our children
	// with us anyway, and nobody could continue us.
	PID1 bool
	// OOMKills counts the OOM killer's kills in our cgroup. nil: not known.
	OOMKills func() (int, bool)
}

// System is the operating system as the loop sees it: the real Kernel. It
// belongs to the goroutine that made it, which must be locked to the main
// thread: that thread's end would end the children (P28, P51), and signals are
// delivered to it first, which is what wakes Wait without a hand-off.
type System struct {
	config    KernelConfig
	children  map[int]*child
	names     map[string]bool // of the notify sockets in use
	idle      idleInput
	inherited []int // descriptors beyond 2 that we were started with
	read      [notifyLimit]byte

	rung atomic.Bool // the bell was rung and not yet heard
	done chan struct{}
	mail mail

	platform
}

var _ Kernel = (*System)(nil)

// notifyLimit is more than sd_notify(3) messages are let to have (4096 bytes).
const notifyLimit = 8192

// Few messages are read from one socket at a time, so that a child that floods
// its own cannot keep the loop; after its end all that a queue may hold.
const (
	notesATurn = 16
	notesAtEnd = 1024
)

// child is what Start opened for one process.
type child struct {
	pid    int
	name   string         // of its notify socket
	socket *notify.Socket // nil: none
	stream *output.Stream // nil: our own 1 and 2
	answer *answer        // of a Mute one: where its output goes
	step   bool           // it began with the step that sets LISTEN_PID
}

// mail is where the pump puts signals for Wait to take.
type mail struct {
	sync.Mutex
	signals []unix.Signal
}

// NewKernel makes the real Kernel. It adopts orphans from then on
// (PR_SET_CHILD_SUBREAPER), and keeps the descriptors we were started with from
// children that are not to have them. Descriptors 0, 1 and 2 must be open, as
// the Go runtime sees to: else one of our own would take their place.
func NewKernel(config KernelConfig) (*System, error) {
	for fd := range 3 {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			return nil, fmt.Errorf("descriptor %d: %w", fd, err)
		}
	}
	s := &System{
		config:   config,
		children: make(map[int]*child),
		names:    make(map[string]bool),
		done:     make(chan struct{}),
	}
	s.inherited = inheritedFiles()
	if err := s.idle.open(); err != nil {
		return nil, fmt.Errorf("an input for children: %w", err)
	}
	if err := s.open(); err != nil {
		s.idle.close()
		return nil, err
	}
	spareThreads(runtime.GOMAXPROCS(0) + sparePerProcess)
	go s.pump()
	return s, nil
}

// Close gives up what NewKernel opened. Children are left as they are.
func (s *System) Close() {
	close(s.done)
	for _, c := range s.children {
		s.release(c)
	}
	s.idle.close()
	s.close()
}

// pump carries signals from their channels to Wait. It makes waking right in
// any case: the main thread's own interruption by a signal is only quicker.
func (s *System) pump() {
	for {
		var sig os.Signal
		select {
		case sig = <-s.config.Urgent:
		case sig = <-s.config.Others:
		case <-s.config.Children:
			s.Wake()
			continue
		case <-s.done:
			return
		}
		s.mail.Lock()
		s.mail.signals = append(s.mail.signals, sig.(unix.Signal))
		s.mail.Unlock()
		s.Wake()
	}
}

// Wake makes Wait return. Any goroutine may call it; many calls are as one.
func (s *System) Wake() {
	if s.rung.CompareAndSwap(false, true) {
		s.ring()
	}
}

// take empties the mail. Whoever put something there after this rings again.
func (s *System) take() []unix.Signal {
	s.mail.Lock()
	defer s.mail.Unlock()
	signals := s.mail.signals
	s.mail.signals = nil
	return signals
}

// Signal is kill(2) of one process; pid <= 1 is EINVAL (P16).
func (s *System) Signal(pid int, sig unix.Signal) error {
	if pid <= 1 {
		return unix.EINVAL
	}
	if sig == unix.SIGQUIT && s.inStep(pid) {
		sig = unix.SIGTERM
	}
	return unix.Kill(pid, sig)
}

// inStep tells whether pid has still to be given its LISTEN_PID. There QUIT would
// have the Go runtime print its stacks; it ends by TERM as well.
func (s *System) inStep(pid int) bool {
	if s.config.Step == "" {
		return false
	}
	title, err := s.Title(pid)
	return err == nil && len(title) > 0 && title[0] == listenpid.Name
}

// endedInStep tells whether the zombie pid never became its program: its short
// name is the step's still.
func (s *System) endedInStep(pid int) bool {
	sight, err := s.Look(pid)
	return err == nil && sight.Comm == filepath.Base(s.config.Step)
}

// Everyone is kill(-1, sig), which only PID 1 may (P16); else EPERM.
func (s *System) Everyone(sig unix.Signal) error {
	if unix.Getpid() != 1 {
		return unix.EPERM
	}
	return unix.Kill(-1, sig)
}

// OOMKills counts the OOM killer's kills in our cgroup.
func (s *System) OOMKills() (int, bool) {
	if s.config.OOMKills == nil {
		return 0, false
	}
	return s.config.OOMKills()
}

// Reap takes the zombie pid away. EAGAIN: it has not ended. ECHILD: it is no
// child of ours, or was reaped.
func (s *System) Reap(pid int) (Exit, []string, error) {
	if pid <= 1 {
		return Exit{}, nil, unix.EINVAL
	}
	c := s.children[pid]
	inStep := c != nil && c.step && s.endedInStep(pid)
	status, err := s.collect(pid)
	if err != nil && err != unix.ECHILD {
		return Exit{}, nil, err
	}
	s.forget()
	if c == nil { // an orphan that we adopted (P9)
		return Exit{Status: status}, nil, err
	}
	exit := Exit{Status: status, Starved: inStep && status.Exited() && status.ExitStatus() == listenpid.Starved}
	delete(s.children, pid)
	var texts []string
	for _, note := range s.release(c) {
		texts = append(texts, note.Text)
	}
	return exit, texts, err
}

// release closes what was opened for c and returns the notes that were unread.
func (s *System) release(c *child) []Note {
	var notes []Note
	if c.socket != nil {
		notes = s.notes(c, notesAtEnd)
		s.deafen(c)
		c.socket.Close()
		delete(s.names, c.name)
	}
	if c.stream != nil {
		c.stream.Ended()
	}
	if c.answer != nil {
		for _, line := range s.unmute(c) {
			notes = append(notes, Note{PID: c.pid, Text: line})
		}
	}
	return notes
}

// notes reads up to limit messages of c's socket.
func (s *System) notes(c *child, limit int) []Note {
	var notes []Note
	for range limit {
		text, sender, ok := c.socket.Read(s.read[:])
		if !ok {
			break
		}
		if sender == 0 {
			sender = -1
		}
		notes = append(notes, Note{PID: c.pid, Sender: sender, Text: text})
	}
	return notes
}

// inheritedFiles lists the descriptors beyond 2 that were given to us, and lets
// them end at an exec: a child gets them only where its Spec says so (P32).
// Those that are close-on-exec are our own.
func inheritedFiles() []int {
	var given []int
	for _, fd := range openFiles() {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if fd <= 2 || err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue
		}
		unix.CloseOnExec(fd)
		given = append(given, fd)
	}
	slices.Sort(given)
	return given
}

// probeFiles tries the numbers that descriptors usually have, where no
// directory lists them.
func probeFiles() []int {
	const most = 1024
	var open []int
	for fd := range most {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			open = append(open, fd)
		}
	}
	return open
}
