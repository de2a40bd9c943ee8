// Package early does what must come before everything else: it installs the
// signal handlers, and keeps the main goroutine on the main thread.
//
// As PID 1 a process loses each TERM that comes before its handlers are there
// (P25, P50). Go initialises a package as soon as those it imports are ready,
// so this one imports next to nothing, and nothing heavy may stand before it.
//
// Handlers are installed for every signal, wanted or not: exec gives a child the
// default disposition of what was handled, but hands on what was ignored, by us
// or by who started us (P26, P27, P44).
package early

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"

	// Before the handlers: a process in the step becomes another program.
	_ "dyno/internal/early/listenpid"
)

// IgnoredHUP and IgnoredINT tell that the signal was ignored when we were
// started, as nohup and a shell's & do it. It is delivered all the same: whoever
// reads the channels has to leave it out.
var IgnoredHUP, IgnoredINT bool

// Signals come by three channels, so that a burst of one kind cannot push out
// another (P24).
var (
	// Urgent brings TERM and INT.
	Urgent <-chan os.Signal
	// Others brings what else may be of interest: not CHLD, not URG and PROF,
	// which are the runtime's own (P22), not the signals of a fault, and not
	// PIPE, which is handled so that a write to a closed pipe is an error (P26).
	Others <-chan os.Signal
	// Children brings CHLD. It holds one: it says "look", not how often (P1).
	Children <-chan os.Signal
)

// Ends tells whether one of Urgent asks for an end: an INT that was ignored when
// we were started does not.
func Ends(sig os.Signal) bool { return sig != syscall.SIGINT || !IgnoredINT }

// others is where All installs more.
var others chan<- os.Signal

func init() {
	IgnoredHUP, IgnoredINT = signal.Ignored(syscall.SIGHUP), signal.Ignored(syscall.SIGINT)

	urgent := make(chan os.Signal, 64)
	signal.Notify(urgent, syscall.SIGTERM, syscall.SIGINT)

	runtime.LockOSThread()

	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	rest := make(chan os.Signal, 64)
	signal.Notify(rest, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTSTP,
		syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGALRM)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	Urgent, Others, Children, others = urgent, rest, children, rest
}

// All adds to Others the signals that init left out, because they take longer to
// install than a start should. It has to come before the first child is started.
func All() {
	signal.Notify(others, rare()...)
}
