package launcher

import (
	"slices"
	"time"

	"dyno/internal/notify"

	"golang.org/x/sys/unix"
)

// mostAncestors bounds the way up from the sender of a message.
const mostAncestors = 64

// leastWatchdog bounds what a process may ask of us by WATCHDOG_USEC=.
const leastWatchdog = 100 * time.Millisecond

// believes tells whether a message that came by p's socket is taken for p's:
// its sender is p's process, or below it, or left its tree and session but not
// its environment. One that has ended meanwhile (systemd-notify in a script)
// cannot be asked any more and is believed: it had the socket's private path.
func (s *supervisor) believes(p *process, sender int) bool {
	if sender == 0 || sender == p.pid {
		return true
	}
	for pid, n := sender, 0; pid > 1 && n < mostAncestors; n++ {
		sight, err := s.Kernel.Look(pid)
		switch {
		case err != nil && pid == sender && sender > 0:
			return true
		case err != nil:
			pid = 0
		case sight.Session == p.pid, sight.Parent == p.pid:
			return true
		default:
			pid = sight.Parent
		}
	}
	return sender > 0 && s.Kernel.Origin(sender) == p.name
}

// heed takes one note, if it is of whom it should be.
func (s *supervisor) heed(p *process, note Note, now time.Time) {
	if s.believes(p, note.Sender) {
		s.note(p, note.Text, note.Sender, now)
		return
	}
	if !p.stranger {
		p.stranger = true
		s.say(Warn, p, "a message to its NOTIFY_SOCKET came from pid %d, which is none of its processes, and is not taken", note.Sender)
	}
}

// note reads what a child said by sd_notify(3). sender is the process of it that
// did; 0: not known.
func (s *supervisor) note(p *process, text string, sender int, now time.Time) {
	m := notify.Parse(text)
	if m.Ready && !s.isEarly(p, sender, now) {
		if p.spec.Ready == nil || p.spec.Ready.notifies() {
			s.ready(p, "READY=1", now)
		}
		if p.owed {
			p.lookAt = now
		}
		if p.state == Stopping && p.surprised {
			p.pushAt = now // it has not heard it, or it would not speak of being ready
		}
	}
	if m.HasStatus {
		p.status = m.Status
		p.drained = p.drained || p.state == Quieting && saysDrained(m.Status)
		s.touch()
	}
	s.noteWatchdog(p, m, now)
	if m.MainPID != 0 {
		s.noteMain(p, m.MainPID, now)
	}
	if m.Stopping && p.state < Stopping {
		p.said = now
	}
}

// isEarly tells whether a READY=1 is that of a master which says so before it knows
// that its program loads: believed, it would have old processes given up for new
// ones that do not work. Where notify was asked for, it is what was asked for.
func (s *supervisor) isEarly(p *process, sender int, now time.Time) bool {
	return p.spec.Server.Early && p.spec.Ready == nil && slices.Contains(s.stopTargets(p, s.stopSignal(p), now), sender)
}

// noteWatchdog takes what a message says of its sender's watchdog. Without a
// live probe by notify it means nothing.
func (s *supervisor) noteWatchdog(p *process, m notify.Message, now time.Time) {
	if !p.spec.Live.notifies() || !p.working() {
		return
	}
	if m.Every > 0 {
		p.watchdogEvery = max(m.Every, leastWatchdog)
	}
	a := &p.liveness
	switch {
	case m.Trigger:
		a.failed = max(a.failed, a.probe.Failures-1)
		s.verdict(p, a, "it said WATCHDOG=trigger", now)
	case m.Watchdog:
		s.verdict(p, a, "", now)
	case m.Every == 0:
		return
	}
	if next := now.Add(p.watchdog()); p.proved || next.After(a.at) {
		a.at = next
	}
}

// noteMain takes MAINPID=: the process of its tree to which quiet and stop are to
// go. Another's pid is not taken.
func (s *supervisor) noteMain(p *process, pid int, now time.Time) {
	if pid == p.pid {
		p.main = Sight{}
		return
	}
	family := s.family(p, now)
	if i := slices.IndexFunc(family, func(k kin) bool { return k.PID == pid }); i >= 0 {
		p.main = family[i].Sight
		return
	}
	if !p.wrongMain {
		p.wrongMain = true
		s.say(Warn, p, "it said MAINPID=%d, which is none of its processes, and is not taken", pid)
	}
}

// mainPID is the process that p named by MAINPID; 0: none, or it has gone.
func (s *supervisor) mainPID(p *process) int {
	if p.main.PID == 0 {
		return 0
	}
	sight, err := s.Kernel.Look(p.main.PID)
	if err != nil || sight.Start != p.main.Start || sight.State == 'Z' {
		return 0
	}
	return p.main.PID
}

// mainHears is mainPID, where that would hear sig.
func (s *supervisor) mainHears(p *process, sig unix.Signal) int {
	pid := s.mainPID(p)
	if pid == 0 {
		return 0
	}
	if sight, err := s.Kernel.Look(pid); err != nil || !s.hears(sight, sig) {
		return 0
	}
	return pid
}
