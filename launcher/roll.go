package launcher

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"dyno/preboot"
)

// defaultReadyTimeout is DESIGN 1's --ready-timeout.
const defaultReadyTimeout = 60 * time.Second

// Rolling is how the slots of one type are replaced in a restart (DESIGN 8).
// Its zero value is old first, with the times of every stop.
type Rolling struct {
	// Surge is how many new processes may be beside old ones when one of this
	// type begins; 0: the old one is gone before the new one is started.
	Surge int
	// DrainLimit is how long an old process may finish its work; 0: no longer
	// than in any stop; NoDrainLimit: as long as it likes.
	DrainLimit time.Duration
	// MaxDraining is how many old processes of the type may drain before a
	// restart waits for them; 0: any number.
	MaxDraining int
	// ReadyTimeout is how long a new process has to become ready; 0: 60 s.
	ReadyTimeout time.Duration
}

func (r Rolling) readyTimeout() time.Duration {
	if r.ReadyTimeout > 0 {
		return r.ReadyTimeout
	}
	return defaultReadyTimeout
}

// NoDrainLimit lets an old process finish its work however long that takes.
const NoDrainLimit = preboot.NoLimit

// What happens to a restart when something else does:
//
//	TERM, INT, stop       all generations stop within the one budget
//	quiet                 it is aborted; each slot is that of the newest process
//	                      that has proved itself, and all are quieted
//	quiet, stop of a slot the restart goes on without that slot
//	resume                nothing, or a slot that was quiet is its old generation's
//	                      until its turn comes; one that drains for its turn, old
//	                      first, is left alone
//	scale                 refused until it is over; not while old ones only drain
//	another restart       follows it, for the files may have changed since this one
//	                      read them; of a slot or a type: refused until it is over;
//	                      with force it stops the oldest that this one waits for
//	an old one crashes    before it is retired it is started again from its own
//	                      generation; one that drains is gone
//	a new one crashes     it is aborted
//	memory, a probe       wait until it is over, but where it only waits for who
//	                      drains: then the slot's turn comes at once, old first.
//	                      A replacement of theirs that is under way gives way to
//	                      a restart, and to a stop or scale of its slot

// roll is a replacement of processes that is under way: a restart, the way back
// after an abort, or (why) one process by its like. preboot.Next decides its
// every move. What drains when it is over is no part of it any more.
type roll struct {
	steps    []*step
	slot     func(string, int) (Spec, bool) // the old generation's, for the way back
	why      string                         // of a replacement; "": it is a restart that was asked for
	back     bool                           // there is nothing to go back to
	unquiets bool                           // all was quieted before: an abort has the old generation make up for it
	force    bool                           // too many that drain are stopped, not waited for
	replaced time.Time                      // all steps are done: the new ones prove themselves
	next     time.Time                      // when to look again although nothing happens
	waits    string                         // for whom and why
	done     int                            // steps
}

// step is one slot's way from one spec to another. A nil old: a new slot; a
// nil new: the slot goes.
type step struct {
	name     string
	old, new *Spec

	before *process // the old one; nil: there is none
	after  *process // the new one, once begun; where alone the same slot as before

	begun  bool
	alone  bool // old first; settled when it begins
	passed bool
	proved bool      // the new one was ready
	failed string    // the new one ended by itself, and how
	why    string    // its turn came early, for memory or a probe; "": it did not
	since  time.Time // when the new one was to be started
}

// beginRoll makes r the one that is under way.
func (s *supervisor) beginRoll(r *roll) {
	s.roll = r
	s.touch()
	s.more = true
}

// steps pairs the slots that there are with the new generation's.
func (s *supervisor) steps(specs []Spec) []*step {
	var steps []*step
	fresh := make(map[string]*Spec, len(specs))
	for i := range specs {
		fresh[specs[i].Name()] = &specs[i]
	}
	for _, p := range s.processes {
		if p.old {
			continue
		}
		steps = append(steps, &step{name: p.name, old: p.spec, new: fresh[p.name], before: p})
		delete(fresh, p.name)
	}
	for i := range specs {
		if fresh[specs[i].Name()] != nil {
			steps = append(steps, &step{name: specs[i].Name(), new: &specs[i]})
		}
	}
	return steps
}

// stepOf is the step from p to a new process of the same spec, or of another.
func stepOf(p *process, spec *Spec) *step {
	fresh := *spec
	return &step{name: p.name, old: p.spec, new: &fresh, before: p}
}

// stepRoll has the policy decide, and does what it says.
func (s *supervisor) stepRoll(now time.Time) {
	r := s.roll
	if r == nil || s.stopping != nil {
		return
	}
	d := preboot.Next(s.view(r, now), now)
	r.next = d.Next
	s.noteWaits(r, d.Waits)
	for _, action := range d.Actions {
		s.more = true
		s.act(r, action, now)
		if s.roll != r {
			return
		}
	}
}

