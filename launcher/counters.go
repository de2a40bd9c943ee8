package launcher

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Counters are what has happened since the launcher began. They only rise, and
// belong to the loop; what leaves it is a copy.
type Counters struct {
	Types []TypeCounters // of every type of which something was to be started
	Turns Histogram      // of the loop, each from waking up to waiting again
}

// TypeCounters are those of one process type.
type TypeCounters struct {
	Type         string
	Starts       uint64
	FailedStarts uint64 // tries that made no process
	Restarts     uint64 // starts again by the policy
	Exits        [len(exitCauses)]uint64
	KilledBusy   uint64    // killed at the budget with work in hand, by its own title
	Quiet        Histogram // from the quiet signal to the stop signal, or to the end
	Stop         Histogram // from the stop signal to the end
}

// ExitCause is why a process ended.
type ExitCause int

// A KILL of ours counts as such, and one of the OOM killer's; another as a signal.
const (
	ExitedSuccess ExitCause = iota // status 0
	ExitedFailure                  // any other status
	ExitedSignal
	ExitedKilled // by us, its time was over
	ExitedOOM
)

var exitCauses = [...]string{"success", "failure", "signal", "killed", "oom"}

// String gives the word that metrics use.
func (e ExitCause) String() string { return exitCauses[e] }

// Histogram counts durations in buckets.
type Histogram struct {
	Bounds []time.Duration // what each bucket holds at most; one more holds the rest
	Counts [mostBuckets]uint64
	Sum    time.Duration
}

const mostBuckets = 12

var (
	turnBounds = []time.Duration{
		100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
		time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
		10 * time.Millisecond, 50 * time.Millisecond, 250 * time.Millisecond, time.Second,
	}
	stopBounds = []time.Duration{
		100 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
		10 * time.Second, 30 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 4 * time.Hour,
	}
)

func (h *Histogram) add(d time.Duration) {
	i := 0
	for i < len(h.Bounds) && d > h.Bounds[i] {
		i++
	}
	h.Counts[i]++
	h.Sum += d
}

func newCounters(specs []Spec) Counters {
	c := Counters{Turns: Histogram{Bounds: turnBounds}}
	for i := range specs {
		c.of(specs[i].Type)
	}
	return c
}

// of are the counters of a type.
func (c *Counters) of(typ string) *TypeCounters {
	i := slices.IndexFunc(c.Types, func(t TypeCounters) bool { return t.Type == typ })
	if i < 0 {
		i = len(c.Types)
		c.Types = append(c.Types, TypeCounters{Type: typ, Quiet: Histogram{Bounds: stopBounds}, Stop: Histogram{Bounds: stopBounds}})
	}
	return &c.Types[i]
}

// copied is a copy that the loop does not change.
func (c *Counters) copied() Counters {
	out := *c
	out.Types = slices.Clone(c.Types)
	return out
}

// ended counts the end of p, whose line has been written; oom: the OOM killer's.
func (c *Counters) ended(p *process, exit Exit, oom bool) {
	t, line := c.of(p.spec.Type), &p.line
	cause := ExitedFailure
	switch {
	case oom:
		cause = ExitedOOM
	case p.state == Killed && exit.Signal() == unix.SIGKILL:
		cause = ExitedKilled
	case exit.Signal() != 0:
		cause = ExitedSignal
	case exit.Code() == 0:
		cause = ExitedSuccess
	}
	t.Exits[cause]++
	until := line.gone
	if !line.stopped.IsZero() {
		t.Stop.add(line.gone.Sub(line.stopped))
		until = line.stopped
	}
	if !line.quieted.IsZero() {
		t.Quiet.add(until.Sub(line.quieted))
	}
}

// draining is since when p is to finish its work; zero: it is not.
func (p *process) draining() time.Time {
	switch {
	case p.state < Quieting || !p.runs():
		return time.Time{}
	case !p.line.quieted.IsZero():
		return p.line.quieted
	case !p.line.stopped.IsZero():
		return p.line.stopped
	}
	return p.since
}
