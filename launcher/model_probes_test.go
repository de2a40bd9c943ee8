package launcher

import (
	"context"
	"errors"
	"sync"
	"time"

	"pgregory.net/rapid"
)

// asks answers the probes of one run of the model, well or not, late or never.
type asks struct {
	mu      sync.Mutex
	answers []time.Duration // until the answer; a negative one is a failure; drawn in turn
	next    int
	under   map[string]context.Context // of the question to a target that is under way
	broken  string
	last    time.Time
	now     int
}

// drawProbes draws what gives all specs the same kinds of probes.
func drawProbes(r *rapid.T) (*asks, func(*Spec)) {
	a := &asks{under: map[string]context.Context{}}
	for _, ms := range rapid.SliceOfN(rapid.IntRange(-2500, 2500), 1, 12).Draw(r, "answers") {
		a.answers = append(a.answers, time.Duration(ms)*time.Millisecond)
	}
	draw := func(name string, kinds ...ProbeKind) *Probe {
		kind := rapid.SampledFrom(kinds).Draw(r, name)
		if kind == 0 {
			return nil
		}
		p := probe(kind)
		p.Period = time.Duration(rapid.IntRange(1, 5).Draw(r, name+" period")) * time.Second
		p.Timeout = time.Duration(rapid.IntRange(1, 4).Draw(r, name+" timeout")) * time.Second
		p.Failures = rapid.IntRange(1, 3).Draw(r, name+" failures")
		p.Delay = time.Duration(rapid.IntRange(0, 3).Draw(r, name+" delay")) * time.Second
		p.Up = p.Delay
		return p
	}
	ready := draw("ready", 0, ProbeHTTP, ProbeExec, ProbeNotify, ProbeUp)
	live := draw("live", 0, ProbeTCP, ProbeExec, ProbeNotify)
	return a, func(s *Spec) {
		if s.Ready = ready; ready != nil {
			mine := *ready
			mine.Target = s.Name()
			s.Ready = &mine
		}
		if s.Live = live; live != nil {
			mine := *live
			mine.Target = "live " + s.Name()
			s.Live = &mine
		}
	}
}

func (a *asks) draw() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next++
	a.last = time.Now()
	return a.answers[a.next%len(a.answers)]
}

func (a *asks) ask(ctx context.Context, p *Probe) error {
	if err := ctx.Err(); err != nil { // called off before it came to its turn
		return err
	}
	wait := a.draw()
	a.mu.Lock()
	a.now++
	if other := a.under[p.Target]; other != nil && other.Err() == nil { // one that was called off is about to go
		a.broken = "two questions at once to " + p.Target
	}
	a.under[p.Target] = ctx
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.now--
		if a.under[p.Target] == ctx {
			delete(a.under, p.Target)
		}
		a.mu.Unlock()
	}()
	select {
	case <-time.After(wait.Abs()):
	case <-ctx.Done():
		return ctx.Err()
	}
	if wait < 0 {
		return errors.New("answered 503")
	}
	return nil
}

// command is what an exec probe starts: some never end.
func (a *asks) command(*Spec) behaviour {
	wait := a.draw()
	switch {
	case wait < -2*time.Second:
		return behaviour{deaf: true, child: &behaviour{comm: "sleep"}}
	case wait < 0:
		return behaviour{up: -wait, code: 1}
	}
	return behaviour{up: wait + time.Millisecond}
}

func (a *asks) check(r *rapid.T, h *house, stopAt time.Time) {
	switch {
	case a.broken != "":
		r.Fatal(a.broken)
	case a.now != 0 || h.asking != 0:
		r.Fatalf("%d questions and %d commands outlive the stop", a.now, h.asking)
	case !stopAt.IsZero() && a.last.After(stopAt):
		r.Fatal("a question was put after the stop began")
	}
}
