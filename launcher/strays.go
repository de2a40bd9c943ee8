package launcher

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

const (
	seekGap  = 20 * time.Millisecond // between two looks for strays
	sweepGap = 10 * time.Millisecond // between two sweeps at the end
)

// stray is an adopted process that is no slot's: daemonised, left behind by
// its parent, or inherited from before an exec.
type stray struct {
	sight  Sight
	leader int       // the process in whose session it is, or was
	origin string    // of a daemon with a session of its own: the slot that it descends from
	told   bool      // it has TERM
	killAt time.Time // zero: it is left alone
	killed bool
}

func (st *stray) deadline() time.Time {
	if st.killed {
		return time.Time{}
	}
	return st.killAt
}

// seekSoon has strays looked for, now and then, not at every single end.
func (s *supervisor) seekSoon(now time.Time) {
	if s.seekAt.IsZero() {
		s.seekAt = now
		if next := s.lastSeek.Add(seekGap); next.After(now) {
			s.seekAt = next
		}
	}
}

// leftBehind notes that the leader of a session has ended. What it left in its
// session is told to end; the replacement does not wait for that. Where it was to
// end, its daemons are too, those included that its end has made orphans.
func (s *supervisor) leftBehind(p *process, now time.Time) {
	wanted := p.next != byPolicy || p.state >= Stopping
	if wanted && s.stopping == nil {
		s.seek(now)
	}
	for _, st := range s.strays {
		if st.leader == p.pid || wanted && s.comesFrom(st, p) {
			s.dismiss(st, s.window(now))
		}
	}
	s.seekSoon(now)
}

// window is the plan of a stop that begins now, or of the stop that is on.
func (s *supervisor) window(now time.Time) plan {
	if s.stopping != nil {
		return s.stopping.plan
	}
	return newPlan(now, s.Budget, s.QuietFor)
}

// seek looks at our children for those that are no slot's.
func (s *supervisor) seek(now time.Time) {
	s.seekAt, s.lastSeek = time.Time{}, now
	children, err := s.Kernel.Children(0, 1)
	if err != nil {
		if !s.lostSight {
			s.lostSight = true
			s.say(Warn, nil, "cannot look at processes: %v; without /proc there is no quiet phase (unless --quiet-signal says which), and strays are found only at the end", err)
		}
		return
	}
	for _, pid := range children {
		if _, asks := s.probes.commands[pid]; asks || s.running[pid] != nil || s.strays[pid] != nil {
			continue
		}
		sight, err := s.Kernel.Look(pid)
		if err != nil || sight.State == 'Z' || sight.State == 'X' {
			continue
		}
		st := &stray{sight: sight, leader: sight.Session}
		s.strays[pid] = st
		s.judge(st, now)
	}
}

// judge decides what becomes of a stray that was just found. One in the
// session of a process that runs goes with that; one whose session lost its
// leader was left behind; a daemon with a session of its own stays until the
// slot that it comes from is stopped, or everything is; a probe's does not stay.
func (s *supervisor) judge(st *stray, now time.Time) {
	leader := s.running[st.leader]
	if leader == nil && st.leader == st.sight.PID {
		st.origin = s.Kernel.Origin(st.sight.PID)
		if p := s.slot(st.origin); p != nil && (p.runs() || s.stopping != nil) {
			leader = p
		}
	}
	switch {
	case s.stopping != nil && s.stopping.dismissed:
		s.dismiss(st, s.stopping.plan)
	case st.origin == fromProbe: // one for each question would pile up
		s.dismiss(st, s.window(now))
	case leader != nil && leader.state == Killed:
		st.killAt = now
	case leader != nil && (leader.state == Stopping || !leader.runs()):
		s.dismiss(st, s.window(now))
	case leader != nil, st.leader == st.sight.PID, st.leader == s.session:
		return
	default:
		s.dismiss(st, s.window(now))
	}
}

// dismiss sends a stray TERM and CONT, and has it killed with the plan.
func (s *supervisor) dismiss(st *stray, by plan) {
	st.killAt = soonest(st.killAt, by.kill)
	if st.told {
		return
	}
	st.told = true
	s.say(Info, nil, "stray pid %d (%s) was left behind; sent TERM", st.sight.PID, st.sight.Comm)
	pids := []int{st.sight.PID}
	for _, pid := range s.below(st.sight.PID) {
		if sight, err := s.Kernel.Look(pid); err == nil && sight.Session == st.sight.Session {
			pids = append(pids, pid)
		}
	}
	s.send(nil, pids, unix.SIGTERM)
	s.send(nil, pids, unix.SIGCONT)
}

