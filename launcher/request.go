package launcher

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Verb is what a Request asks for.
type Verb int

// The verbs of DESIGN 1's client commands.
const (
	AskStatus  Verb = iota
	AskMetrics      // status, Counters and Jobs
	AskQuiet        // Target stops taking work, and stays so
	AskResume       // un-quiet: fresh processes for the quieted and the stopped
	AskStop         // Target ends and stays down; "" stops everything, the launcher too
	AskRestart      // Target by a new process, gracefully; "" restarts everything (HUP)
	AskScale        // Target, a type, has Count processes
	AskSignal       // Signal to Target
)

// Request is something asked of the supervisor from outside of its loop.
type Request struct {
	Verb   Verb
	Target string        // NAME ("worker.2") or TYPE ("worker"); "": all
	Count  int           // AskScale
	Signal unix.Signal   // AskSignal
	Budget time.Duration // AskStop: shorter than the launcher's own; 0: that
	Force  bool          // AskRestart: what drains too long is stopped, not waited for
	// Since makes AskStatus wait until the status is another than that of this
	// Version; 0: at once.
	Since uint64

	reply chan Reply
}

// Reply is the answer to a Request: copies, never what the loop holds.
type Reply struct {
	Err    string   // what cannot be done, and why; "": done
	Text   string   // what was done, in words
	Names  []string // the processes that it is about
	Status Status

	Counters Counters // AskMetrics
	Jobs     []Jobs   // AskMetrics: of the types whose servers tell
}

// Status is a copy of what the supervisor knows.
type Status struct {
	Version   uint64 // another whenever a process or the whole has changed
	Time      time.Time
	PID       int
	Began     time.Time
	Quiet     bool      // told to be quiet
	Stopping  string    // why it stops; "": it does not
	StopBy    time.Time // … and when it is over at the latest
	Restart   string    // what a restart is doing, or why the last was aborted; "": none
	Asked     uint64    // the number of the last restart that was asked for
	Over      uint64    // … and of the last that is over
	Aborted   string    // why that was aborted; "": it was not
	Adopted   int       // orphans reaped
	Processes []ProcessStatus
}

// ProcessStatus is a copy of one slot's state.
type ProcessStatus struct {
	Name, Type string
	Slot       int
	State      State
	Since      time.Time // in State since
	PID        int       // 0: none
	Started    time.Time // the process that runs, or ran last
	Ready      bool
	Probe      string    // what a probe that fails said last; "": none fails
	Replaced   string    // why it was last replaced for its live probe; "": it was not
	Drained    bool      // quieted, and no work is left (DESIGN 3)
	Quieted    bool      // has had its quiet signal
	HearsQuiet bool      // false: it was to be quiet, and hears no quiet signal
	Says       string    // its own STATUS=
	Restarts   int       // times started again by the policy
	Failed     int       // failed tries in a row
	Ended      string    // how it last ended; "" if it never has
	NextStart  time.Time // Waiting: when it is started
	Memory     int64     // bytes of its tree when last looked at; 0: nobody looks
	Old        bool      // its slot has another one, or is to go: it drains
	Done       bool      // it ended with 0, and the policy starts it no more
	Draining   time.Time // it is to finish its work since then; zero: it is not
	Dir        string    // where it was started: its generation's directory
	Revision   string    // of its generation; "": not known
	Server     string    // "sidekiq"; "": not known
}

// Inbox takes requests from any goroutine to the loop. Its queue is bounded: who
// floods it waits for room, and costs the supervisor nothing.
type Inbox struct {
	requests chan Request
	wake     func()
}

// ErrBusy is the answer when too many requests wait.
var ErrBusy = errors.New("the launcher has too many requests waiting; try again")

const mostRequests = 64

// NewInbox makes the Config.Inbox of a supervisor on kernel.
func NewInbox(kernel Kernel) *Inbox {
	return &Inbox{requests: make(chan Request, mostRequests), wake: kernel.Wake}
}

// Ask puts a request to the loop and waits for its answer, or for ctx's end.
// ErrBusy: until then there was no room even for the request.
func (i *Inbox) Ask(ctx context.Context, r Request) (Reply, error) {
	r.reply = make(chan Reply, 1)
	select {
	case i.requests <- r:
	case <-ctx.Done():
		return Reply{}, ErrBusy
	}
	i.wake()
	select {
	case reply := <-r.reply:
		return reply, nil
	case <-ctx.Done():
		return Reply{}, ctx.Err()
	}
}
