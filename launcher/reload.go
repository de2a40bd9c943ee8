package launcher

import (
	"fmt"
	"slices"
	"time"

	"dyno/preboot"
)

// restarts are those of all that were asked for: who waits for one knows by its
// number when it is over.
type restarts struct {
	asked   uint64 // the number of the last one
	over    uint64 // the number of the last one that is over
	aborted string // why that was; "": it was not

	reading     bool     // the new generation
	forced      bool     // … for restart --force
	spared      []string // … slots for which somebody has had other plans since
	quietBefore bool     // … it was quiet already when that was asked for

	follow       bool // one was asked for while another was under way
	followForced bool // … with restart --force
}

// reloaded is the new generation that Config.Reload read, or why it could not.
type reloaded struct {
	Generation
	err error
}

// underway tells whether a restart that was asked for is not over yet.
func (s *supervisor) underway() bool { return s.restarts.reading || s.roll != nil && s.roll.why == "" }

// refuseRestart says why the restart of a slot or a type cannot begin now, ""
// where it can. What only drains is no reason.
func (s *supervisor) refuseRestart(now time.Time) string {
	switch {
	case !s.underway():
		return ""
	case s.roll != nil && !s.roll.replaced.IsZero():
		left := s.roll.replaced.Add(preboot.Proving).Sub(now)
		return fmt.Sprintf("the last restart is over in %s, when its processes have proved themselves; ask again then", left.Round(time.Second))
	}
	return "a restart is under way; see launcher status"
}

// reload begins a restart of all, or has it follow the one that is under way.
func (s *supervisor) reload(now time.Time, force bool) {
	switch {
	case s.stopping != nil:
		s.say(Info, nil, "no restart: it is stopping")
	case s.underway():
		s.follow(force)
	default:
		s.restarts.asked++
		s.read(force, now)
	}
}

// follow notes that a restart is to follow the one that is under way. Several
// that are asked for meanwhile are one.
func (s *supervisor) follow(force bool) {
	if !s.restarts.follow {
		s.restarts.asked++
		s.say(Info, nil, "restart: another one follows, when this one is over")
	}
	s.restarts.follow, s.restarts.followForced = true, s.restarts.followForced || force
	s.said.reloading = false // a manager that sent HUP waits for a RELOADING since then
	s.touch()
}

// followDue begins the restart that follows.
func (s *supervisor) followDue(now time.Time) {
	if !s.restarts.follow || s.underway() || s.stopping != nil {
		return
	}
	force := s.restarts.followForced
	s.restarts.follow, s.restarts.followForced = false, false
	s.read(force, now)
}

// read has the new generation read, outside of the loop.
func (s *supervisor) read(force bool, now time.Time) {
	s.restarts.reading, s.restarts.forced, s.restarts.spared, s.restarts.quietBefore = true, force, nil, s.quietAll
	if s.Reload == nil {
		s.reloaded(reloaded{Generation: Generation{s.specs(), s.Slot}}, now)
		return
	}
	s.touch()
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
	s.restarts.reading = false
	if s.stopping != nil {
		return
	}
	if s.quietAll && !s.restarts.quietBefore {
		s.refused("it was quieted since that was asked for; ask again, or resume", Warn)
		return
	}
	if r.err != nil {
		s.refused(r.err.Error(), Error)
		return
	}
	s.beginRoll(&roll{steps: s.steps(r.Specs), slot: s.Slot, unquiets: s.quietAll, force: s.restarts.forced})
	s.leaveRoll(s.restarts.spared, now)
	s.quietAll, s.Slot = false, r.Slot
	if s.weighAt.IsZero() && s.Guard.Used == nil && slices.ContainsFunc(r.Specs, func(spec Spec) bool { return spec.MaxMemory > 0 }) {
		s.weighAt = now.Add(memoryEvery)
	}
	s.say(Info, nil, "restart: %d processes, one at a time", len(s.roll.steps))
}

// refused notes a restart that never began.
func (s *supervisor) refused(why string, level Level) {
	s.restartOver(why)
	s.say(level, nil, "no restart, everything goes on as it was: %s", why)
}

// restartOver notes that a restart is over; why it was aborted, "": it was not.
func (s *supervisor) restartOver(why string) {
	s.restarts.aborted, s.restarts.over = why, s.restarts.asked
	if s.restarts.follow {
		s.restarts.over--
	}
	s.touch()
}
