package launcher

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Exit is how a process ended, as wait4(2) told.
type Exit struct {
	Status unix.WaitStatus
	// Starved: it never became its program, for want of processes (EAGAIN).
	Starved bool
}

// Code is the exit status as shells count it: 128+N for signal N (P8).
func (e Exit) Code() int {
	if e.Status.Signaled() {
		return 128 + int(e.Status.Signal())
	}
	return e.Status.ExitStatus()
}

// Signal is the signal that ended it, or 0.
func (e Exit) Signal() unix.Signal {
	if e.Status.Signaled() {
		return e.Status.Signal()
	}
	return 0
}

// Asked tells whether it ended as one that was told to: by TERM, INT or HUP, or
// with the status that a shell or runtime gives for TERM and INT (DESIGN 3).
func (e Exit) Asked() bool {
	switch e.Signal() {
	case unix.SIGTERM, unix.SIGINT, unix.SIGHUP:
		return true
	}
	return e.Status.Exited() && (e.Code() == 143 || e.Code() == 130)
}

// String says it in words: "status 1", "signal TERM".
func (e Exit) String() string {
	if sig := e.Signal(); sig != 0 {
		core := ""
		if e.Status.CoreDump() {
			core = ", core dumped"
		}
		return "signal " + SignalName(sig) + core
	}
	return fmt.Sprintf("status %d", e.Code())
}
