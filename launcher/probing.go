package launcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// bootGap is how often at most a process that was never ready is asked by
	// http and tcp; the kubelet, too, asks oftener until then. A command costs
	// more: it has its period.
	bootGap = time.Second
	// mostAnswers bounds the answers that wait for the loop; who comes later waits.
	mostAnswers = 64
)

// answered is what came of one question that was put outside of the loop.
type answered struct {
	number uint64
	err    error // nil: success
}

// probes is what the supervisor knows of all questions. Those of one process are
// its two askings.
type probes struct {
	asked    uint64         // the number of the last question
	answers  chan answered  // of what was dialled
	commands map[int]uint64 // by pid: the question that a command asks
	over     context.Context
	end      func() // … of all questions

	replaced string            // the slot that was last replaced for its live probe
	waits    bool              // another that fails waits for that one to be well
	why      map[string]string // by slot: why that was last done
}

// openProbes makes the supervisor's probes; the questions end with ctx.
func (s *supervisor) openProbes(ctx context.Context) {
	over, end := context.WithCancel(ctx)
	s.probes = probes{
		answers: make(chan answered, mostAnswers), commands: make(map[int]uint64),
		over: over, end: end, why: make(map[string]string),
	}
}

// beginProbes settles when a process that was just started is asked first. Its
// live probe comes when it is ready, or has had its time for that.
func (p *process) beginProbes(now time.Time) {
	p.readiness, p.liveness = asking{probe: p.spec.Ready}, asking{probe: p.spec.Live}
	switch probe := p.spec.Ready; {
	case probe.asks():
		p.readiness.at, p.upAt = now.Add(probe.Delay), time.Time{}
	case probe.notifies():
		p.upAt = time.Time{}
	case probe != nil:
		p.upAt = now.Add(probe.Up)
	}
	if probe := p.spec.Live; probe != nil {
		// Until it is ready it has nothing to fear for so long as a restart, too, waits for it.
		p.liveness.at = now.Add(max(p.spec.readyTimeout(), probe.Delay, p.watchdog()))
	}
}

// beginLive has a process that became ready asked whether it lives.
func (p *process) beginLive(now time.Time) {
	if p.spec.Live == nil {
		return
	}
	p.liveness.at = now.Add(p.watchdog())
	if first := p.started.Add(p.spec.Live.Delay); first.After(p.liveness.at) {
		p.liveness.at = first
	}
}

// watchdog is within what time it has to say WATCHDOG=1; 0: it has no watchdog.
func (p *process) watchdog() time.Duration {
	if !p.spec.Live.notifies() {
		return 0
	}
	if p.watchdogEvery > 0 {
		return p.watchdogEvery
	}
	return p.spec.Live.Timeout
}

// endProbes ends what is under way: the process is told to end, or has ended. A
// draining one is not asked, and not killed by its probes.
func (s *supervisor) endProbes(p *process, now time.Time) {
	for _, a := range []*asking{&p.readiness, &p.liveness} {
		s.cutShort(a, now)
		*a = asking{probe: a.probe}
	}
	p.unready = false
}

// cutShort ends a question that is under way; what still comes of it is dropped.
func (s *supervisor) cutShort(a *asking, now time.Time) {
	if a.cancel != nil {
		a.cancel()
	}
	if a.pid == 0 || a.until.IsZero() {
		return
	}
	s.send(nil, append(s.below(a.pid), a.pid), unix.SIGKILL)
	s.seek(now)
	for _, st := range s.strays {
		if st.leader == a.pid {
			st.killAt = now
		}
	}
}

// probesDue asks whom it is time to ask, a few commands each turn, and replaces
// what is dead.
func (s *supervisor) probesDue(now time.Time) {
	commands := 0
	for _, p := range s.processes {
		if !p.working() {
			continue
		}
		for _, a := range []*asking{&p.readiness, &p.liveness} {
			if !a.until.IsZero() && !now.Before(a.until) {
				s.timeOut(p, a, now)
			}
			if a.at.IsZero() || now.Before(a.at) {
				continue
			}
			if a.probe.Kind == ProbeExec {
				if commands++; commands > startsPerTurn {
					s.more = true
					continue
				}
			}
			s.ask(p, a, now)
		}
	}
	s.replaceDead(now)
}

// ask puts one question, unless the last is still under way.
func (s *supervisor) ask(p *process, a *asking, now time.Time) {
	gap := a.probe.Period
	if !p.proved && a.probe.Kind != ProbeExec {
		gap = min(gap, bootGap)
	}
	a.at = now.Add(gap)
	switch {
	case a.probe.Kind == ProbeNotify:
		a.at = now.Add(p.watchdog())
		a.failed = max(a.failed, a.probe.Failures-1) // once is enough
		s.verdict(p, a, fmt.Sprintf("no WATCHDOG=1 within %s", p.watchdog()), now)
	case a.number != 0 && a.until.IsZero() && now.Before(a.late): // it is going
	case a.number != 0 && a.until.IsZero(): // it was ended, and has not gone
		a.late = now.Add(a.probe.Timeout)
		s.verdict(p, a, "the last question has still not ended", now)
	case a.number != 0:
	case a.probe.Kind == ProbeExec:
		s.askCommand(p, a, now)
	default:
		s.dial(a, now)
	}
}