func (s *supervisor) act(r *roll, a preboot.Action, now time.Time) {
	var st *step
	if a.Slot < len(r.steps) {
		st = r.steps[a.Slot]
	}
	switch a.Verb {
	case preboot.Start:
		s.startBeside(st, now)
	case preboot.Replace:
		s.replaceInPlace(r, st, now)
	case preboot.Retire:
		st.begun = true
		s.retire(st.before, r.cause(), now)
	case preboot.Stop:
		p := s.running[a.ID]
		s.say(Warn, p, "has to end: too many drain, and the restart was forced")
		s.down(p, newPlan(now, s.Budget, s.QuietFor), "restart --force", p.next, now)
	case preboot.Pass:
		st.passed = true
		s.award(st, now) // what works keeps the slot
		s.say(Error, nil, "%s has not come back as it was within %s; going on without", st.name, st.spec().readyTimeout())
	case preboot.Prove:
		r.replaced = now
		s.say(Info, nil, "restart: all processes are replaced")
	case preboot.Abort:
		s.abort(a.Why, now)
	case preboot.Done:
		s.roll = nil
		s.sayOver(r)
	}
	s.touch()
}

func (s *supervisor) sayOver(r *roll) {
	switch {
	case r.why != "":
		return
	case r.back && len(r.steps) == 0:
		s.say(Info, nil, "restart: what ran before runs on")
		s.restartOver(s.restarts.aborted)
	case r.back:
		s.say(Info, nil, "restart: all processes are replaced back")
		s.restartOver(s.restarts.aborted)
	default:
		s.restartOver("")
		s.say(Info, nil, "restart: over, the new processes have proved themselves; %d old ones drain", len(s.draining(time.Time{})))
	}
}

// noteWaits says once for whom a restart waits.
func (s *supervisor) noteWaits(r *roll, waits string) {
	if r.waits == waits {
		return
	}
	if r.waits == "" {
		s.say(Warn, nil, "restart: %s; launcher restart --force stops the oldest", waits)
	}
	r.waits = waits
	s.touch()
}

// startBeside starts a slot's new process; the old one goes on meanwhile.
func (s *supervisor) startBeside(st *step, now time.Time) {
	st.begun, st.since = true, now
	st.after = newProcess(st.new, now)
	s.insert(st.after)
	if p := st.before; p != nil && !p.gone {
		p.old = true
		if p.state >= Quieting { // quieted before: it is not waited for
			s.retire(p, p.cause, now)
		}
	}
}

// insert puts a new process where it is looked for: before the old ones of its
// slot, among the slots of its type.
func (s *supervisor) insert(fresh *process) {
	at := len(s.processes)
	for i, p := range slices.Backward(s.processes) {
		switch {
		case p.spec.Type != fresh.spec.Type:
		case p.spec.Slot >= fresh.spec.Slot:
			at = i
		case at == len(s.processes):
			at = i + 1
		}
	}
	s.processes = slices.Insert(slices.Clone(s.processes), at, fresh)
	s.touch()
}

// replaceInPlace has the old process end and the new one started after it.
func (s *supervisor) replaceInPlace(r *roll, st *step, now time.Time) {
	p := st.before
	st.begun, st.alone, st.after = true, true, p
	switch why := cmp.Or(st.why, r.why); {
	case !p.runs():
		p.spec = st.new
		s.bringBack(p, now)
	case why != "": // it may be deaf, or eat the memory of all
		p.fresh = st.new
		s.down(p, newPlan(now, s.Budget, s.QuietFor), why, startNow, now)
	default:
		p.fresh = st.new // what runs still is stopped by its own generation's signals
		s.leave(p, r.cause(), startNow, now)
	}
}

// retire has an old process go: it finishes its work, and its slot is another's.
func (s *supervisor) retire(p *process, why string, now time.Time) {
	if !p.runs() {
		if p.state != Down {
			s.move(p, Down, Info, why, now)
		}
		s.drop(p)
		return
	}
	p.old = true
	s.leave(p, why, remove, now)
}

// cause is why the old processes are stopped.
func (r *roll) cause() string {
	switch {
	case r.why != "":
		return r.why
	case r.back:
		return "restart aborted"
	}
	return "restart"
}

// rollEnded hears that a process ended by itself, or cannot be started. A new
// one that never proved itself, or did not last, aborts the restart.
func (s *supervisor) rollEnded(p *process, proved bool, now time.Time) bool {
	r := s.roll
	if r == nil || r.back {
		return false
	}
	for _, st := range r.steps {
		if st.after != p || p.spec != st.new {
			continue
		}
		what := "ended before it was ready"
		switch {
		case proved:
			what = "did not last"
		case p.line.gone.IsZero():
			what = "cannot be started"
		}
		st.failed = fmt.Sprintf("the new %s %s: %s", p.name, what, p.line.exit)
		s.stepRoll(now) // now, before back-off starts the new one again
		return true
	}
	return false
}

// slot finds a slot by its name.
func (s *supervisor) slot(name string) *process {
	for _, p := range s.processes {
		if p.name == name && !p.old {
			return p
		}
	}
	return nil
}
