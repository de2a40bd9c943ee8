// Package launcher supervises processes: it starts them, keeps them running,
// replaces them, and stops them inside one budget with nothing left behind.
// One goroutine owns every process, pid and wait (DESIGN 4). What it asks of
// the operating system stands behind Kernel; what it knows leaves it as copies
// (Event). It knows nothing of flags, files or HTTP.
package launcher

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Restart says when a process that ended by itself is started again.
type Restart int

// RestartAlways is the default of DESIGN 1.
const (
	RestartAlways Restart = iota
	RestartOnFailure
	RestartNever
)

// String gives the word that the setting --restart takes.
func (r Restart) String() string {
	return [...]string{"always", "on-failure", "never"}[r]
}

// Broadcast says whether the platform sends TERM to every process itself, as
// Heroku does (FACTS 7).
type Broadcast int

// BroadcastAuto: yes where DYNO names a dyno (the caller sets BroadcastYes
// then), or where a worker ended by a TERM not from us within the second before.
const (
	BroadcastAuto Broadcast = iota
	BroadcastYes
	BroadcastNo
)

// NoSignal is the value of Spec.QuietSignal for no quiet phase ("none").
const NoSignal = unix.Signal(-1)

// Spec is what one slot of a process type runs.
type Spec struct {
	Type string
	Slot int // from 1; Name is Type.Slot

	Argv []string // Argv[0] is looked up in Env's PATH where it holds no slash
	Env  []string // whole, but for NOTIFY_SOCKET, which Kernel adds
	Dir  string   // where it starts: the generation's directory, links resolved
	// DirName is the name that Dir was found by; it is tried where Dir is gone.
	DirName  string
	Revision string // of the generation; "": not known

	Rolling // how a restart replaces it

	Server Server // what Identify found; the zero value: not a known server

	// QuietSignal and StopSignal overrule the server's; 0: by server.
	// NoSignal as QuietSignal: no quiet phase.
	QuietSignal, StopSignal unix.Signal

	Restart Restart

	// MaxMemory is how many bytes its tree of processes may use (PSS, or RSS
	// where that cannot be read) before it is replaced; 0: no limit.
	MaxMemory int64

	// Ready and Live say how it is asked whether it is ready, and whether it
	// lives; nil: ready as its server is known to be, and not asked.
	Ready, Live *Probe

	// Mute: its output goes nowhere, it has no NOTIFY_SOCKET, and no daemon of it
	// stays: a probe's command.
	Mute bool

	// Interactive: it gets the terminal's foreground (DESIGN 4). At most one.
	Interactive bool
	// InheritStdin: its standard input is the launcher's own; else one that
	// stays open and gives nothing.
	InheritStdin bool
	// Sockets are its descriptors 3 and above, and it is told of them.
	Sockets []Socket
	// InheritFiles: descriptors beyond 2 that the launcher was given are passed
	// on (exec of one process, as tini does), but those whose number a socket has.
	InheritFiles bool
}

// Name is what users call the process: "worker.2".
func (s *Spec) Name() string { return fmt.Sprintf("%s.%d", s.Type, s.Slot) }

// Generation is the Procfile, env files, settings and directory as they were
// resolved at one moment (DESIGN 4).
type Generation struct {
	Specs []Spec
	Slot  func(typ string, slot int) (Spec, bool) // as Config.Slot
}

// Config is everything that Run needs. Zero durations mean the default named.
type Config struct {
	Specs []Spec // slots in the order in which they are started

	// Slot makes the spec of any slot of a type, from the same generation as
	// Specs; false: there is no such type. nil: nothing can be scaled up.
	Slot func(typ string, slot int) (Spec, bool)

	// Reload reads a new generation for a restart; it may block, and runs on a
	// goroutine of its own. nil: a restart starts what there is once more.
	Reload func() (Generation, error)

	Budget   time.Duration // from the stop's begin to the launcher's own exit; default 10 s, at least 2 s
	QuietFor time.Duration // from quiet signal to stop signal; negative: min(500 ms, Budget/5)

	Broadcast Broadcast

	// Pass: exec of one process that is no known server forwards every signal
	// unchanged and adds only the budget to TERM and INT (DESIGN 3).
	Pass bool
	// OwnStatus: the exit status is the one child's own (exec with one process).
	OwnStatus bool
	// GiveUpAlone: a type that gives up does not stop the others (start on a terminal).
	GiveUpAlone bool

	Terminal bool // the launcher has a controlling terminal
	PID1     bool // getpid() == 1
	// IgnoreHUP, IgnoreINT: they were ignored when the launcher was started, and stay so.
	IgnoreHUP, IgnoreINT bool

	// Announce tells the service manager above, in sd_notify(3)'s lines, what the
	// whole does; it must not block. nil: there is none.
	Announce func(text string)
	// Watchdog is how often Announce has WATCHDOG=1, for as long as the loop
	// turns; 0: never.
	Watchdog time.Duration

	Guard MemoryGuard // zero: off

	// Ask puts the question of an http or tcp probe; nil as the error is success,
	// and else the error says what came of it. It is called outside of the loop, and
	// returns soon after ctx is over. nil: no Spec has such a probe.
	Ask func(ctx context.Context, p *Probe) error

	Inbox  *Inbox      // requests from outside; nil: there are none
	Kernel Kernel      // NewKernel for the real one
	Log    func(Event) // called by the loop; must not block. nil: silent
	Flush  func()      // called when the loop is about to wait: what was logged is to be written. nil: nothing
	// Stops is called once, when the stop of everything begins: nothing is started
	// from then on. nil: nothing.
	Stops func()
	// Settled is called once, when every first process has been started. nil: nothing.
	Settled func()
}

// Result is how the supervisor's run ended.
type Result struct {
	Status int    // the launcher's exit status, DESIGN 3
	Reason string // one line for the log: why it ended
}
