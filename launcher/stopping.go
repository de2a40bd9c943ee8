package launcher

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// pushAfter is when a shell that sits on the stop signal is passed by.
const pushAfter = 2 * time.Second

// reapBetween is after how many of the second half of the processes that are told
// to end those are reaped that have ended already: so our own end follows the last
// one's. From the first on it would only hold up the signals.
const reapBetween = 8

// stopAll stops everything by the plan of DESIGN 3. A second time it means
// nothing more: platforms send TERM twice.
func (s *supervisor) stopAll(now time.Time, why string) {
	if s.stopping != nil {
		return
	}
	p := newPlan(now, s.Budget, s.QuietFor)
	if s.isBroadcast(now) {
		p.broadcast = true
		why += ", which the platform sends to every process"
	}
	s.begin(now, p, why)
}

// begin puts every process on its way down. Nothing is started any more.
func (s *supervisor) begin(now time.Time, p plan, why string) {
	s.stopping = &stopping{plan: p, why: why}
	s.Stops()
	if len(s.running) > 0 {
		s.say(Info, nil, "stopping: %s; budget %s", why, p.end.Sub(now))
	}
	s.roll = nil
	s.seek(now)
	for i, q := range s.processes {
		if i > len(s.processes)/2 && i%reapBetween == 0 {
			s.reap(now)
		}
		switch {
		case q.runs():
			s.down(q, p, why, stayDown, now)
		case q.state == Waiting:
			s.move(q, Down, Info, "not started any more", now)
		}
	}
	if n := s.stopping.unheard; n > 0 {
		s.say(Info, nil, "no quiet phase for %d of %d processes: they hear no quiet signal", n, len(s.processes))
	}
}

// isBroadcast tells whether the platform sends TERM to every process itself:
// as configured, or because a worker ended by, or spoke of stopping after, a
// TERM that was not ours within the second before.
func (s *supervisor) isBroadcast(now time.Time) bool {
	if s.Broadcast != BroadcastAuto {
		return s.Broadcast == BroadcastYes
	}
	recent := func(t time.Time) bool { return !t.IsZero() && now.Sub(t) <= time.Second }
	if recent(s.lastAsked) {
		return true
	}
	for _, p := range s.processes {
		if recent(p.said) {
			return true
		}
	}
	return false
}

// down puts one process on its way down: quiet signal, stop signal, KILL, by
// the plan. It may be on its way already.
func (s *supervisor) down(p *process, by plan, why string, then next, now time.Time) {
	p.next = then
	if s.stopping == nil {
		s.seek(now)
	}
	if by.broadcast {
		by = by.heard(p.spec.Server.Again)
	}
	switch {
	case p.state == Killed:
	case p.state == Stopping:
		p.plan = p.plan.earlier(by)
	case p.state == Quieting && p.plan.kill.IsZero(): // quieted before, for good
		p.plan, p.cause = by.without(now), why
		if p.owed || by.broadcast { // a second TERM may mean "now"
			p.plan = by
		}
	case p.state == Quieting:
		p.plan = p.plan.earlier(by)
		if by.broadcast {
			p.plan.term = by.term // its first TERM it has
		}
	case by.broadcast:
		p.plan, p.cause = by, why
		s.move(p, Quieting, Info, why, now)
	case !by.quiet || !s.quiet(p, why, now):
		if by.quiet && s.stopping != nil {
			s.stopping.unheard++
		}
		p.plan, p.cause = by.without(now), why
		s.term(p, now)
	default:
		p.plan, p.cause = by, why
	}
}

// descend does what is due of the way down of one process.
func (s *supervisor) descend(p *process, now time.Time) {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch {
	case p.state == Killed:
		return
	case due(p.plan.kill):
		s.kill(p, now)
		return
	case p.state == Quieting && due(p.plan.term):
		s.term(p, now)
		return
	case p.state == Quieting && s.isDrained(p, now) && (p.old || !p.leftAt.IsZero() || !p.plan.kill.IsZero()):
		s.goOn(p, now)
		return
	}
	if due(p.sayAt) {
		s.sayDrains(p, now)
	}
	if p.owed && due(p.lookAt) {
		s.lookAgain(p, now)
	}
	if due(p.frozenAt) {
		s.thaw(p)
	}
	if due(p.pushAt) {
		s.push(p, now)
	}
}

// term sends the stop signal, and CONT so that a stopped process gets it (P19).
func (s *supervisor) term(p *process, now time.Time) {
	sig := s.stopSignal(p)
	targets := s.stopTargets(p, sig, now)
	s.send(p, targets, sig)
	s.send(p, targets, unix.SIGCONT)
	for _, k := range s.family(p, now) { // one that the quiet signal froze a moment ago
		if k.State == 'T' && slices.Contains(p.quieted, k.PID) {
			s.send(p, []int{k.PID}, unix.SIGCONT)
		}
	}
	s.sendStrays(p, now)
	p.targets, p.pushAt, p.surprised = targets, now.Add(pushAfter), !p.proved
	p.owed, p.frozenAt, p.quieted = false, time.Time{}, nil
	p.line.stopped, p.line.stop = now, sig
	s.move(p, Stopping, Info, p.cause+"; sent "+SignalName(sig), now)
}

