package launcher

import (
	"fmt"
	"slices"
	"time"
)

// The figures of a rolling restart, DESIGN 8.
const (
	readyTimeout = 60 * time.Second
	proveAfter   = 10 * time.Second // a new process that ends so soon after the restart aborts it
)

// reloaded is the new generation that Config.Reload read, or why it could not.
type reloaded struct {
	Generation
	err error
}

// roll is a restart of everything, one process at a time, old first. A new
// process that does not come up aborts it, and what was replaced goes back.
type roll struct {
	steps    []step
	at       int       // the step that is being done
	since    time.Time // when that began
	back     bool      // this is the way back after an abort
	why      string    // of a replacement; "": it is a restart that was asked for
	reason   string
	slot     func(string, int) (Spec, bool) // the old generation's, for the way back
	unquiets bool                           // all was quieted before: an abort has the old generation make up for it
	waiting  time.Time                      // all steps are done: when the new ones have proved themselves
}

// step is one slot's way from one spec to another. A nil old: a new slot; a
// nil new: the slot goes.
type step struct {
	name     string
	old, new *Spec
	begun    bool
}

// reload begins a restart: the new generation is read outside of the loop.
func (s *supervisor) reload(now time.Time) {
	switch {
	case s.stopping != nil:
		s.say(Info, nil, "no restart: it is stopping")
		return
	case s.roll != nil || s.reloading:
		s.say(Info, nil, "no second restart: one is under way")
		return
	case s.Reload == nil:
		s.reloaded(reloaded{Generation: Generation{s.specs(), s.Slot}}, now)
		return
	}
	s.reloading, s.quietBefore = true, s.quietAll
	read, kernel := s.Reload, s.Kernel
	go func() {
		next, err := read()
		s.reloads <- reloaded{next, err}
		kernel.Wake()
	}()
}

// specs are copies of what runs now.
func (s *supervisor) specs() []Spec {
	specs := make([]Spec, 0, len(s.processes))
	for _, p := range s.processes {
		if !p.old {
			specs = append(specs, *p.spec)
		}
	}
	return specs
}

// reloaded takes the new generation; a mistake in it ends the restart before
// anything is touched.
func (s *supervisor) reloaded(r reloaded, now time.Time) {
	s.reloading = false
	if s.stopping != nil {
		return
	}
	if s.quietAll && !s.quietBefore {
		s.say(Warn, nil, "no restart: it was quieted since that was asked for; ask again, or resume")
		return
	}
	if r.err != nil {
		s.aborted = r.err.Error()
		s.touch()
		s.say(Error, nil, "no restart, everything goes on as it was: %v", r.err)
		return
	}
	s.beginRoll(&roll{steps: s.steps(r.Specs), since: now, slot: s.Slot, unquiets: s.quietAll})
	s.quietAll = false
	s.Slot = r.Slot
	s.say(Info, nil, "restart: %d processes, one at a time", len(s.roll.steps))
}

// beginRoll makes r the restart that is under way.
func (s *supervisor) beginRoll(r *roll) {
	s.roll, s.aborted = r, ""
	s.touch()
}

// steps pairs the slots that there are with the new generation's.
func (s *supervisor) steps(specs []Spec) []step {
	var steps []step
	fresh := make(map[string]*Spec, len(specs))
	for i := range specs {
		fresh[specs[i].Name()] = &specs[i]
	}
	for _, p := range s.processes {
		if p.old {
			continue
		}
		steps = append(steps, step{name: p.name, old: p.spec, new: fresh[p.name]})
		delete(fresh, p.name)
	}
	for i := range specs {
		if fresh[specs[i].Name()] != nil {
			steps = append(steps, step{name: specs[i].Name(), new: &specs[i]})
		}
	}
	return steps
}

