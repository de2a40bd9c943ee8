package launcher

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	freezeAfter = 100 * time.Millisecond // when to look whether a quiet signal froze one
	firstLook   = 20 * time.Millisecond  // at one that boots and is owed the quiet signal
	mostLook    = time.Second
	titleEvery  = time.Second      // between two looks at a draining server's title
	titleAge    = 10 * time.Second // for how long it must say so
)

// quiet sends p its quiet signal, or owes it that while it boots. It tells
// whether there is a quiet phase for it.
func (s *supervisor) quiet(p *process, why string, now time.Time) bool {
	targets, sig := s.hearers(p, now)
	if len(targets) == 0 {
		if !s.owes(p, now) {
			return false
		}
		p.owed, p.lookGap = true, firstLook
		p.lookAt = now.Add(firstLook)
		s.move(p, Quieting, Info, why+"; it boots still, and is to be quiet as soon as it can hear", now)
		return true
	}
	s.send(p, targets, sig)
	p.line.quieted, p.line.quiet = now, sig
	p.frozenAt, p.quieted = now.Add(freezeAfter), targets
	if p.spec.Server.Titles {
		p.titleAt, p.idle = now.Add(titleEvery), time.Time{}
	}
	if p.state != Quieting {
		s.move(p, Quieting, Info, why+"; sent "+SignalName(sig), now)
	}
	return true
}

// owes tells whether p is a server that will hear a quiet signal once it has booted.
func (s *supervisor) owes(p *process, now time.Time) bool {
	if len(s.family(p, now)) == 0 && p.spec.QuietSignal == 0 {
		return false // no /proc: it could never be seen to hear
	}
	return !p.proved && s.quietSignal(p) != 0 && (p.spec.Server.Quiet != 0 || p.spec.QuietSignal != 0)
}

// goOn sends a drained process its stop signal, by the plan that it is on or,
// where that gave it longer, by one that begins now.
func (s *supervisor) goOn(p *process, now time.Time) {
	p.plan = p.plan.earlier(newPlan(now, s.Budget, s.QuietFor))
	p.cause += "; drained"
	s.term(p, now)
}

// isDrained tells whether no work is left: its STATUS says so, or its titles,
// read after the quiet, have said so for 10 s: a title is 5 to 10 s old (P54).
// They are read once a second, and only while it drains.
func (s *supervisor) isDrained(p *process, now time.Time) bool {
	if p.drained || p.titleAt.IsZero() || now.Before(p.titleAt) {
		return p.drained
	}
	p.titleAt = now.Add(titleEvery)
	switch {
	case !s.titleIsIdle(p, now):
		p.idle = time.Time{}
	case p.idle.IsZero():
		p.idle = now
	case now.Sub(p.idle) >= titleAge:
		p.drained = true
		s.touch()
	}
	return p.drained
}

// titleIsIdle tells whether a title in p's tree says that it stops and has
// nothing in hand.
func (s *supervisor) titleIsIdle(p *process, now time.Time) bool {
	for _, k := range s.family(p, now) {
		title, err := s.Kernel.Title(k.PID)
		if err != nil {
			continue
		}
		if busy, _, stopping, ok := Busy(strings.Join(title, " ")); ok {
			return stopping && busy == 0
		}
	}
	return false
}

// lookAgain looks whether one that boots hears its quiet signal by now.
func (s *supervisor) lookAgain(p *process, now time.Time) {
	p.owed = false
	if targets, _ := s.hearers(p, now); len(targets) > 0 {
		s.quiet(p, p.cause, now)
		s.say(Info, p, "has booted; sent %s after all", SignalName(p.line.quiet))
		return
	}
	p.owed = true
	p.lookGap = min(2*p.lookGap, mostLook)
	p.lookAt = now.Add(p.lookGap)
}

// thaw continues what the quiet signal stopped although it seemed to catch it
// (P47). It is the only CONT between the quiet and the stop signal (P46).
func (s *supervisor) thaw(p *process) {
	for _, pid := range p.quieted {
		if sight, err := s.Kernel.Look(pid); err == nil && sight.State == 'T' {
			_ = s.Kernel.Signal(pid, unix.SIGCONT)
			s.say(Warn, p, "pid %d (%s) was frozen by the quiet signal %s instead of catching it, and was continued; set --quiet-signal none",
				pid, sight.Comm, SignalName(p.line.quiet))
		}
	}
	p.frozenAt, p.quieted = time.Time{}, nil
}

// saysDrained tells whether a STATUS= says that no work is left.
func saysDrained(status string) bool {
	return strings.EqualFold(strings.TrimSpace(status), "drained")
}
