package launcher

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// beside has a type replaced new first, with all the time to drain.
func beside(s *Spec) {
	s.Rolling = Rolling{Surge: 1, DrainLimit: NoDrainLimit, MaxDraining: 100}
}

// goodListener is ready after 2 s, and hears its quiet signal.
var goodListener = behaviour{quiet: true, work: time.Second, ready: 2 * time.Second}

// renewed reads a new generation in the directory new.
func renewed(n int, edits ...func(*Spec)) func() (Generation, error) {
	return func() (Generation, error) {
		all := append([]func(*Spec){func(s *Spec) { s.Dir = "new" }}, edits...)
		slot := func(typ string, slot int) (Spec, bool) { return specs(typ, slot, all...)[slot-1], true }
		return Generation{Specs: specs("worker", n, all...), Slot: slot}, nil
	}
}

// byDir gives the new generation another behaviour.
func byDir(old, next behaviour) func(*Spec, int) behaviour {
	return func(s *Spec, _ int) behaviour {
		if s.Dir == "new" {
			return next
		}
		return old
	}
}

// roll is a house of n workers that is told to restart after 20 s, and looked at
// when that should be over.
func rolled(t *testing.T, n int, edits []func(*Spec), behaves func(*Spec, int) behaviour, play func(*house)) *house {
	t.Helper()
	c := Config{Specs: specs("worker", n, edits...), Reload: renewed(n, edits...)}
	c.Slot = func(typ string, slot int) (Spec, bool) { return specs(typ, slot, edits...)[slot-1], true }
	return inHouse(t, c, behaves, func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		play(h)
	})
}

func dirs(r Reply) string {
	var out []string
	for _, p := range r.Status.Processes {
		out = append(out, fmt.Sprintf("%s %s %s", p.Name, p.State, p.Dir))
	}
	return strings.Join(out, ", ")
}

func wantDirs(t *testing.T, h *house, want string) {
	t.Helper()
	if got := dirs(h.ask(t, Request{})); got != want {
		t.Errorf("status: %s\n  want: %s", got, want)
	}
}

func TestRestartStartsTheNewOneFirst(t *testing.T) {
	h := rolled(t, 2, []func(*Spec){beside}, always(goodListener), func(h *house) {
		time.Sleep(time.Second)
		wantDirs(t, h, "worker.1 starting new, worker.1 (old) ready , worker.2 ready ")
		if r := h.ask(t, Request{}).Status.Restart; r != "restarting: 0 of 2" {
			t.Error(r)
		}
		time.Sleep(5 * time.Second)
		if r := h.ask(t, Request{}).Status.Restart; r != "restarting: 2 of 2; the new processes prove themselves for 10s" {
			t.Error(r)
		}
		time.Sleep(time.Minute)
		wantDirs(t, h, "worker.1 ready new, worker.2 ready new")
	})
	want := "worker.1 start, worker.2 start, " +
		"worker.1 start, worker.1 TSTP, worker.2 start, worker.1 TERM, worker.1 CONT, worker.1 gone, worker.2 TSTP"
	if got := h.history(""); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant %s…", got, want)
	}
}

func TestSurge(t *testing.T) {
	three := func(s *Spec) { beside(s); s.Surge = 3 }
	rolled(t, 5, []func(*Spec){three}, always(goodListener), func(h *house) {
		time.Sleep(time.Second)
		if n := strings.Count(h.ask(t, Request{}).states(), "(old) ready"); n != 3 {
			t.Errorf("%d are replaced at once, want 3", n)
		}
		time.Sleep(time.Minute)
	})
}

