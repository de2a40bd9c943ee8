package launcher

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// end is how a process ended, and what was to follow.
type end struct {
	exit   Exit
	level  Level
	why    string // in words
	code   int    // what counts as its status
	asked  bool   // it was told to end
	proved bool   // it had been ready

	then  next
	fresh *Spec // startNow: of a new generation; nil: as it was
}

// ended follows the end of a slot's process.
func (s *supervisor) ended(p *process, exit Exit, now time.Time) {
	delete(s.running, p.pid)
	s.leftBehind(p, now)
	if s.interactive(p) {
		_ = s.Kernel.Foreground(0)
	}
	if exit.Starved && p.working() && p.next == byPolicy && !s.quietAll { // no more than a start that failed
		s.endProbes(p, now)
		p.ended()
		s.startFailed(p, fmt.Errorf("%s: %w", p.spec.Argv[0], unix.EAGAIN), now)
		return
	}
	e := s.record(p, exit, now)
	s.endProbes(p, now)
	p.ended()
	s.afterEnd(p, e, now)
}

// record takes note of an end while p still tells what it was.
func (s *supervisor) record(p *process, exit Exit, now time.Time) end {
	kills := s.oomKills
	level, why := s.causeOfDeath(p, exit)
	p.line.gone, p.line.exit = now, why
	s.counters.ended(p, exit, s.oomKills > kills)
	switch {
	case exit.Asked() && p.state < Stopping:
		s.lastAsked = now
	case p.said.After(s.lastAsked): // it spoke of stopping, and has ended by its own status
		s.lastAsked = p.said
	}
	p.tries, p.startAt = s.count(p, exit, now)
	e := end{
		exit: exit, level: level, why: why, code: exit.Code(), asked: p.state >= Quieting, proved: p.proved,
		then: p.next, fresh: p.fresh,
	}
	if p.lost { // it was told to, and yet it failed
		e.asked, e.code = false, max(e.code, 1)
	}
	return e
}

// afterEnd decides what becomes of the slot.
func (s *supervisor) afterEnd(p *process, e end, now time.Time) {
	switch {
	case s.OwnStatus && s.stopping != nil:
		s.settle(p, e.exit.Code(), e.level, e.why, now)
	case !e.asked && !s.returns(p, e.exit):
		s.final(p, e.proved, e.code, e.level, e.why, now)
	case e.then == remove, s.stopping != nil, s.quietAll && e.then == byPolicy, e.then == stayDown:
		s.move(p, Down, e.level, e.why, now)
		p.next = e.then // until it is told to start
		switch {
		case s.stopping != nil:
		case p.old: // its slot is another's, or nobody's
			s.drop(p)
		case !e.asked:
			s.rollEnded(p, e.proved, now)
		}
	case e.then == startNow:
		if e.fresh != nil {
			p.spec = e.fresh
		}
		p.tries, p.startAt = tries{}, now
		s.move(p, Waiting, e.level, e.why, now)
	default:
		p.restarts++
		s.counters.of(p.spec.Type).Restarts++
		s.again(p, p.startAt.Sub(now), e.level, e.why, now)
		s.rollEnded(p, e.proved, now)
		s.giveUpIfHopeless(p, now)
	}
}

// returns tells whether the policy starts it again after it ended by itself.
func (s *supervisor) returns(p *process, exit Exit) bool {
	switch p.spec.Restart {
	case RestartNever:
		return false
	case RestartOnFailure:
		return exit.Code() != 0
	}
	return true
}

// count adds this end to the slot's tries and says when to start again. One
// that ended as if told to, though not by us, may be the first sign of a stop
// of everything: it is started half a second later (DESIGN 3).
func (s *supervisor) count(p *process, exit Exit, now time.Time) (tries, time.Time) {
	up := now.Sub(p.started)
	t, wait := p.tries.ended(now, up, p.proved || up >= upIsReady && p.spec.Ready == nil && !p.spec.Server.Notifies, s.luck())
	if exit.Asked() && p.state < Stopping {
		wait = max(wait, sameMoment)
	}
	return t, now.Add(wait)
}

