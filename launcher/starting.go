package launcher

import (
	"errors"
	"fmt"
	"time"

	"dyno/internal/notify"

	"golang.org/x/sys/unix"
)

// startDue starts what is to be started now, a few each turn.
func (s *supervisor) startDue(now time.Time) {
	if s.stopping != nil {
		return
	}
	started, waiting := 0, false
	for _, p := range s.processes {
		if p.state != Waiting {
			continue
		}
		if p.startAt.After(now) {
			waiting = waiting || p.started.IsZero()
			continue
		}
		if started == startsPerTurn {
			s.more = true
			return
		}
		started++
		s.start(p, now)
	}
	if !s.settled && !waiting {
		s.settled = true
		if s.Settled != nil {
			s.Settled()
		}
	}
}

func (s *supervisor) start(p *process, now time.Time) {
	pid, err := s.startIn(p)
	if err != nil {
		s.startFailed(p, err, now)
		return
	}
	p.pid, p.started, p.upAt = pid, now, now.Add(upIsReady)
	p.line, p.done = lifeline{exit: p.line.exit}, false // how the last one ended is told still
	p.beginProbes(now)
	s.running[pid] = p
	s.counters.of(p.spec.Type).Starts++
	s.tellApart(p)
	s.move(p, Starting, Info, "started", now)
}

// startFailed tells a start that cannot work (ENOENT, EACCES, …: a failed try)
// from one that may a moment later (P31).
func (s *supervisor) startFailed(p *process, err error, now time.Time) {
	p.started, p.line = now, lifeline{exit: err.Error()}
	s.counters.of(p.spec.Type).FailedStarts++
	if scarce(err) {
		_, wait := tries{again: p.tries.again}.ended(now, 0, true, s.luck())
		p.tries.again++
		p.startAt = now.Add(max(wait, firstBackoff))
		s.move(p, Waiting, Warn, fmt.Sprintf("cannot be started just now: %v%s", err, scarceRemedy(err)), now)
		return
	}
	status := 126
	if errors.Is(err, unix.ENOENT) {
		status = 127
	}
	why := fmt.Sprintf("cannot be started: %v", err)
	if p.spec.Restart == RestartNever {
		s.final(p, false, status, Error, why, now)
		return
	}
	var wait time.Duration
	p.tries, wait = p.tries.ended(now, 0, false, s.luck())
	s.again(p, wait, Error, why, now)
	s.rollEnded(p, false, now)
	s.giveUpIfHopeless(p, now)
}

// scarce tells the errors that want of something caused, not the command.
func scarce(err error) bool {
	for _, e := range []error{unix.EAGAIN, unix.ENOMEM, unix.EMFILE, unix.ENFILE, unix.ETXTBSY, unix.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func scarceRemedy(err error) string {
	switch {
	case errors.Is(err, unix.EAGAIN):
		return " (the limit of processes: ulimit -u, pids.max); tried again"
	case errors.Is(err, unix.ENOMEM):
		return " (memory); tried again"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		return " (the limit of open files: ulimit -n); tried again"
	}
	return "; tried again"
}

// ready tells that a process has proved itself.
func (s *supervisor) ready(p *process, why string, now time.Time) {
	if p.proved {
		return
	}
	p.proved = true
	s.worked[p.spec.Type] = true
	p.tries.failed, p.tries.firstBad = 0, time.Time{}
	p.beginLive(now)
	if p.state == Starting {
		s.move(p, Ready, Info, why, now)
	}
}

// isUp takes a process that has been up for 10 s for ready. A server that
// should say READY=1 is ready when it hears its quiet signal: Sidekiq before
// 6.0 says nothing (DESIGN 6). Until then it is looked at every 10 s.
func (s *supervisor) isUp(p *process, now time.Time) {
	if p.spec.Ready != nil {
		s.ready(p, "up for "+p.spec.Ready.Up.String(), now)
		return
	}
	if !p.spec.Server.Notifies {
		s.ready(p, "up for 10 s", now)
		return
	}
	if targets, sig := s.hearers(p, now); len(targets) > 0 {
		s.ready(p, "it catches "+SignalName(sig), now)
		return
	}
	p.upAt = now.Add(upIsReady)
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
	then, fresh, proved, asked, code := p.next, p.fresh, p.proved, p.state >= Quieting, exit.Code()
	if p.lost {
		asked, code = false, max(code, 1)
	}
	s.endProbes(p, now)
	p.ended()
	switch {
	case s.OwnStatus && s.stopping != nil:
		s.settle(p, exit.Code(), level, why, now)
	case !asked && !s.returns(p, exit):
		s.final(p, proved, code, level, why, now)
	case then == remove:
		s.move(p, Down, level, why, now)
		if s.stopping == nil {
			s.drop(p)
		}
	case s.stopping != nil, s.quietAll && then == byPolicy, then == stayDown:
		s.move(p, Down, level, why, now)
		p.next = then // until it is told to start
		if !asked && s.stopping == nil {
			s.rollEnded(p, proved, now)
		}
	case then == startNow:
		if fresh != nil {
			p.spec = fresh
		}
		p.tries, p.startAt = tries{}, now
		s.move(p, Waiting, level, why, now)
	default:
		p.restarts++
		s.counters.of(p.spec.Type).Restarts++
		s.again(p, p.startAt.Sub(now), level, why, now)
		s.rollEnded(p, proved, now)
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
// why, the OOM killer's.
func (s *supervisor) causeOfDeath(p *process, exit Exit) (Level, string) {
	switch {
	case p.state == Killed:
		return Info, exit.String()
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

// interactive tells whether p has, or had, the terminal.
func (s *supervisor) interactive(p *process) bool { return p.spec.Interactive && s.Terminal }

// say logs one message, of a process or (nil) of the launcher itself.
func (s *supervisor) say(level Level, p *process, format string, args ...any) {
	e := Event{Time: time.Now(), Level: level, Text: fmt.Sprintf(format, args...)}
	if p != nil {
		e.Process, e.PID = p.name, p.pid
	}
	s.Log(e)
}

// startIn starts p in its generation's directory or, where that is gone, in
// what its name leads to now (DESIGN 4).
func (s *supervisor) startIn(p *process) (int, error) {
	pid, err := s.Kernel.Start(p.spec)
	if no := new(NoDirError); p.spec.DirName != p.spec.Dir && p.spec.DirName != "" && errors.As(err, &no) {
		moved := *p.spec
		moved.Dir = moved.DirName
		s.say(Warn, p, "its directory %s is gone; started in %s as it is now", p.spec.Dir, moved.Dir)
		return s.Kernel.Start(&moved)
	}
	return pid, err
}
