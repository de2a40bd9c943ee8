package launcher

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// touch tells that Status is another from now on.
func (s *supervisor) touch() { s.version++ }

// answerWatchers tells those who wait what has changed.
func (s *supervisor) answerWatchers(now time.Time) {
	kept := s.watchers[:0]
	for _, r := range s.watchers {
		if r.Since == s.version {
			kept = append(kept, r)
		} else {
			r.reply <- Reply{Status: s.Status(now)}
		}
	}
	s.watchers = kept
}

// Status is a copy of what the supervisor knows now. All who ask in the same
// turn share one: nobody changes it.
func (s *supervisor) Status(now time.Time) Status {
	if s.shared.Version != s.version || s.shared.PID == 0 {
		s.shared = s.fresh(now)
	}
	return s.shared
}

func (s *supervisor) fresh(now time.Time) Status {
	st := Status{
		Version: s.version, Time: now, PID: unix.Getpid(), Began: s.began,
		Quiet: s.quietAll, Restart: s.restartWords(), Adopted: s.adopted,
	}
	if s.stopping != nil {
		st.Stopping, st.StopBy = s.stopping.why, s.stopping.end
	}
	st.Processes = make([]ProcessStatus, 0, len(s.processes))
	for _, p := range s.processes {
		one := p.copied()
		one.Replaced = s.probes.why[p.name]
		st.Processes = append(st.Processes, one)
	}
	return st
}

// restartWords say how far a restart is, or why the last one was aborted.
func (s *supervisor) restartWords() string {
	switch r := s.roll; {
	case s.reloading:
		return "restarting: reading the new generation"
	case r != nil && r.back:
		return "aborted: " + s.aborted + "; going back"
	case r != nil && r.waiting.IsZero():
		return fmt.Sprintf("restarting: %d of %d", r.at, len(r.steps))
	case s.aborted != "":
		return "aborted: " + s.aborted
	}
	return ""
}

// copied is a copy of the slot's state.
func (p *process) copied() ProcessStatus {
	name := p.name
	if p.old {
		name += " (old)"
	}
	return ProcessStatus{
		Name: name, Type: p.spec.Type, Slot: p.spec.Slot, State: p.state, Since: p.since, PID: p.pid,
		Started: p.started, Ready: p.isReady(), Probe: p.probeWords(), Drained: p.drained, Quieted: p.state == Quieting,
		HearsQuiet: !p.hearsNothing, Says: p.status, Restarts: p.restarts, Failed: p.tries.failed, Ended: p.line.exit,
		NextStart: p.startAt, Memory: p.memory, Old: p.old, Done: p.state == Down && p.done, Draining: p.draining(), Dir: p.spec.Dir, Server: p.spec.Server.Name,
	}
}
