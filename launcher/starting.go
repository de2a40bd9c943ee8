package launcher

import (
	"errors"
	"fmt"
	"time"

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
