package launcher

import (
	"time"

	"golang.org/x/sys/unix"
)

// Kernel is all that the loop asks of the operating system. The loop alone
// calls it, from one goroutine, but for Wake. In tests a fake stands in, in a
// testing/synctest bubble.
type Kernel interface {
	// Wait blocks until a signal or note came, a child changed, Wake was
	// called, or until has come (the zero Time: no deadline). It may return
	// early with nothing.
	Wait(until time.Time) Heard
	// Wake makes Wait return. Any goroutine may call it.
	Wake()

	// Start starts a process: a session of its own, default dispositions, an
	// empty mask, PDEATHSIG, NOTIFY_SOCKET in its environment. The error is the
	// system's, to be told apart with errors.Is (ENOENT, EACCES, EAGAIN, …).
	Start(spec *Spec) (pid int, err error)

	// Signal is kill(2) of one process. pid <= 1 is refused with EINVAL (P16).
	Signal(pid int, sig unix.Signal) error
	// Everyone is kill(-1, sig); EPERM unless we are PID 1.
	Everyone(sig unix.Signal) error

	// Peek names a child that ended and leaves it a zombie, so that its pid is
	// still its own: 0 for none, ECHILD where there is no child at all.
	Peek() (pid int, err error)
	// Reap takes the zombie away, closes what Start opened for it, and returns
	// how it ended with the notes still unread; of a Mute one the last line of its output.
	Reap(pid int) (Exit, []string, error)

	// Look reads /proc/PID/stat. Error: it is gone, or there is no /proc.
	Look(pid int) (Sight, error)
	// Title is the command line that /proc shows, which servers rewrite.
	Title(pid int) ([]string, error)
	// Children are those of every thread of pid; pid 0 for our own. threads is
	// what Look told, or 0 for not known: with one there is less to read. Our
	// own are all the main thread's: it alone starts them, and is given what is
	// adopted while it lives (find_new_reaper in the kernel).
	Children(pid, threads int) ([]int, error)
	// Origin is PS in pid's environment: the name of the slot that it descends
	// from, whatever session it is in now; fromProbe where it descends from a
	// probe's command. "" where it cannot be read.
	Origin(pid int) string
	// Memory is what pid alone uses, in bytes: PSS, or RSS where that cannot be read.
	Memory(pid int) (int64, error)
	// Awaits tells whether a signalfd of pid takes sig (fdinfo).
	Awaits(pid int, sig unix.Signal) bool
	// OOMKills counts the OOM killer's kills in our cgroup; ok false where it cannot be read.
	OOMKills() (n int, ok bool)

	// Paused tells whether the interactive child stopped (Ctrl-Z) since last asked.
	Paused(pid int) bool
	// Foreground makes pid's group the terminal's foreground one; 0: our own.
	Foreground(pid int) error
	// Suspend stops ourselves as Ctrl-Z would have and returns when continued.
	// False where that is not possible (PID 1, an orphaned process group).
	Suspend() bool
}

// Heard is what Wait brought: first signals, then notes.
type Heard struct {
	Signals []unix.Signal
	Notes   []Note
}

// Note is one message of sd_notify(3) from a child's socket. It may hold several
// lines of NAME=VALUE.
type Note struct {
	PID    int // the child whose socket it came in by
	Sender int // who sent it; 0: not known; negative: somebody outside our pid namespace
	Text   string
}

// Sight is what /proc told of one process.
type Sight struct {
	PID, Parent, Group, Session int

	Comm    string // the program's short name, in no parentheses
	State   byte   // R, S, D, Z, T, …
	Threads int
	Start   uint64 // clock ticks since boot: with PID it names a process for ever

	Caught, Ignored, Blocked SignalSet
}

// SignalSet is a mask of signals 1 to 64 as /proc writes it: bit 0 is signal 1.
type SignalSet uint64

// Has tells whether sig is in the set.
func (s SignalSet) Has(sig unix.Signal) bool {
	return sig > 0 && sig <= 64 && s&(1<<(sig-1)) != 0
}