// push moves a stop on where it is stuck after 2 s: past a shell with a trap,
// which waits for what it runs (P40); up to the child itself, where what was
// below it has ended and it has not followed; or the same way once more, where
// the signal found it booting and a second one does no harm: puma before 6.0
// rescues what comes while it sets its traps.
func (s *supervisor) push(p *process, now time.Time) {
	p.pushAt = time.Time{}
	sight, err := s.Kernel.Look(p.pid)
	if err != nil {
		return
	}
	children, _ := s.Kernel.Children(p.pid, 0)
	switch {
	case p.targets[0] != p.pid && !s.anyRuns(p.targets):
		s.say(Info, p, "has not ended although what it ran has; it gets %s itself", SignalName(p.line.stop))
		children = []int{p.pid}
	case p.targets[0] == p.pid && len(children) > 0 && s.lookedThrough(sight):
		s.say(Info, p, "the shell has not ended 2 s after %s; what it runs gets it too", SignalName(p.line.stop))
	case p.surprised && p.spec.Server.Again:
		s.say(Info, p, "was booting when it got %s, and goes on; it gets it again", SignalName(p.line.stop))
		children = s.stopTargets(p, p.line.stop, now) // its own may be gone, and their pids another's
	default:
		return
	}
	s.send(p, children, p.line.stop)
	s.send(p, children, unix.SIGCONT)
}

// anyRuns tells whether one of pids still runs.
func (s *supervisor) anyRuns(pids []int) bool {
	for _, pid := range pids {
		if sight, err := s.Kernel.Look(pid); err == nil && sight.State != 'Z' {
			return true
		}
	}
	return false
}

// kill ends p and all that is below it, the deepest last so that nothing can
// be adopted away unseen; the strays of its session follow when they are seen.
func (s *supervisor) kill(p *process, now time.Time) {
	lost := s.workInHand(p)
	if lost != "" {
		s.counters.of(p.spec.Type).KilledBusy++
	}
	why := p.cause + "; KILL, as its time was over" + lost
	s.send(p, s.below(p.pid), unix.SIGKILL)
	s.send(p, []int{p.pid}, unix.SIGKILL)
	s.killStrays(p, now)
	p.owed, p.frozenAt, p.pushAt = false, time.Time{}, time.Time{}
	p.line.killed = now
	if s.stopping != nil {
		s.stopping.killed = true
	}
	s.move(p, Killed, Warn, why, now)
}

// workInHand names what is lost, by the server's own title.
func (s *supervisor) workInHand(p *process) string {
	if !p.spec.Server.Titles {
		return ""
	}
	for _, pid := range append([]int{p.pid}, s.below(p.pid)...) {
		title, err := s.Kernel.Title(pid)
		if err != nil {
			continue
		}
		if busy, _, _, ok := Busy(strings.Join(title, " ")); ok && busy > 0 {
			return fmt.Sprintf(": killed with %d jobs running (its own title): its timeout is longer than the budget; set --budget, or sidekiq -t $STOP_TIMEOUT", busy)
		}
	}
	return ""
}

// send signals each of pids; one that is gone by now is no error.
func (s *supervisor) send(p *process, pids []int, sig unix.Signal) {
	for _, pid := range pids {
		if err := s.Kernel.Signal(pid, sig); err != nil && err != unix.ESRCH {
			s.say(Error, p, "cannot send %s to pid %d: %v", SignalName(sig), pid, err)
		}
	}
}

// stopDue does what the stop of everything is due beyond its processes: the
// strays once no process is left, and the sweep.
func (s *supervisor) stopDue(now time.Time) {
	if len(s.running) == 0 && !s.stopping.dismissed && len(s.processesLeft()) > 0 {
		s.stopping.dismissed = true
		s.dismissAll(now)
	}
	if !now.Before(s.stopping.kill) {
		s.sweep(now)
	}
}

// stopDeadline is when stopDue has something to do next.
func (s *supervisor) stopDeadline(now time.Time) time.Time {
	if now.Before(s.stopping.kill) {
		return s.stopping.kill
	}
	return soonest(s.stopping.swept.Add(sweepGap), s.stopping.end)
}

// conclude is the end of all: the time line, and the exit status.
func (s *supervisor) conclude(now time.Time) Result {
	s.announce(now) // it may have begun in this turn
	st := s.stopping
	var left []string
	for _, p := range s.processes {
		if p.runs() {
			left = append(left, s.nameLeft(p.name, p.pid))
		}
	}
	for pid := range s.strays {
		left = append(left, s.nameLeft("a stray", pid))
	}
	if len(left) > 0 {
		s.say(Error, nil, "not to be killed within the budget, and left behind: %s", strings.Join(left, ", "))
		st.killed = true
	}
	if line := timeline(s.processes, st.begin); line != "" {
		s.say(Info, nil, "stopped in %.2fs (%s): %s", now.Sub(st.begin).Seconds(), st.why, line)
	}
	return Result{Status: s.status(), Reason: st.why}
}

// status is the exit status of DESIGN 3.
func (s *supervisor) status() int {
	switch {
	case s.stopping.status != 0:
		return s.stopping.status
	case s.stopping.byItself:
		return s.failure
	case s.OwnStatus && len(s.running) == 0 && len(s.processes) > 0 && s.processes[0].spec.Restart != RestartAlways:
		return s.failure
	case s.stopping.killed:
		return 3
	}
	return 0
}

// nameLeft describes what even KILL did not end: its state tells why.
func (s *supervisor) nameLeft(name string, pid int) string {
	sight, err := s.Kernel.Look(pid)
	if err != nil {
		return fmt.Sprintf("%s (pid %d)", name, pid)
	}
	return fmt.Sprintf("%s (pid %d, %s, state %c)", name, pid, sight.Comm, sight.State)
}