// beginQuestion notes that a question is under way.
func (s *supervisor) beginQuestion(a *asking, now time.Time) uint64 {
	s.probes.asked++
	a.number, a.until = s.probes.asked, now.Add(a.probe.Timeout)
	return a.number
}

// dial puts a question outside of the loop: its answer is a message.
func (s *supervisor) dial(a *asking, now time.Time) {
	number := s.beginQuestion(a, now)
	ctx, cancel := context.WithCancel(s.probes.over)
	a.cancel = cancel
	dial, probe, kernel, answers := s.Ask, a.probe, s.Kernel, s.probes.answers
	go func() {
		err := dial(ctx, probe)
		cancel()
		select {
		case answers <- answered{number, err}:
			kernel.Wake()
		case <-s.probes.over.Done():
		}
	}()
}

// askCommand starts a command that asks.
func (s *supervisor) askCommand(p *process, a *asking, now time.Time) {
	env := a.probe.Env
	if env == nil {
		env = p.spec.Env
	}
	pid, err := s.Kernel.Start(&Spec{
		Type: p.spec.Type, Slot: p.spec.Slot, Argv: a.probe.Argv, Env: env, Dir: p.spec.Dir,
		StopSignal: unix.SIGKILL, Mute: true,
	})
	if err != nil {
		if !scarce(err) { // else it says nothing of the process
			s.verdict(p, a, "cannot be started: "+err.Error(), now)
		}
		return
	}
	s.probes.commands[pid] = s.beginQuestion(a, now)
	a.pid = pid
}

// timeOut ends a question that has had its time.
func (s *supervisor) timeOut(p *process, a *asking, now time.Time) {
	s.cutShort(a, now)
	a.until, a.late = time.Time{}, now.Add(a.probe.Timeout)
	s.verdict(p, a, fmt.Sprintf("no answer within %s", a.probe.Timeout), now)
}

// takeAnswers takes what came of what was dialled.
func (s *supervisor) takeAnswers(now time.Time) {
	for range mostAnswers {
		select {
		case got := <-s.probes.answers:
			s.takeAnswer(got, now)
		default:
			return
		}
	}
	s.more = true
}

// commandEnded takes what came of a command that asks. False: pid is none.
func (s *supervisor) commandEnded(pid int, exit Exit, last []string, now time.Time) bool {
	number, ok := s.probes.commands[pid]
	if !ok {
		return false
	}
	delete(s.probes.commands, pid)
	s.seekSoon(now) // what it left behind is told to end
	got := answered{number: number}
	if exit.Code() != 0 {
		words := exit.String()
		for _, line := range last {
			words += ": " + line
		}
		got.err = errors.New(words)
	}
	s.takeAnswer(got, now)
	return true
}

// takeAnswer takes one answer. One to nobody's question is dropped: the process
// that was asked has gone, or been told to.
func (s *supervisor) takeAnswer(got answered, now time.Time) {
	for _, p := range s.processes {
		for _, a := range []*asking{&p.readiness, &p.liveness} {
			if a.number != got.number {
				continue
			}
			inTime := !a.until.IsZero()
			a.number, a.until, a.pid, a.cancel = 0, time.Time{}, 0, nil
			switch {
			case !inTime || got.err != nil && scarce(got.err): // counted; or it is our own want
			case got.err != nil:
				s.verdict(p, a, got.err.Error(), now)
			default:
				s.verdict(p, a, "", now)
			}
			return
		}
	}
}

// verdict counts one answer, "" for a success, and says what changes by it.
func (s *supervisor) verdict(p *process, a *asking, failure string, now time.Time) {
	before := a.last
	news := a.count(briefly(failure))
	if a.last != before {
		s.touch()
	}
	if !news {
		return
	}
	s.touch()
	switch live := a == &p.liveness; {
	case live && a.ill:
		s.say(Warn, p, "fails its live probe: %s", a.fails())
	case live:
	case a.well && !p.proved:
		s.ready(p, a.probe.String(), now)
	case a.well && p.unready:
		p.unready = false
		s.say(Info, p, "is ready again: %s", a.probe)
	case a.ill && p.proved:
		p.unready = true
		s.say(Warn, p, "is not ready any more: %s", a.fails())
	}
}

// isReady tells whether it is ready now.
func (p *process) isReady() bool { return p.proved && p.state == Ready && !p.unready }

// probeWords say what a probe of it that fails said last; "": none fails.
func (p *process) probeWords() string {
	switch {
	case p.liveness.ill:
		return "not alive: " + p.liveness.fails()
	case p.unready:
		return "not ready: " + p.readiness.fails()
	case p.state == Starting && p.readiness.last != "":
		return "not ready yet: " + p.readiness.probe.String() + ": " + p.readiness.last
	}
	return ""
}

// watchdogsWell tells whether no process with a watchdog is overdue; one that is
// being replaced already is not counted.
func (s *supervisor) watchdogsWell() bool {
	for _, p := range s.processes {
		if p.working() && p.spec.Live.notifies() && p.liveness.ill {
			return false
		}
	}
	return true
}
