package launcher

import (
	"fmt"
	"slices"
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
		Quiet: s.quietAll, Restart: s.restartWords(), Asked: s.restarts.asked, Over: s.restarts.over, Aborted: s.restarts.aborted, Adopted: s.adopted,
	}
	if s.stopping != nil {
		st.Stopping, st.StopBy = s.stopping.why, s.stopping.end
	}
	st.Processes = make([]ProcessStatus, 0, len(s.processes))
	for _, p := range s.processes {
		one := p.copied()
		one.Replaced = s.probes.why[p.name]
		if p.old {
			one.Name = s.oldName(p)
		}
		st.Processes = append(st.Processes, one)
	}
	return st
}

// copied is a copy of the slot's state.
func (p *process) copied() ProcessStatus {
	return ProcessStatus{
		Name: p.name, Type: p.spec.Type, Slot: p.spec.Slot, State: p.state, Since: p.since, PID: p.pid,
		Started: p.started, Ready: p.isReady(), Probe: p.probeWords(), Drained: p.drained, Quieted: p.state == Quieting,
		HearsQuiet: !p.hearsNothing, Says: p.status, Restarts: p.restarts, Failed: p.tries.failed, Ended: p.line.exit,
		NextStart: p.startAt, Memory: p.memory, Old: p.old, Done: p.state == Down && p.done, Draining: p.draining(),
		Dir: p.spec.Dir, Revision: p.spec.Revision, Server: p.spec.Server.Name,
	}
}

// oldName is how status calls a process whose slot has another: with its pid
// where the slot has several such.
func (s *supervisor) oldName(p *process) string {
	if slices.ContainsFunc(s.processes, func(q *process) bool { return q != p && q.old && q.name == p.name }) {
		return fmt.Sprintf("%s (old, pid %d)", p.name, p.pid)
	}
	return p.name + " (old)"
}
