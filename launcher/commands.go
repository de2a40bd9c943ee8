package launcher

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// signal does what a signal to the launcher asks for.
func (s *supervisor) signal(sig unix.Signal, now time.Time) {
	switch respond(sig, &s.Config) {
	case drop:
	case stop:
		s.terminate(sig, now)
	case interrupt:
		s.interrupt(sig, now)
	case quiet:
		s.beQuiet(now, "quieted by "+SignalName(sig))
	case reload:
		s.reload(now, false)
	case report:
		s.report(now)
		s.forward(sig, now)
	case forward:
		s.forward(sig, now)
	case knowing:
		s.forwardKnowing(sig, now)
	case hint:
		s.say(Info, nil, "%s does nothing on a terminal; use launcher quiet", SignalName(sig))
	}
}

// terminate is TERM: the whole stop. In tini's place it goes on unchanged
// every time, and only the budget is added.
func (s *supervisor) terminate(sig unix.Signal, now time.Time) {
	if s.Pass {
		s.pass(sig, now)
		return
	}
	s.stopAll(now, "asked by "+SignalName(sig))
}

// interrupt is INT, and HUP of a terminal: no quiet phase; the second kills. But a
// HUP only begins: a closed window brings two, from the shell and, when that has
// ended, from the kernel.
func (s *supervisor) interrupt(sig unix.Signal, now time.Time) {
	if s.Pass {
		s.pass(sig, now)
		return
	}
	plan := newPlan(now, s.Budget, s.QuietFor).without(now)
	switch {
	case sig == unix.SIGHUP && s.stopping != nil:
		return
	case s.stopping == nil:
		s.begin(now, plan, "asked by "+SignalName(sig))
	case s.stopping.interrupts == 0:
		s.say(Info, nil, "%s: no more quiet phase", SignalName(sig))
	default:
		s.say(Warn, nil, "%s again: KILL", SignalName(sig))
		plan.kill = now
	}
	s.stopping.interrupts++
	s.stopping.plan = s.stopping.earlier(plan)
	for _, p := range s.processes {
		if p.runs() {
			s.down(p, s.stopping.plan, s.stopping.why, stayDown, now)
		}
	}
}

// pass forwards TERM or INT as it is and has what is left killed at the end of
// the budget.
func (s *supervisor) pass(sig unix.Signal, now time.Time) {
	plan := newPlan(now, s.Budget, s.QuietFor).without(now)
	if s.stopping == nil {
		s.stopping = &stopping{plan: plan, why: "asked by " + SignalName(sig)}
		s.Stops()
	}
	for _, p := range s.processes {
		if !p.runs() {
			if p.state == Waiting {
				s.move(p, Down, Info, "not started any more", now)
			}
			continue
		}
		s.send(p, []int{p.pid}, sig)
		if p.working() {
			p.plan, p.cause, p.targets = plan, s.stopping.why, []int{p.pid}
			p.line.stopped, p.line.stop = now, sig
			s.move(p, Stopping, Info, "forwarded "+SignalName(sig), now)
		}
	}
}

// beQuiet quiets every process and keeps it so: none is started until a
// restart, as sidekiqswarm does.
func (s *supervisor) beQuiet(now time.Time, why string) {
	if s.stopping != nil || s.quietAll {
		return
	}
	follows := s.restarts.follow
	s.restarts.follow, s.restarts.followForced = false, false
	s.cutRoll("it was quieted", now)
	if follows {
		s.refused("it was quieted since that was asked for; ask again, or resume", Warn)
	}
	s.quietAll = true
	for _, p := range s.processes {
		switch {
		case p.old: // it goes anyway
		case p.state == Waiting:
			s.move(p, Down, Info, why, now)
		case p.next == startNow:
			p.letFinish(byPolicy)
		case p.working():
			p.cause = why
			s.quietOne(p, why, now)
		}
	}
}

// letFinish has a process with which a restart had begun finish its work, as others
// that are quieted, and says what follows instead of a new one.
func (p *process) letFinish(then next) {
	if p.next == startNow && p.state == Quieting {
		p.plan, p.leftAt, p.sayAt = plan{}, time.Time{}, time.Time{}
	}
	p.next, p.fresh = then, nil
}

// quietOne quiets p, or says once that it cannot be.
func (s *supervisor) quietOne(p *process, why string, now time.Time) {
	if !s.quiet(p, why, now) && !p.hearsNothing {
		p.hearsNothing = true
		s.touch()
		s.say(Info, p, "hears no quiet signal; it goes on until it is stopped")
	}
}

// report writes what every process does to the log.
func (s *supervisor) report(now time.Time) {
	for _, p := range s.processes {
		text := fmt.Sprintf("status: %s for %s", p.state, now.Sub(p.since).Round(time.Second))
		if p.status != "" {
			text += "; it says: " + p.status
		}
		if p.tries.failed > 0 {
			text += fmt.Sprintf("; failed %d times in a row, the last: %s", p.tries.failed, p.line.exit)
		}
		s.say(Info, p, "%s", text)
	}
}

// forward passes a signal on to every process. A CONT between the quiet and
// the stop signal would discard a pending TSTP, and waits for the stop signal,
// which brings one of its own (P46).
func (s *supervisor) forward(sig unix.Signal, now time.Time) {
	for _, p := range s.processes {
		switch {
		case !p.runs(), sig == unix.SIGCONT && p.state == Quieting:
		case s.Pass:
			s.send(p, []int{p.pid}, sig)
		default:
			s.send(p, s.stopTargets(p, sig, now), sig)
		}
	}
}

// forwardKnowing passes on a signal that kills what does not know it.
func (s *supervisor) forwardKnowing(sig unix.Signal, now time.Time) {
	dropped := 0
	for _, p := range s.processes {
		switch {
		case !p.runs():
		case takesUSR2(p.spec.Server) && p.working() && s.booted(p, s.family(p, now)):
			s.send(p, s.stopTargets(p, sig, now), sig)
		default:
			dropped++
		}
	}
	if dropped > 0 {
		s.say(Info, nil, "%s was not passed on to %d processes that are not known to take it: it kills Ruby and others", SignalName(sig), dropped)
	}
}
