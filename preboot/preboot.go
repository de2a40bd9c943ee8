// Package preboot is the policy of a rolling restart (DESIGN 8): which new
// process is started next, which old one may go, who is waited for, when it is
// over, and when it is to be undone. It is pure functions of values: no clock,
// no process, no log. Package launcher carries it out in its loop.
package preboot

import (
	"fmt"
	"strings"
	"time"
)

// Proving is how long a restart goes on after its last process was replaced: a
// new one that ends within it aborts the restart (einhorn's hole, FACTS 5).
const Proving = 10 * time.Second

// Old is how a slot's old process fares.
type Old int

// What there is of the old process.
const (
	Absent  Old = iota // there is none, or it has ended
	Serving            // it works, or is started again by its own policy
	Leaving            // it has its quiet or stop signal, and finishes its work
)

// New is how a slot's new process fares.
type New int

// What there is of the new process.
const (
	None    New = iota // it has not been started
	Booting            // it is not ready yet
	Ready              // it has proved itself, or has done what it was for
	Failed             // it ended by itself, or cannot be started
)

// Slot is one slot's way from its old process to its new one.
type Slot struct {
	Name, Type string

	Old   Old
	New   New
	Why   string    // New is Failed: what happened
	Since time.Time // New is Booting: since when

	Alone  bool // the old one has to be gone before the new one is started
	Goes   bool // the new generation does not have it
	Begun  bool // its turn has come
	Passed bool // on the way back: it is waited for no more

	Surge        int           // so many may be under way when it begins; 0 counts as 1
	MaxDraining  int           // so many old processes of its type may drain; 0: any number
	ReadyTimeout time.Duration // from Since; 0: for ever
}

// Draining is an old process that finishes its work, of this or an earlier restart.
type Draining struct {
	ID      int // any number that the caller knows it by
	Type    string
	Label   string // for people
	Since   time.Time
	Stopped bool // its time is bounded by now: it is on the ladder of every stop
}

// Restart is a restart as it stands.
type Restart struct {
	Slots    []Slot
	Draining []Draining
	Replaced time.Time // when all slots were done; zero: they are not
	Force    bool      // MaxDraining stops the oldest instead of waiting
	// Back: there is nothing to go back to. It is the way back itself, or one
	// process is replaced by its like: what fails is started again by its policy.
	Back bool
}

// Verb is what is to be done next.
type Verb int

// What Next asks for.
const (
	Start   Verb = iota // start the new process of Slot beside the old one
	Replace             // Slot cannot run twice: the old one goes, then the new one is started
	Retire              // the old process of Slot quiets, or stops, and drains
	Stop                // the draining process ID has had its time
	Pass                // wait for Slot no longer (Back only)
	Prove               // all slots are done: the time of Proving begins
	Abort               // undo it (Undone); Why says for what
	Done                // it is over
)

// Action is one thing to do. Slot is an index of Restart.Slots.
type Action struct {
	Verb Verb
	Slot int
	ID   int
	Why  string
}

// Decision is what to do now, and when to ask again although nothing happens.
type Decision struct {
	Actions []Action
	Next    time.Time // zero: no need
	Waits   string    // for whom and why it waits; "": it does not
}

// Next decides what a restart does now. It is asked again whenever something
// has changed, so it asks for each thing until that is done.
func Next(r Restart, now time.Time) Decision {
	if why, failed := r.failure(now); failed {
		return Decision{Actions: []Action{{Verb: Abort, Why: why}}}
	}
	var d Decision
	done := true
	for i, s := range r.Slots {
		switch {
		case !s.Begun || s.Done():
		case s.expired(now): // Back
			d.Actions = append(d.Actions, Action{Verb: Pass, Slot: i})
		case s.New == Ready && s.Old == Serving && !s.Alone:
			d.Actions = append(d.Actions, Action{Verb: Retire, Slot: i})
		case s.New == Booting && s.ReadyTimeout > 0:
			d.Next = soonest(d.Next, s.Since.Add(s.ReadyTimeout))
		}
		done = done && s.Done()
	}
	r.begin(&d)
	switch {
	case !done:
	case r.Back:
		d.Actions = append(d.Actions, Action{Verb: Done})
	case r.Replaced.IsZero():
		d.Actions = append(d.Actions, Action{Verb: Prove})
	case now.Before(r.Replaced.Add(Proving)):
		d.Next = r.Replaced.Add(Proving)
	default:
		d.Actions = append(d.Actions, Action{Verb: Done})
	}
	return d
}

// failure tells whether the restart is to be undone, and why.
func (r Restart) failure(now time.Time) (why string, failed bool) {
	if r.Back {
		return "", false
	}
	for _, s := range r.Slots {
		switch {
		case !s.Begun:
		case s.New == Failed:
			return s.Why, true
		case s.expired(now):
			return fmt.Sprintf("%s was not ready within %s", s.Name, s.ReadyTimeout), true
		}
	}
	return "", false
}

// expired tells whether the new process has had its time to become ready.
func (s Slot) expired(now time.Time) bool {
	return s.New == Booting && s.ReadyTimeout > 0 && !now.Before(s.Since.Add(s.ReadyTimeout))
}

