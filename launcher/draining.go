package launcher

import (
	"time"

	"dyno/preboot"
)

// drainSays is how often a process that drains on and on is logged.
const drainSays = 10 * time.Minute

// leave has p finish its work, for as long as its drain limit allows, and end:
// by its quiet signal and, once it is drained, its stop signal; or by its stop
// signal where that is its drain, or where it hears no other (DESIGN 8).
func (s *supervisor) leave(p *process, why string, then next, now time.Time) {
	limit := p.spec.DrainLimit
	if p.leftAt.IsZero() {
		p.leftAt = now
	}
	booting := p.working() && !p.proved // it has nothing to finish, and may never hear
	if limit == 0 || booting || p.state >= Stopping || p.state == Quieting && !p.plan.kill.IsZero() {
		s.down(p, newPlan(now, s.Budget, s.QuietFor), why, then, now)
		return
	}
	p.next, p.cause = then, why
	p.sayAt = now.Add(drainSays)
	s.seek(now)
	server := p.spec.Server
	hears := p.state == Quieting || !server.Drains && s.quiet(p, why, now)
	way := preboot.Drain(hears, server.Titles, server.Drains, limit,
		quietPhase(s.Budget, s.QuietFor), s.Budget-reserve(s.Budget))
	p.plan = plan{begin: now, term: by(now, way.Stop), kill: by(now, way.Kill), end: by(now, way.Kill)}
	if !way.Quiet {
		s.term(p, now)
	}
}

// by is a moment of a timetable; negative: never.
func by(now time.Time, after time.Duration) time.Time {
	if after < 0 {
		return time.Time{}
	}
	return now.Add(after)
}

// leftSince is since when p leaves.
func (p *process) leftSince() time.Time {
	if p.leftAt.IsZero() {
		return p.since
	}
	return p.leftAt
}

// sayDrains logs one that drains on and on.
func (s *supervisor) sayDrains(p *process, now time.Time) {
	p.sayAt = now.Add(drainSays)
	s.say(Info, p, "has been draining for %s", now.Sub(p.leftAt).Round(time.Second))
}
