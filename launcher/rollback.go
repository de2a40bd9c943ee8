package launcher

import (
	"slices"
	"time"

	"dyno/preboot"
)

// abort takes the new ones away and goes back to the old generation: old
// processes are never given up for ones that do not work.
func (s *supervisor) abort(why string, now time.Time) {
	r := s.roll
	s.say(Error, nil, "restart aborted: %s; going back to what ran before", why)
	s.restarts.aborted, s.Slot = why, r.slot
	s.roll = &roll{back: true, slot: r.slot}
	for _, st := range r.steps {
		switch preboot.Undone(st.view(), st.old != nil, r.unquiets) {
		case preboot.Keep:
		case preboot.Drop:
			s.giveBack(st, now)
		case preboot.MakeUp:
			s.roll.steps = append(s.roll.steps, s.makeUp(st, now))
		}
	}
	s.touch()
	s.stepRoll(now) // now, before back-off starts the new one again
}

// giveBack takes a slot's new process away; the slot is the old one's again.
func (s *supervisor) giveBack(st *step, now time.Time) {
	if st.before != nil {
		st.before.old = false
	}
	s.discard(st.after, now)
}

// discard takes a new process away: one that worked may finish its work.
func (s *supervisor) discard(p *process, now time.Time) {
	const why = "restart aborted"
	if p.runs() && !p.proved {
		p.old = true
		s.down(p, newPlan(now, s.Budget, s.QuietFor), why, remove, now)
		return
	}
	s.retire(p, why, now)
}

// makeUp is the step back to a slot's old generation: beside a new process that
// works, which is given up only when the old generation's is ready; else at once.
func (s *supervisor) makeUp(st *step, now time.Time) *step {
	spec := *st.old
	back := &step{name: st.name, new: &spec}
	switch {
	case st.inPlace():
		back.before, back.old, back.alone = st.before, st.before.spec, true
	case !st.begun: // it drains, quieted before the restart
		back.before, back.old = st.before, st.before.spec
	case st.after != nil && st.failed == "" && st.after.proved && st.after.working():
		back.before, back.old = st.after, st.after.spec
	case st.after != nil:
		s.discard(st.after, now)
	}
	return back
}

// cutRoll ends a restart in the middle. Each slot is that of the newest process
// that has proved itself. why is what status says of it.
func (s *supervisor) cutRoll(why string, now time.Time) {
	r := s.roll
	if r == nil {
		return
	}
	s.roll = nil
	for _, st := range r.steps {
		s.award(st, now)
	}
	switch {
	case r.why != "":
	case r.back:
		s.restartOver(s.restarts.aborted)
	case r.replaced.IsZero():
		s.Slot = r.slot
		s.restartOver(why)
		s.say(Warn, nil, "restart aborted: %s", why)
	default:
		s.restartOver("")
	}
	s.touch()
}

// award decides to whom a slot belongs whose turn is not over.
func (s *supervisor) award(st *step, now time.Time) {
	switch serving := st.oldOne() == preboot.Serving; {
	case !st.begun || st.after == nil:
	case st.alone:
		st.before.fresh = nil // where the new one has not followed yet
	case !serving: // the new one has the slot
	case st.proved:
		s.retire(st.before, "restart", now)
	default:
		s.giveBack(st, now)
	}
}

// leaveRoll takes slots out of a restart, which goes on without them: somebody
// has other plans for them.
func (s *supervisor) leaveRoll(names []string, now time.Time) {
	if s.restarts.reading {
		s.restarts.spared = append(s.restarts.spared, names...)
	}
	if s.roll == nil {
		return
	}
	s.roll.steps = slices.DeleteFunc(s.roll.steps, func(st *step) bool {
		if !slices.Contains(names, st.name) {
			return false
		}
		s.award(st, now)
		return true
	})
	if s.roll.why != "" && len(s.roll.steps) == 0 { // a replacement is of one process
		s.roll = nil
	}
}
