package launcher

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inReplacement runs two workers, of which worker.2 grows; act comes while that
// is replaced for its memory. Whatever it does, the next that grows is replaced
// too, and nobody is lost.
func inReplacement(t *testing.T, after time.Duration, act func(*house)) *house {
	t.Helper()
	limit := func(s *Spec) { s.MaxMemory = 100e6; beside(s) }
	c := Config{Specs: specs("worker", 2, limit)}
	c.Slot = func(typ string, slot int) (Spec, bool) { return specs(typ, slot, limit)[slot-1], true }
	c.Reload = func() (Generation, error) { return Generation{Specs: specs("worker", 2, limit), Slot: c.Slot}, nil }
	return inHouse(t, c, func(s *Spec, nth int) behaviour {
		switch {
		case s.Slot == 2 && nth == 0:
			return growing(5e6)
		case s.Slot == 1 && nth == 0:
			return growing(0.5e6)
		}
		return growing(0)
	}, func(h *house) {
		time.Sleep(24 * time.Second) // at 25 s it is seen
		time.Sleep(after)
		act(h)
		time.Sleep(10 * time.Minute)
	})
}

// Somebody has other plans for the process that is being replaced.
func TestAReplacementGivesWay(t *testing.T) {
	ask := func(r Request) func(t *testing.T, h *house) {
		return func(t *testing.T, h *house) { h.ask(t, r) }
	}
	for name, do := range map[string]struct {
		act    func(t *testing.T, h *house)
		states string // at the end
	}{
		"stop":       {ask(Request{Verb: AskStop, Target: "worker.2"}), "worker.1 ready, worker.2 down"},
		"quiet":      {ask(Request{Verb: AskQuiet, Target: "worker.2"}), ""},
		"scale down": {ask(Request{Verb: AskScale, Target: "worker", Count: 1}), "worker.1 ready"},
		"resume":     {ask(Request{Verb: AskResume, Target: "worker.2"}), "worker.1 ready, worker.2 ready"},
		"restart":    {ask(Request{Verb: AskRestart}), "worker.1 ready, worker.2 ready"},
		"restart it": {ask(Request{Verb: AskRestart, Target: "worker.2"}), "worker.1 ready, worker.2 ready"},
	} {
		for after := time.Duration(0); after < 8*time.Second; after += 250 * time.Millisecond {
			h := inReplacement(t, after, func(h *house) {
				do.act(t, h)
				h.ask(t, Request{})
				time.Sleep(10 * time.Minute)
				r := h.ask(t, Request{})
				if do.states != "" && r.states() != do.states || r.Status.Restart != "" {
					t.Errorf("%s after %s: %s; %s", name, after, r.states(), r.Status.Restart)
				}
			})
			if !strings.Contains(name, "restart") && !h.said("its memory, 100 MB, is over") && !h.said("its memory, 102 MB, is over") {
				t.Errorf("%s after %s: worker.1 was never replaced", name, after)
			}
		}
	}
}

// An old process that ends as it should while its new one boots is gone; it is
// no slot any more.
func TestAnOldOneThatHasDoneItsWorkIsGone(t *testing.T) {
	for _, restart := range []Restart{RestartNever, RestartOnFailure} {
		once := func(s *Spec) { beside(s); s.Restart = restart }
		job := behaviour{quiet: true, work: time.Second, ready: 2 * time.Second, up: 21 * time.Second}
		rolled(t, 1, []func(*Spec){once}, byDir(job, goodListener), func(h *house) {
			time.Sleep(time.Minute)
			wantDirs(t, h, "worker.1 ready new")
		})
	}
}