// A bad deploy costs nothing: not one old process is touched.
func TestABadDeployTouchesNoOldProcess(t *testing.T) {
	for name, bad := range map[string]behaviour{
		"ends at once":       {up: time.Millisecond, code: 1},
		"ends after 3 s":     {up: 3 * time.Second},
		"is not there":       {err: unix.ENOENT},
		"is never ready":     {quiet: true, work: time.Second, comm: "sidekiq"},
		"ends while it does": {up: 59 * time.Second, code: 1, comm: "sidekiq"},
	} {
		notifies := func(s *Spec) {
			beside(s)
			if strings.HasPrefix(name, "is never") || strings.HasPrefix(name, "ends while") {
				s.Server = Server{Name: "other", Notifies: true, Stop: unix.SIGTERM}
			}
		}
		h := rolled(t, 3, []func(*Spec){notifies}, byDir(goodListener, bad), func(h *house) {
			time.Sleep(2 * time.Minute)
			wantDirs(t, h, "worker.1 ready , worker.2 ready , worker.3 ready ")
			if r := h.ask(t, Request{}).Status.Restart; !strings.HasPrefix(r, "aborted: ") {
				t.Errorf("%s: status says %q", name, r)
			}
			for _, s := range h.sent {
				if s.pid <= self+3 {
					t.Errorf("%s: %s was sent to an old process", name, SignalName(s.sig))
				}
			}
		})
		if !h.said("restart aborted") || !h.said("what ran before runs on") {
			t.Errorf("%s: it was not said", name)
		}
	}
}

// One that works, and falls before the restart is over plus 10 s: the old ones
// are made up for, and what works of the new goes when that is ready.
func TestAbortMakesUpForWhatDrains(t *testing.T) {
	busy := behaviour{quiet: true, work: time.Second, ready: 2 * time.Second, comm: "sidekiq", title: []string{"sidekiq 6 app [1 of 10 busy] stopping"}}
	falls := func(s *Spec, nth int) behaviour {
		if s.Dir == "new" && s.Slot == 3 {
			return behaviour{quiet: true, work: time.Second, ready: 2 * time.Second, up: 11 * time.Second, code: 1}
		}
		return busy
	}
	least := 3
	h := rolled(t, 3, []func(*Spec){beside, sidekiq}, falls, func(h *house) {
		for range 60 {
			time.Sleep(500 * time.Millisecond)
			ready := 0
			for _, p := range h.ask(t, Request{}).Status.Processes {
				if p.Ready {
					ready++
				}
			}
			least = min(least, ready)
		}
		if least < 2 { // worker.3 fell: a crash
			t.Errorf("only %d were ready once", least)
		}
		states := h.ask(t, Request{})
		for _, p := range states.Status.Processes {
			if !p.Old && (p.Dir != "" || p.State != Ready) {
				t.Errorf("after the abort: %s", dirs(states))
			}
		}
		if n := strings.Count(dirs(states), "(old, pid "); n != 4 {
			t.Errorf("%d old ones have names with a pid, want two of each of two slots and none else: %s", n, dirs(states))
		}
		if r := states.Status.Restart; r != "aborted: the new worker.3 did not last: ended by itself, status 1" {
			t.Error(r)
		}
	})
	if !h.said("all processes are replaced back") {
		t.Error("the way back did not end")
	}
}