// again has p started after a wait.
func (s *supervisor) again(p *process, wait time.Duration, level Level, why string, now time.Time) {
	p.startAt = now.Add(wait)
	if wait > 0 {
		why = fmt.Sprintf("%s; again in %s", why, wait.Round(10*time.Millisecond))
	}
	s.move(p, Waiting, level, why, now)
}

// settle takes the end of p as final.
func (s *supervisor) settle(p *process, status int, level Level, why string, now time.Time) {
	s.counts(p, status)
	s.move(p, Down, level, why, now)
}

// counts takes a status for that of the whole, if it is the first that is none of
// success. That of an old process is not: its slot is another's.
func (s *supervisor) counts(p *process, status int) {
	if s.failure == 0 && (!p.old || s.slot(p.name) == nil) {
		s.failure = status
	}
}

// final ends a slot that its policy does not start again. A new one of a
// restart that failed aborts that, and does not count: the old one comes back.
// An old one has no slot any more.
func (s *supervisor) final(p *process, proved bool, status int, level Level, why string, now time.Time) {
	p.done = status == 0
	s.move(p, Down, level, why, now)
	if aborts := s.stopping == nil && status != 0 && s.rollEnded(p, proved, now); !aborts {
		s.counts(p, status)
	}
	if p.old && s.stopping == nil {
		s.drop(p)
	}
}

// drop takes the slot itself away.
func (s *supervisor) drop(gone *process) {
	gone.gone = true
	kept := s.processes[:0:0]
	for _, p := range s.processes {
		if p != gone {
			kept = append(kept, p)
		}
	}
	s.processes = kept
}

// causeOfDeath says how a process ended: its status, its signal, our KILL and
// why, launcher signal's, the OOM killer's.
func (s *supervisor) causeOfDeath(p *process, exit Exit) (Level, string) {
	switch {
	case p.state == Killed:
		return Info, exit.String()
	case p.told != 0 && exit.Signal() == p.told && p.state < Quieting:
		return Warn, "asked by launcher signal; " + exit.String()
	case exit.Signal() == unix.SIGKILL && s.oomKilled():
		return Error, "killed by the OOM killer: the container's memory limit was reached; lower COUNT or raise the limit"
	case p.state >= Quieting, s.stopping != nil:
		return Info, exit.String()
	case exit.Signal() == unix.SIGKILL:
		return Error, "an unknown KILL, not from the launcher; a person, a script or the machine's OOM killer: see dmesg"
	case exit.Code() != 0 && !s.OwnStatus: // else the status says it all
		return Warn, "ended by itself, " + exit.String()
	}
	return Info, "ended by itself, " + exit.String()
}

// oomKilled takes one kill of the OOM killer's, if its count has risen.
func (s *supervisor) oomKilled() bool {
	if s.noOOM {
		return false
	}
	if n, ok := s.Kernel.OOMKills(); ok && n > s.oomKills {
		s.oomKills++
		return true
	}
	return false
}

// giveUpIfHopeless ends a bad deploy: no process of the type was ever ready,
// and each slot failed five times in a row, the first of these 60 s ago. What
// has worked is never given up (DESIGN 4), and what an abort took away is none.
func (s *supervisor) giveUpIfHopeless(bad *process, now time.Time) {
	typ := bad.spec.Type
	if s.worked[typ] || s.stopping != nil || bad.gone {
		return
	}
	for _, p := range s.processes {
		if p.spec.Type == typ && !p.old && !p.tries.hopeless(now) {
			return
		}
	}
	why := fmt.Sprintf("gave up %s: none of its processes was ever ready, each failed %d times or more; the last: %s",
		typ, giveUpTries, bad.line.exit)
	if s.GiveUpAlone {
		s.say(Error, nil, "%s", why)
		for _, p := range s.processes {
			if p.spec.Type == typ && !p.runs() && p.state == Waiting {
				s.move(p, Down, Error, "given up", now)
			}
		}
		if s.failure == 0 {
			s.failure = 1
		}
		return
	}
	s.begin(now, newPlan(now, s.Budget, s.QuietFor), why) // nobody else has sent a TERM
	s.stopping.status = 1
}