// Done tells whether the slot has reached what the restart wants of it. Old
// ones may drain on.
func (s Slot) Done() bool {
	switch {
	case !s.Begun:
		return false
	case s.Passed:
		return true
	case s.Goes:
		return s.Old != Serving
	}
	return s.New == Ready && (s.Alone || s.Old != Serving)
}

// The order in which slots have their turn: what can run twice proves the new
// generation before anything else is touched, and slots go when all others are
// done.
const (
	twice = iota
	alone
	goes
	turns
)

func (s Slot) turn() int {
	switch {
	case s.Goes:
		return goes
	case s.Alone:
		return alone
	}
	return twice
}

// begin gives slots their turn, for as long as there is room.
func (r Restart) begin(d *Decision) {
	underway, open := 0, map[string]int{}
	for _, s := range r.Slots {
		if s.Begun && !s.Done() {
			underway++
			open[s.Type]++
		}
	}
	for turn := range turns {
		for i, s := range r.Slots {
			if s.Begun || s.turn() != turn {
				continue
			}
			free := r.Back && s.Old != Serving // nothing is lost by it: all at once
			switch {
			case free:
			case underway >= s.limit(), r.crowded(s, open[s.Type], d):
				if !r.Back {
					return
				}
				continue // to those where nothing serves
			}
			underway++
			open[s.Type]++
			d.Actions = append(d.Actions, Action{Verb: s.verb(), Slot: i})
		}
	}
}

// limit is how many may be under way, this one included.
func (s Slot) limit() int {
	if s.turn() != twice {
		return 1
	}
	return max(1, s.Surge)
}

// verb is what a slot's turn begins with.
func (s Slot) verb() Verb {
	switch {
	case s.Goes:
		return Retire
	case s.Alone:
		return Replace
	}
	return Start
}

// crowded tells whether too many of the type would drain, the open ones
// included. By force the oldest are stopped; they count until they are gone.
func (r Restart) crowded(s Slot, open int, d *Decision) bool {
	if s.MaxDraining == 0 || s.Alone || s.Old == Absent {
		return false
	}
	var labels []string
	over := open + 1 - s.MaxDraining
	for _, p := range r.Draining {
		if p.Type == s.Type {
			over++
			labels = append(labels, p.Label)
		}
	}
	if over <= 0 {
		return false
	}
	if len(labels) == 0 { // those that are open will drain, and be waited for then
		return open > 0
	}
	d.Waits = fmt.Sprintf("%s waits for %s to finish: no more than %d of %s may drain", s.Name, strings.Join(labels, ", "), s.MaxDraining, s.Type)
	if r.Force {
		r.stopOldest(s.Type, over, d)
	}
	return true
}

// stopOldest asks for as many stops as are missing to n.
func (r Restart) stopOldest(typ string, n int, d *Decision) {
	for _, p := range r.Draining {
		if p.Type == typ && p.Stopped {
			n--
		}
	}
	stopped := map[int]bool{}
	for ; n > 0; n-- {
		oldest := -1
		for i, p := range r.Draining {
			if p.Type == typ && !p.Stopped && !stopped[i] && (oldest < 0 || p.Since.Before(r.Draining[oldest].Since)) {
				oldest = i
			}
		}
		if oldest < 0 {
			return
		}
		stopped[oldest] = true
		d.Actions = append(d.Actions, Action{Verb: Stop, ID: r.Draining[oldest].ID})
	}
}

// Undo is what an abort does with one slot.
type Undo int

// What becomes of a slot.
const (
	Keep   Undo = iota // nothing has been touched
	Drop               // the new process goes; what there was before is there still
	MakeUp             // the old generation is started in its place; a new process that works goes when that is ready
)

// Undone says what an abort does with a slot. had: the old generation has it.
// quieted: it was quiet before the restart, and is owed to be no more.
func Undone(s Slot, had, quieted bool) Undo {
	switch {
	case !s.Begun && had && quieted && s.Old != Serving:
		return MakeUp
	case !s.Begun:
		return Keep
	case !had:
		return Drop
	case s.Old == Serving && !s.Alone:
		return Drop
	}
	return MakeUp
}

// NoLimit is the drain limit that gives a process all the time it wants.
const NoLimit time.Duration = -1

// Farewell is the timetable of an old process, from now. A negative time: never
// by the clock alone.
type Farewell struct {
	Quiet bool          // it has its quiet signal now
	Stop  time.Duration // … and its stop signal then; or when it is drained
	Kill  time.Duration // KILL; it is not before what every stop has
}

// Drain says how an old process leaves. hears: it hears a quiet signal. tells:
// it shows when it is drained. drains: its stop signal is its drain. limit is
// the drain limit, quietFor the quiet phase and ladder the time from the begin
// to KILL of every stop.
func Drain(hears, tells, drains bool, limit, quietFor, ladder time.Duration) Farewell {
	kill := max(limit, ladder)
	if limit == NoLimit {
		kill = NoLimit
	}
	switch {
	case drains, !hears:
		return Farewell{Stop: 0, Kill: kill}
	case !tells: // it would be waited for in vain
		return Farewell{Quiet: true, Stop: quietFor, Kill: kill}
	case limit == NoLimit:
		return Farewell{Quiet: true, Stop: NoLimit, Kill: NoLimit}
	}
	return Farewell{Quiet: true, Stop: max(limit, quietFor), Kill: max(limit, quietFor) + ladder - quietFor}
}

// soonest is the earlier of two times; a zero one is none.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