// sendStrays tells the strays of p's session to end with it, and the daemons
// that left it.
func (s *supervisor) sendStrays(p *process, now time.Time) {
	for _, st := range s.strays {
		if st.leader == p.pid || s.comesFrom(st, p) {
			s.dismiss(st, s.window(now))
		}
	}
}

// dismissDaemons tells the daemons of a slot where nothing runs to end with it.
func (s *supervisor) dismissDaemons(p *process, now time.Time) {
	s.seek(now)
	for _, st := range s.strays {
		if s.comesFrom(st, p) {
			s.dismiss(st, s.window(now))
		}
	}
}

// comesFrom tells whether a daemon descends from p. The processes of one slot
// have the same name: what was there before the newer one is the older one's.
func (s *supervisor) comesFrom(st *stray, p *process) bool {
	if st.origin != p.name || st.sight.Start < p.ticks {
		return false
	}
	for _, q := range s.processes {
		if q != p && q.name == p.name && q.ticks > p.ticks && q.ticks <= st.sight.Start {
			return false
		}
	}
	return true
}

// tellApart notes when p was started, where there is another of its slot.
func (s *supervisor) tellApart(p *process) {
	for _, q := range s.processes {
		if q == p || q.name != p.name {
			continue
		}
		if sight, err := s.Kernel.Look(p.pid); err == nil {
			p.ticks = sight.Start
		}
		return
	}
}

// killStrays kills the strays of p's session with it.
func (s *supervisor) killStrays(p *process, now time.Time) {
	for _, st := range s.strays {
		if st.leader == p.pid {
			st.killAt = now
		}
	}
}

// dismissDue kills the strays whose time is over.
func (s *supervisor) dismissDue(now time.Time) {
	for pid, st := range s.strays {
		if st.killAt.IsZero() || st.killed || now.Before(st.killAt) {
			continue
		}
		st.killed = true
		if sight, err := s.Kernel.Look(pid); err == nil && sight.State == 'Z' {
			continue
		}
		s.say(Warn, nil, "stray pid %d (%s) has not ended; KILL", pid, st.sight.Comm)
		s.send(nil, append(s.below(pid), pid), unix.SIGKILL)
		s.seekSoon(now)
	}
}

// dismissAll tells every stray to end: no slot's process is left.
func (s *supervisor) dismissAll(now time.Time) {
	s.seek(now)
	for _, st := range s.strays {
		s.dismiss(st, s.stopping.plan)
	}
}

// processesLeft are the children that we still have, seen by /proc, or unknown
// ones where only wait(2) knows that there are some.
func (s *supervisor) processesLeft() []int {
	if _, err := s.Kernel.Peek(); errors.Is(err, unix.ECHILD) {
		return nil
	}
	children, err := s.Kernel.Children(0, 1)
	if err != nil {
		return []int{0}
	}
	return children
}

// sweep kills whatever is left, again and again until wait says ECHILD: as
// PID 1 with one kill(-1), else every descendant one by one (DESIGN 3).
func (s *supervisor) sweep(now time.Time) {
	if !s.stopping.swept.IsZero() && now.Sub(s.stopping.swept) < sweepGap {
		return
	}
	first := s.stopping.swept.IsZero()
	s.stopping.swept = now
	if first {
		s.stopping.plan = s.stopping.sweptAt(now)
	}
	left := s.processesLeft()
	if len(left) == 0 {
		return
	}
	s.stopping.killed = true
	if s.PID1 && s.Kernel.Everyone(unix.SIGKILL) == nil {
		return
	}
	pids := s.below(0)
	if first && len(pids) > len(s.running) {
		s.say(Warn, nil, "sweeping %d processes with KILL", len(pids))
	}
	if first {
		s.send(nil, pids, unix.SIGKILL)
		return
	}
	for _, pid := range pids { // what cannot be killed was said, and is named at the end
		_ = s.Kernel.Signal(pid, unix.SIGKILL)
	}
}