func TestLongJobsDrainAndMoreDeploysComeOnTop(t *testing.T) {
	busy, idle := []string{"sidekiq 6 app [1 of 10 busy] stopping"}, []string{"sidekiq 6 app [0 of 10 busy] stopping"}
	job := behaviour{quiet: true, work: time.Second, ready: 2 * time.Second, comm: "sidekiq", title: busy}
	two := func(s *Spec) { beside(s); s.MaxDraining = 2 }
	h := rolled(t, 1, []func(*Spec){two, sidekiq}, always(job), func(h *house) {
		time.Sleep(time.Minute)
		if r := h.ask(t, Request{Verb: AskRestart}); r.Err != "" {
			t.Errorf("a deploy while one only drains: %s", r.Err)
		}
		time.Sleep(time.Minute)
		r := h.ask(t, Request{})
		if n := strings.Count(r.states(), "(old, pid "); n != 2 || !strings.HasPrefix(r.states(), "worker.1 ready") {
			t.Errorf("status: %s", r.states())
		}
		h.ask(t, Request{Verb: AskRestart})
		time.Sleep(2 * time.Hour)
		r = h.ask(t, Request{})
		want := fmt.Sprintf("restarting: 0 of 1; worker.1 waits for worker.1 (old, pid %d), worker.1 (old, pid %d) to finish: no more than 2 of worker may drain",
			self+2, self+1)
		if r.Status.Restart != want {
			t.Errorf("status says %s\nwant %s", r.Status.Restart, want)
		}
		if r := h.ask(t, Request{Verb: AskRestart, Target: "worker.1"}); r.Err == "" {
			t.Error("a restart of a slot on top of one that waits")
		}
		if r := h.ask(t, Request{Verb: AskRestart, Force: true}); r.Err != "" {
			t.Error(r.Err)
		}
		time.Sleep(time.Minute)
		r = h.ask(t, Request{})
		if n := strings.Count(r.states(), "(old, pid "); n != 2 || r.Status.Restart != "" {
			t.Errorf("by force: %s, %s", r.states(), r.Status.Restart)
		}
		if slices.ContainsFunc(r.Status.Processes, func(p ProcessStatus) bool { return p.PID == self+1 }) {
			t.Error("it was not the oldest that was stopped")
		}
		h.mu.Lock()
		h.procs[self+2].behave.title = idle
		h.mu.Unlock()
		time.Sleep(15 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready, worker.1 (old) quieting")
		if took := h.term(); took > 10*time.Second {
			t.Errorf("the stop of all generations took %s", took)
		}
	})
	if !h.said("has been draining for 2h0m0s") {
		t.Error("who drains on is not logged")
	}
	wantStatus(t, h, 0)
}

// What drains by its stop signal has no KILL but at its drain limit.
func TestTheStopSignalIsTheDrain(t *testing.T) {
	rq := func(limit time.Duration) func(*Spec) {
		return func(s *Spec) {
			s.Rolling = Rolling{Surge: 1, DrainLimit: limit}
			s.Server = Server{Name: "rq", Stop: unix.SIGTERM, Drains: true}
		}
	}
	hours := behaviour{work: 2 * time.Hour, ready: time.Second}
	h := rolled(t, 1, []func(*Spec){rq(NoDrainLimit)}, always(hours), func(h *house) { time.Sleep(3 * time.Hour) })
	if got := h.history("worker.1"); !strings.HasPrefix(got, "start, start, TERM, CONT, gone") {
		t.Errorf("no limit: %s", got)
	}
	h = rolled(t, 1, []func(*Spec){rq(time.Minute)}, always(hours), func(h *house) {
		time.Sleep(70 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready")
	})
	if got := h.history("worker.1"); !strings.HasPrefix(got, "start, start, TERM, CONT, KILL, gone") {
		t.Errorf("a minute: %s", got)
	}
}

func TestADrainLimitEndsASidekiq(t *testing.T) {
	limit := func(s *Spec) { beside(s); s.DrainLimit = time.Minute }
	busy := behaviour{quiet: true, work: 5 * time.Second, ready: time.Second, comm: "sidekiq", title: []string{"sidekiq 6 app [1 of 10 busy] stopping"}}
	h := rolled(t, 1, []func(*Spec){limit, sidekiq}, always(busy), func(h *house) {
		time.Sleep(59 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready, worker.1 (old) quieting")
		time.Sleep(5 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready, worker.1 (old) stopping")
		time.Sleep(5 * time.Second)
	})
	if got := h.history("worker.1"); !strings.HasPrefix(got, "start, start, TSTP, TERM, CONT, gone") {
		t.Errorf("worker.1: %s", got)
	}
}

func TestWhatCannotRunTwiceGoesOldFirstAndLast(t *testing.T) {
	mixed := func(s *Spec) {
		if beside(s); s.Slot == 1 {
			s.Surge = 0
		}
	}
	h := rolled(t, 2, []func(*Spec){mixed}, always(goodListener), func(h *house) { time.Sleep(time.Minute) })
	want := "worker.2 start, worker.2 TSTP, worker.1 TSTP, "
	if got := h.history(""); !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestFewerAndMoreProcesses(t *testing.T) {
	c := Config{Specs: specs("worker", 3, beside), Reload: renewed(2, beside)}
	inHouse(t, c, always(goodListener), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(time.Minute)
		wantDirs(t, h, "worker.1 ready new, worker.2 ready new")
	})
	c.Reload = renewed(4, beside)
	inHouse(t, c, byDir(goodListener, behaviour{ready: time.Second, up: 9 * time.Second, work: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(time.Minute)
		wantDirs(t, h, "worker.1 ready , worker.2 ready , worker.3 ready ")
	})
}

// TestAtAnyMoment does each thing at every half second of a restart. What is
// wanted: no slot has two that are not old, nobody is left without a process,
// and TERM ends all within the budget.
func TestAtAnyMoment(t *testing.T) {
	crash := func(old bool) func(h *house) {
		return func(h *house) {
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, p := range h.procs {
				if p.spec != nil && p.exit == nil && (p.spec.Dir == "") == old {
					h.end(p, Exit{Status: 1 << 8})
					return
				}
			}
		}
	}
	ask := func(r Request) func(h *house) {
		return func(h *house) { h.ask(t, r) }
	}
	for name, do := range map[string]struct {
		act   func(h *house)
		after string // states that end may hold, in words; "": any
	}{
		"quiet":          {func(h *house) { h.deliver(unix.SIGUSR1) }, "down"},
		"quiet, resume":  {func(h *house) { ask(Request{Verb: AskQuiet})(h); ask(Request{Verb: AskResume})(h) }, "ready"},
		"quiet one":      {ask(Request{Verb: AskQuiet, Target: "worker.2"}), ""},
		"stop one":       {ask(Request{Verb: AskStop, Target: "worker.2"}), "worker.1 ready, worker.2 down, worker.3 ready"},
		"resume":         {ask(Request{Verb: AskResume}), "ready"},
		"restart":        {ask(Request{Verb: AskRestart}), "ready"},
		"restart one":    {ask(Request{Verb: AskRestart, Target: "worker.2"}), "ready"},
		"force":          {ask(Request{Verb: AskRestart, Force: true}), "ready"},
		"scale up":       {ask(Request{Verb: AskScale, Target: "worker", Count: 5}), ""},
		"scale down":     {ask(Request{Verb: AskScale, Target: "worker", Count: 1}), ""},
		"an old crashes": {crash(true), "ready"},
		"a new crashes":  {crash(false), "ready"},
		"term":           {func(h *house) { h.term() }, "over"},
		"int":            {func(h *house) { h.deliver(unix.SIGINT) }, "over"},
	} {
		for at := time.Duration(0); at < 24*time.Second; at += 500 * time.Millisecond {
			h := rolled(t, 3, []func(*Spec){beside}, always(goodListener), func(h *house) {
				time.Sleep(at)
				do.act(h)
				if do.after == "over" {
					<-h.done
					return
				}
				for range 60 {
					names := map[string]bool{}
					for _, p := range h.ask(t, Request{}).Status.Processes {
						if !p.Old && names[p.Name] {
							t.Errorf("%s after %s: two are %s", name, at, p.Name)
						}
						names[p.Name] = names[p.Name] || !p.Old
					}
					time.Sleep(time.Second)
				}
				r := h.ask(t, Request{})
				if strings.Contains(r.states(), "(old)") {
					t.Errorf("%s after %s: %s", name, at, r.states())
				}
				if do.after == "ready" && r.states() != "worker.1 ready, worker.2 ready, worker.3 ready" {
					t.Errorf("%s after %s: %s; %s", name, at, r.states(), r.Status.Restart)
				}
				if strings.HasPrefix(do.after, "worker") && r.states() != do.after {
					t.Errorf("%s after %s: %s; %s", name, at, r.states(), r.Status.Restart)
				}
				if took := h.term(); took > 10*time.Second {
					t.Errorf("%s after %s: the stop took %s", name, at, took)
				}
			})
			wantStatus(t, h, 0)
		}
	}
}

// A crash before its turn comes from the old generation; quiet in the middle
// leaves each slot with the newest that works, and status says so.
func TestEachSlotHasItsOwnGeneration(t *testing.T) {
	rolled(t, 3, []func(*Spec){beside}, always(goodListener), func(h *house) {
		time.Sleep(3 * time.Second) // worker.1 is new, worker.2 is being replaced
		h.mu.Lock()
		h.end(h.procs[self+3], Exit{Status: 1 << 8})
		h.mu.Unlock()
		time.Sleep(600 * time.Millisecond)
		wantDirs(t, h, "worker.1 ready new, worker.2 starting new, worker.2 (old) ready , worker.3 starting ")
		h.ask(t, Request{Verb: AskQuiet})
		time.Sleep(100 * time.Millisecond)
		wantDirs(t, h, "worker.1 quieting new, worker.2 (old) quieting new, worker.2 quieting , worker.3 quieting ")
		if r := h.ask(t, Request{}).Status.Restart; r != "aborted: it was quieted" {
			t.Error(r)
		}
		time.Sleep(time.Minute)
		h.ask(t, Request{Verb: AskResume})
		time.Sleep(time.Minute)
		wantDirs(t, h, "worker.1 ready new, worker.2 ready , worker.3 ready ")
	})
}

func TestADirectoryThatIsGoneIsTriedByItsName(t *testing.T) {
	gone := func(s *Spec) { s.Dir, s.DirName = "releases/1", "current" }
	h := inHouse(t, Config{Specs: specs("worker", 1, gone)}, func(s *Spec, _ int) behaviour {
		if s.Dir != "current" {
			return behaviour{err: &NoDirError{s.Dir, unix.ENOENT}}
		}
		return goodListener
	}, func(*house) { time.Sleep(time.Minute) })
	if got := h.history("worker.1"); !strings.HasPrefix(got, "start, TSTP") || !h.said("its directory releases/1 is gone; started in current") {
		t.Errorf("worker.1: %s", got)
	}
}

// stop of a slot ends what drains for it too; one that boots has nothing to
// finish, and goes by the ladder.
func TestWhatIsNotWorthDraining(t *testing.T) {
	busy := goodListener
	busy.comm, busy.title = "sidekiq", []string{"sidekiq 6 app [1 of 10 busy] stopping"}
	rolled(t, 2, []func(*Spec){beside, sidekiq}, always(busy), func(h *house) {
		time.Sleep(time.Minute)
		h.ask(t, Request{Verb: AskStop, Target: "worker.1"})
		time.Sleep(20 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 down, worker.2 ready, worker.2 (old) quieting")
	})
	never := behaviour{boot: 10 * time.Hour, comm: "sidekiq"}
	rolled(t, 1, []func(*Spec){beside, sidekiq}, byDir(never, goodListener), func(h *house) {
		time.Sleep(20 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready")
	})
}

// TestARestartFollowsTheOneUnderWay: whoever asks for a restart has changed the
// files, and what was read before that is not what he asked for.
func TestARestartFollowsTheOneUnderWay(t *testing.T) {
	for name, do := range map[string]struct {
		first     string // the directory that it finds
		after     time.Duration
		act       func(t *testing.T, h *house)
		reads     int
		dir, over string
	}{
		"asked for three times": {"new", 3 * time.Second, func(t *testing.T, h *house) {
			h.deliver(unix.SIGHUP)
			h.deliver(unix.SIGHUP)
			r := h.ask(t, Request{Verb: AskRestart})
			if r.Err != "" || r.Status.Asked != 2 || r.Status.Over != 0 {
				t.Errorf("%q, %d asked for, %d over", r.Err, r.Status.Asked, r.Status.Over)
			}
		}, 2, "newer", ""},
		"while new ones prove themselves": {"new", 8 * time.Second, func(_ *testing.T, h *house) { h.deliver(unix.SIGHUP) }, 2, "newer", ""},
		"when the first is bad":           {"bad", time.Second, func(_ *testing.T, h *house) { h.deliver(unix.SIGHUP) }, 2, "newer", ""},
		"not after a quiet": {"new", time.Second, func(_ *testing.T, h *house) {
			h.deliver(unix.SIGHUP)
			h.deliver(unix.SIGUSR1)
		}, 1, "", "it was quieted since that was asked for; ask again, or resume"},
		"not after a stop": {"new", time.Second, func(_ *testing.T, h *house) {
			h.deliver(unix.SIGHUP)
			h.term()
		}, 1, "gone", ""},
	} {
		t.Run(name, func(t *testing.T) {
			reads := 0
			c := Config{Specs: specs("worker", 2, beside), Reload: func() (Generation, error) {
				reads++
				dir := []string{do.first, "newer"}[min(reads, 2)-1]
				return renewed(2, beside, func(s *Spec) { s.Dir = dir })()
			}}
			behaves := func(s *Spec, _ int) behaviour {
				if s.Dir == "bad" {
					return behaviour{up: time.Second, code: 1}
				}
				return goodListener
			}
			h := inHouse(t, c, behaves, func(h *house) {
				time.Sleep(20 * time.Second)
				h.deliver(unix.SIGHUP)
				time.Sleep(do.after)
				do.act(t, h)
				if do.dir == "gone" {
					return
				}
				time.Sleep(time.Minute)
				r := h.ask(t, Request{})
				for _, p := range r.Status.Processes {
					if p.Dir != do.dir {
						t.Errorf("%s has %q, not %q", p.Name, p.Dir, do.dir)
					}
				}
				if s := r.Status; s.Asked != 2 || s.Over != 2 || s.Aborted != do.over {
					t.Errorf("%d asked for, %d over, aborted: %q", s.Asked, s.Over, s.Aborted)
				}
			})
			if reads != do.reads {
				t.Errorf("the new generation was read %d times, not %d", reads, do.reads)
			}
			wantStatus(t, h, 0)
		})
	}
}

// TestReplacementsWhileARestartWaits: for hours a restart may wait for old ones
// that drain; who is dead or too large meanwhile has its turn at once.
func TestReplacementsWhileARestartWaits(t *testing.T) {
	job := behaviour{quiet: true, work: time.Second, ready: 2 * time.Second, comm: "sidekiq", title: []string{"sidekiq 6 app [1 of 10 busy] stopping"}}
	one := func(s *Spec) { beside(s); s.MaxDraining = 1 }
	for name, do := range map[string]struct {
		edit  func(*Spec)
		grows string // the directory of who grows
		dead  string // what does not answer
		want  string
	}{
		"one whose turn has not come is dead":      {live(ProbeHTTP), "none", "live worker.2", "worker.1 ready new, worker.1 (old) quieting , worker.2 ready new, worker.3 ready "},
		"one whose turn has not come is too large": {func(s *Spec) { s.MaxMemory = 600e6 }, "", "", "worker.1 ready new, worker.1 (old) quieting , worker.2 ready new, worker.3 ready new"},
		"a new one is dead":                        {live(ProbeHTTP), "none", "live worker.1", "worker.1 ready new, worker.1 (old) quieting , worker.2 ready , worker.3 ready "},
	} {
		t.Run(name, func(t *testing.T) {
			f := newProber()
			c := Config{Specs: specs("worker", 3, one, sidekiq, do.edit), Reload: renewed(3, one, sidekiq, do.edit), Ask: f.ask}
			behaves := func(s *Spec, _ int) behaviour {
				b := job
				if s.Dir == do.grows && s.Slot > 1 {
					b.grows = 1e6 * int64(10-s.Slot)
				}
				return b
			}
			inHouse(t, c, behaves, func(h *house) {
				time.Sleep(20 * time.Second)
				before := h.ask(t, Request{}).Status.Processes
				h.deliver(unix.SIGHUP)
				time.Sleep(20 * time.Second)
				first := h.ask(t, Request{}).Status.Processes[0].PID
				f.set(func(target string, _ time.Time) error {
					if target == do.dead {
						return errAway
					}
					return nil
				})
				time.Sleep(35 * time.Second)
				f.set(nil)
				time.Sleep(30 * time.Minute)
				wantDirs(t, h, do.want)
				r := h.ask(t, Request{}).Status
				if !strings.Contains(r.Restart, "waits for worker.1 (old, pid") && !strings.HasSuffix(do.want, "new") {
					t.Errorf("status says %q", r.Restart)
				}
				if do.dead == "live worker.1" && (r.Processes[0].PID == first || r.Processes[2].PID != before[1].PID) {
					t.Error("the dead one is there still, or another one was replaced")
				}
			})
		})
	}
}
