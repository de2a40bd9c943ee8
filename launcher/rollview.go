package launcher

import (
	"fmt"
	"time"

	"dyno/preboot"
)

// view is the roll as its policy sees it.
func (s *supervisor) view(r *roll, now time.Time) preboot.Restart {
	v := preboot.Restart{Draining: s.draining(now), Replaced: r.replaced, Force: r.force, Back: r.back}
	done := 0
	for _, st := range r.steps {
		if p := s.slot(st.name); p != nil && !st.begun { // a resume may have given it another
			st.before, st.old = p, p.spec
		}
		st.refresh(now)
		one := st.view()
		if r.why != "" {
			one.ReadyTimeout = 0 // it is there when it is there
		}
		if one.Done() {
			done++
		}
		v.Slots = append(v.Slots, one)
	}
	if r.done != done {
		r.done = done
		s.touch()
	}
	return v
}

// refresh notes what a step must not forget.
func (st *step) refresh(now time.Time) {
	if !st.begun {
		return
	}
	if st.alone && st.since.IsZero() && st.after.spec == st.new {
		st.since = now // the old one is gone: its time begins
	}
	st.proved = st.proved || st.isReady()
}

// isReady tells whether the new process has proved itself, or done what it was
// for.
func (st *step) isReady() bool {
	p := st.after
	if p == nil || p.spec != st.new {
		return false
	}
	return p.proved && p.working() || p.state == Down && !p.gone
}

func (st *step) view() preboot.Slot {
	v := preboot.Slot{
		Name: st.name, Type: st.spec().Type, Old: st.oldOne(), New: st.newOne(), Why: st.failed, Since: st.since,
		Alone: st.inPlace(), Goes: st.new == nil, Begun: st.begun, Passed: st.passed,
		Surge: st.spec().Surge, MaxDraining: st.spec().MaxDraining, ReadyTimeout: st.spec().readyTimeout(),
	}
	return v
}

// spec is the one whose settings count.
func (st *step) spec() *Spec {
	if st.new != nil {
		return st.new
	}
	return st.old
}

// inPlace tells whether the new process follows the old one: it cannot stand
// beside it, or nothing runs that it could stand beside.
func (st *step) inPlace() bool {
	if st.begun {
		return st.alone
	}
	p := st.before
	if st.new == nil || p == nil {
		return false
	}
	return st.alone || st.new.Surge == 0 || st.new.Interactive || p.spec.Interactive || !p.runs()
}

func (st *step) oldOne() preboot.Old {
	p := st.before
	switch {
	case p == nil, p.gone, p.state == Down, st.alone && (p.spec != st.old || !p.runs()):
		return preboot.Absent
	case p.state >= Quieting:
		return preboot.Leaving
	}
	return preboot.Serving
}

func (st *step) newOne() preboot.New {
	p := st.after
	switch {
	case st.failed != "":
		return preboot.Failed
	case st.proved:
		return preboot.Ready
	case p == nil, p.spec != st.new:
		return preboot.None
	}
	return preboot.Booting
}

// draining are the old processes that finish their work.
func (s *supervisor) draining(now time.Time) []preboot.Draining {
	var all []preboot.Draining
	soon := now.Add(s.Budget - reserve(s.Budget))
	for _, p := range s.processes {
		if !p.old || !p.runs() || p.state < Quieting {
			continue
		}
		all = append(all, preboot.Draining{
			ID: p.pid, Type: p.spec.Type, Label: fmt.Sprintf("%s (old, pid %d)", p.name, p.pid), Since: p.leftSince(),
			Stopped: p.state == Killed || !p.plan.kill.IsZero() && !p.plan.kill.After(soon),
		})
	}
	return all
}

// rollDeadline is when the restart needs the loop although nothing happens.
func (s *supervisor) rollDeadline() time.Time {
	if s.roll == nil {
		return time.Time{}
	}
	return s.roll.next
}

// restartWords say how far a restart is, or why the last one was aborted.
func (s *supervisor) restartWords() string {
	if s.restarts.follow {
		return s.rollWords() + "; another one follows"
	}
	return s.rollWords()
}

func (s *supervisor) rollWords() string {
	r := s.roll
	switch {
	case s.restarts.reading:
		return "restarting: reading the new generation"
	case r != nil && r.why != "":
		return fmt.Sprintf("replacing %s: %s", r.steps[0].name, r.why)
	case r != nil && r.back:
		return "aborted: " + s.restarts.aborted + "; going back"
	case r != nil && !r.replaced.IsZero():
		return fmt.Sprintf("restarting: %d of %d; the new processes prove themselves for %s", r.done, len(r.steps), preboot.Proving)
	case r != nil && r.waits != "":
		return fmt.Sprintf("restarting: %d of %d; %s", r.done, len(r.steps), r.waits)
	case r != nil:
		return fmt.Sprintf("restarting: %d of %d", r.done, len(r.steps))
	case s.restarts.aborted != "":
		return "aborted: " + s.restarts.aborted
	}
	return ""
}
