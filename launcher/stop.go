package launcher

import "time"

// plan is the timetable of one stop, planned backwards from its end (DESIGN 3):
//
//	begin       the quiet signal, where it is heard
//	term        the stop signal, then CONT
//	kill        KILL to whatever is left
//	end         nothing is waited for any more
type plan struct {
	begin, term, kill, end time.Time

	quiet     bool // there is a quiet phase
	broadcast bool // the platform has sent TERM to every process itself
}

// The budget's default and least, and what is kept of it for the sweep.
const (
	DefaultBudget = 10 * time.Second
	LeastBudget   = 2 * time.Second
	mostReserve   = 500 * time.Millisecond
	mostQuiet     = 500 * time.Millisecond
)

// newPlan plans a stop that begins now. A negative quietFor stands for its
// default, min(500 ms, budget/5).
func newPlan(now time.Time, budget, quietFor time.Duration) plan {
	return plan{
		begin: now,
		term:  now.Add(quietPhase(budget, quietFor)),
		kill:  now.Add(budget - reserve(budget)),
		end:   now.Add(budget),
		quiet: true,
	}
}

// without gives the plan that has no quiet phase: the stop signal is due at once.
func (p plan) without(now time.Time) plan {
	p.quiet = false
	if p.term.After(now) {
		p.term = now
	}
	return p
}

// heard gives the plan for a platform that has sent TERM to all already. A
// process to which a second one may mean "now" gets ours late: at half of what
// is left (P21).
func (p plan) heard(again bool) plan {
	p.quiet, p.broadcast = false, true
	if !again {
		p.term = p.begin.Add(p.kill.Sub(p.begin) / 2)
	}
	return p
}

// sweptAt gives the plan for a sweep that begins now. Where that is late, because the
// machine or our share of it stood still, what is killed still has half of the
// reserve to go, and is not left behind.
func (p plan) sweptAt(now time.Time) plan {
	if end := now.Add(p.end.Sub(p.kill) / 2); end.After(p.end) {
		p.end = end
	}
	return p
}

// earlier takes the earlier of each of the two plans' deadlines: a process that
// is on its way down already is not given more time by a second reason.
func (p plan) earlier(q plan) plan {
	p.term = soonest(p.term, q.term)
	p.kill = soonest(p.kill, q.kill)
	p.end = soonest(p.end, q.end)
	return p
}

func reserve(budget time.Duration) time.Duration { return min(mostReserve, budget/10) }

func quietPhase(budget, quietFor time.Duration) time.Duration {
	if quietFor < 0 {
		return min(mostQuiet, budget/5)
	}
	return quietFor
}

// StopTimeout is what a child can count on between TERM and KILL, in whole
// seconds and at least 1: the window less a second, or a tenth where that is
// more. It is the STOP_TIMEOUT of DESIGN 3.
func StopTimeout(budget, quietFor time.Duration) int {
	window := Window(budget, quietFor)
	return max(1, int((window-max(time.Second, window/10))/time.Second))
}

// Window is the time from the stop signal to KILL.
func Window(budget, quietFor time.Duration) time.Duration {
	return budget - reserve(budget) - quietPhase(budget, quietFor)
}

// soonest is the earlier of two times; a zero one is none.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
