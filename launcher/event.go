package launcher

import "time"

// State is where a slot's process is on its way.
type State int

// The states of a process, in the order in which it goes through them.
const (
	Down     State = iota // nothing runs: not yet started, quieted away, or stopped by name
	Waiting               // to be started when its back-off is over
	Starting              // runs, not ready yet
	Ready                 // runs and has proved itself
	Quieting              // has the quiet signal, or is owed it
	Stopping              // has the stop signal
	Killed                // has KILL
)

// String gives the word that log and status use.
func (s State) String() string {
	return [...]string{"down", "waiting", "starting", "ready", "quieting", "stopping", "killed"}[s]
}

// Level is how much attention an Event asks for.
type Level int

// Info is a change of state, Warn something to look at, Error something broken.
const (
	Info Level = iota
	Warn
	Error
)

// Event is a copy of one thing that happened, for log and status. Either a
// process changed its state (From != To), or Text says what is to be said.
type Event struct {
	Time    time.Time
	Level   Level
	Process string // "worker.1"; "" for the launcher itself
	PID     int    // 0 where there is none
	From    State
	To      State
	Changed bool          // From and To count
	For     time.Duration // how long it was in From
	Text    string        // the cause of the change, or the whole message
}