// A type that only the new generation has, and that does not work, is no reason
// to stop all.
func TestANewTypeThatDoesNotWorkAbortsAndStopsNothing(t *testing.T) {
	for name, bad := range map[string]behaviour{
		"ends":         {up: time.Millisecond, code: 1},
		"is not there": {err: unix.ENOENT},
	} {
		c := Config{Specs: specs("worker", 1, beside), Reload: func() (Generation, error) {
			return Generation{Specs: append(specs("worker", 1, beside), specs("other", 1, beside)...)}, nil
		}}
		h := inHouse(t, c, func(s *Spec, _ int) behaviour {
			if s.Type == "other" {
				return bad
			}
			return goodListener
		}, func(h *house) {
			time.Sleep(20 * time.Second)
			h.deliver(unix.SIGHUP)
			time.Sleep(time.Minute)
			r := h.ask(t, Request{})
			wantStates(t, r, "worker.1 ready")
			if !strings.HasPrefix(r.Status.Restart, "aborted: the new other.1") {
				t.Errorf("%s: %s", name, r.Status.Restart)
			}
		})
		if h.said("gave up") {
			t.Errorf("%s: it gave up", name)
		}
	}
}

// A resume means nothing to a process that crashed and waits for its turn: it
// hears the next quiet, and backs off as before.
func TestResumeOfOneThatWaits(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1)}, func(_ *Spec, nth int) behaviour {
		if nth < 5 {
			return behaviour{up: time.Millisecond, code: 1}
		}
		return goodListener
	}, func(h *house) {
		time.Sleep(500 * time.Millisecond)
		if r := h.ask(t, Request{Verb: AskResume}); r.Text != "nothing was quieted" {
			t.Errorf("resume says %q", r.Text)
		}
		time.Sleep(time.Minute)
		h.ask(t, Request{Verb: AskQuiet})
		wantStates(t, h.ask(t, Request{}), "worker.1 quieting")
	})
	if !strings.Contains(h.history("worker.1"), "TSTP") {
		t.Errorf("worker.1: %s", h.history("worker.1"))
	}
}

// What a probe's command leaves behind is told to end: its daemons would pile up.
func TestADaemonOfAProbeDoesNotStay(t *testing.T) {
	asks := func(s *Spec) {
		s.Ready, s.Live = &Probe{Kind: ProbeUp}, probe(ProbeExec)
		s.Live.Period = time.Second
	}
	inHouse(t, Config{Specs: specs("worker", 1, asks)}, func(s *Spec, _ int) behaviour {
		if s.Mute {
			return behaviour{up: time.Millisecond, stray: &behaviour{comm: "daemon", work: time.Millisecond}}
		}
		return goodListener
	}, func(h *house) {
		time.Sleep(time.Minute)
		h.mu.Lock()
		defer h.mu.Unlock()
		if n := len(h.procs); n > 3 {
			t.Errorf("%d processes are there after a minute", n)
		}
	})
}

// A resume means nothing to one that drains for its restart, old first: a new one
// follows it anyway.
func TestResumeOfOneThatIsReplacedOldFirst(t *testing.T) {
	alone := func(s *Spec) { s.Rolling = Rolling{DrainLimit: NoDrainLimit} }
	busy, idle := []string{"sidekiq 6 app [1 of 10 busy] stopping"}, []string{"sidekiq 6 app [0 of 10 busy] stopping"}
	job := behaviour{quiet: true, work: time.Second, ready: time.Second, comm: "sidekiq", title: busy}
	rolled(t, 2, []func(*Spec){alone, sidekiq}, always(job), func(h *house) {
		time.Sleep(time.Minute)
		wantDirs(t, h, "worker.1 quieting , worker.2 ready ")
		h.ask(t, Request{Verb: AskResume})
		time.Sleep(time.Second)
		wantDirs(t, h, "worker.1 quieting , worker.2 ready ")
		h.mu.Lock()
		h.procs[self+1].behave.title, h.procs[self+2].behave.title = idle, idle
		h.mu.Unlock()
		time.Sleep(time.Minute)
		r := h.ask(t, Request{})
		if dirs(r) != "worker.1 ready new, worker.2 ready new" || r.Status.Restart != "" {
			t.Errorf("%s; %s", dirs(r), r.Status.Restart)
		}
	})
}