// stepRoll moves the restart on.
func (s *supervisor) stepRoll(now time.Time) {
	r := s.roll
	if r == nil || s.stopping != nil {
		return
	}
	for r.at < len(r.steps) {
		st := &r.steps[r.at]
		if !st.begun {
			st.begun, r.since = true, now
			s.beginStep(st, now)
		}
		if !s.stepDone(st) {
			if now.Sub(r.since) <= readyTimeout+s.Budget {
				return
			}
			if !r.back {
				s.abort(fmt.Sprintf("%s was not ready within %s", st.name, readyTimeout), now)
				return
			}
			s.say(Error, nil, "%s has not come back as it was within %s; going on without", st.name, readyTimeout)
		}
		r.at++
		s.touch()
	}
	if r.waiting.IsZero() {
		r.waiting = now.Add(proveAfter)
		s.touch()
		if r.why == "" {
			s.say(Info, nil, "restart: all processes are replaced%s", r.reason)
		}
	}
	if !now.Before(r.waiting) {
		s.roll = nil
		s.touch()
	}
}

// rollDeadline is when the restart needs the loop although nothing happens.
func (s *supervisor) rollDeadline() time.Time {
	switch r := s.roll; {
	case r == nil:
		return time.Time{}
	case !r.waiting.IsZero():
		return r.waiting
	default:
		return r.since.Add(readyTimeout + s.Budget + time.Millisecond)
	}
}

// beginStep has the slot's process stopped and the new one started after it.
func (s *supervisor) beginStep(st *step, now time.Time) {
	p := s.slot(st.name)
	switch {
	case p == nil && st.new != nil:
		s.processes = append(s.processes, newProcess(st.new, now))
	case p == nil:
	case st.new == nil:
		if !p.runs() {
			s.drop(p)
			return
		}
		s.down(p, newPlan(now, s.Budget, s.QuietFor), "restart: it is no longer asked for", remove, now)
	default:
		if !p.runs() {
			p.spec = st.new
			s.bringBack(p, now)
			return
		}
		p.fresh = st.new // what runs still is stopped by its own generation's signals
		s.down(p, newPlan(now, s.Budget, s.QuietFor), s.roll.cause(), startNow, now)
	}
}

// cause is why the old processes are stopped.
func (r *roll) cause() string {
	if r.why != "" {
		return r.why
	}
	return "restart"
}

// stepDone tells whether the slot has reached what the step wants: the new
// process has proved itself, or the slot is gone.
func (s *supervisor) stepDone(st *step) bool {
	p := s.slot(st.name)
	if st.new == nil || p == nil {
		return p == nil
	}
	return p.proved && p.working() || p.state == Down // it has done what it was for
}

// rollEnded hears that a process ended by itself. A new one that never proved
// itself, or did not last, aborts the restart.
func (s *supervisor) rollEnded(p *process, proved bool, now time.Time) bool {
	r := s.roll
	if r == nil || r.back {
		return false
	}
	for _, st := range r.steps[:min(r.at+1, len(r.steps))] {
		if st.name == p.name && st.begun && st.new == p.spec {
			what := "ended before it was ready"
			if proved {
				what = "did not last"
			}
			s.abort(fmt.Sprintf("the new %s %s: %s", p.name, what, p.line.exit), now)
			return true
		}
	}
	return false
}

// abort takes the new ones away and goes back to the old generation, the
// failed one first: old processes are never given up for ones that do not work.
func (s *supervisor) abort(why string, now time.Time) {
	s.say(Error, nil, "restart aborted: %s; going back to what ran before", why)
	begun := s.roll.steps[:min(s.roll.at+1, len(s.roll.steps))]
	s.aborted = why
	s.Slot = s.roll.slot
	back := &roll{back: true, since: now, reason: " back"}
	for _, st := range slices.Backward(begun) {
		back.steps = append(back.steps, step{name: st.name, old: st.new, new: st.old})
	}
	for _, st := range s.roll.steps[len(begun):] { // quieted before: made up for
		if p := s.slot(st.name); s.roll.unquiets && p != nil && (p.state == Down || p.state == Quieting) {
			back.steps = append(back.steps, step{name: st.name, old: st.old, new: st.old})
		}
	}
	s.roll = back
	s.touch()
	s.stepRoll(now) // now, before back-off starts the new one again
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
