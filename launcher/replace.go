package launcher

import (
	"slices"
	"time"
)

// replaceDead replaces one process whose live probe fails, one at a time over
// all types, and none while the last one's replacement is not well: an outage
// of what all of them need must not empty the fleet (DESIGN 6). The replacement
// itself may be replaced again.
func (s *supervisor) replaceDead(now time.Time) {
	last := s.slot(s.probes.replaced)
	blocked := last != nil && !last.recovered()
	if s.probes.waits && !blocked {
		s.forgiveOthers(last, now)
	}
	may := s.mayReplace()
	var dead *process
	for _, p := range s.processes {
		switch {
		case !p.liveness.ill || !p.working() || !p.proved && now.Before(p.started.Add(p.spec.readyTimeout())):
		case blocked && p != last:
			s.probes.waits = true
			if !p.liveness.told {
				p.liveness.told = true
				s.say(Warn, p, "goes on although its live probe fails: %s was replaced for that, and is not well yet", last.name)
			}
		case dead == nil && may:
			dead = p
		}
	}
	if dead != nil {
		s.replaceFor(dead, "its live probe "+dead.liveness.fails(), now)
	}
}

// forgiveOthers has those that waited asked anew: what they failed by may have
// been over when the replacement became well, and they were not asked since.
func (s *supervisor) forgiveOthers(well *process, now time.Time) {
	s.probes.waits = false
	for _, p := range s.processes {
		if p == well || !p.liveness.ill {
			continue
		}
		p.liveness.forgive()
		if p.watchdog() > 0 {
			p.liveness.at = now.Add(p.watchdog())
		}
		s.touch()
	}
}

// replaceFor replaces p, or ends it for good where its policy is to start
// nothing again: the platform does that then.
func (s *supervisor) replaceFor(p *process, why string, now time.Time) {
	s.probes.replaced, s.probes.why[p.name] = p.name, why
	if p.spec.Restart == RestartNever {
		p.lost = true
		s.say(Warn, p, "is stopped, and not started again (restart is never): %s", why)
		s.down(p, newPlan(now, s.Budget, s.QuietFor), why, byPolicy, now)
		return
	}
	s.replace(p, now, why)
}

// replace stops one process, and starts it again once it has ended: near a limit
// a new one beside it would bring about what it is to prevent (P53), and one that
// is deaf does not drain. The caller has asked mayReplace.
func (s *supervisor) replace(p *process, now time.Time, why string) {
	s.say(Warn, p, "is replaced: %s", why)
	if s.roll != nil {
		s.advance(s.roll, p, why, now)
		return
	}
	st := stepOf(p, p.spec)
	st.alone = true
	s.beginRoll(&roll{back: true, slot: s.Slot, why: why, steps: []*step{st}})
	s.stepRoll(now)
}

// mayReplace tells whether one process may be replaced by its like now: in the
// middle of a restart its slot's own turn does that, unless the restart may wait
// for hours for old ones that drain.
func (s *supervisor) mayReplace() bool {
	r := s.roll
	if s.stopping != nil || s.quietAll || s.restarts.reading {
		return false
	}
	return r == nil || r.waits != "" && !slices.ContainsFunc(r.steps, func(st *step) bool { return st.begun && !st.view().Done() })
}

// advance gives a slot its turn in a restart that waits: to the new generation,
// or, where it is there already, to another process of it.
func (s *supervisor) advance(r *roll, p *process, why string, now time.Time) {
	for _, st := range r.steps {
		if st.name != p.name || p.old {
			continue
		}
		if st.new == nil {
			st.begun, p.old = true, true
			s.down(p, newPlan(now, s.Budget, s.QuietFor), why, remove, now)
			return
		}
		if st.begun {
			again := *st.new
			*st = step{name: st.name, old: st.old, new: &again}
		}
		st.before, st.why = p, why
		s.replaceInPlace(r, st, now)
		return
	}
}

// recovered tells whether a process that took a dead one's place is well, or
// not wanted any more.
func (p *process) recovered() bool {
	if p.state == Down {
		return true
	}
	return p.isReady() && (p.liveness.probe == nil || p.liveness.well)
}
