package launcher

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// How a process last ended is told while the next one runs, too.
func TestStatusTellsHowTheLastOneEnded(t *testing.T) {
	inHouse(t, Config{Specs: specs("worker", 1)}, func(_ *Spec, nth int) behaviour {
		if nth == 0 {
			return behaviour{up: time.Second, code: 7}
		}
		return listener
	}, func(h *house) {
		time.Sleep(time.Minute)
		if got := h.ask(t, Request{}).Status.Processes[0].Ended; !strings.Contains(got, "status 7") {
			t.Errorf("it last ended: %q", got)
		}
	})
}

// leavesADaemon has the process of a slot start one with a session of its own,
// that outlives it.
func (h *house) leavesADaemon(name string, b behaviour) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for pid, p := range h.procs {
		if p.spec != nil && p.spec.Name() == name {
			h.spawn(b, pid, 0).origin = name
		}
	}
}

// DESIGN 3: what left a child's session gets TERM with it, though it is orphaned
// only by the child's end.
func TestADaemonThatIsOrphanedByAStopIsToldToEnd(t *testing.T) {
	for name, r := range map[string]Request{
		"stop":    {Verb: AskStop, Target: "worker.1"},
		"restart": {Verb: AskRestart, Target: "worker.1"},
		"scale":   {Verb: AskScale, Target: "worker"},
	} {
		inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{work: time.Second}), func(h *house) {
			h.leavesADaemon("worker.1", behaviour{comm: "daemon", work: time.Second})
			time.Sleep(20 * time.Second)
			h.ask(t, r)
			time.Sleep(time.Minute)
			if got := h.history("daemon"); got != "TERM, CONT" {
				t.Errorf("%s: the daemon got %q", name, got)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, p := range h.procs {
				if p.sight.Comm == "daemon" {
					t.Errorf("%s: the daemon runs on", name)
				}
			}
		})
	}
}

// Scaled down, a process has its quiet phase as in any stop.
func TestScaleDownHasAQuietPhase(t *testing.T) {
	for _, limit := range []time.Duration{0, NoDrainLimit} {
		c := Config{Specs: specs("worker", 1, func(s *Spec) { s.DrainLimit = limit })}
		h := inHouse(t, c, always(listener), func(h *house) {
			time.Sleep(20 * time.Second)
			h.ask(t, Request{Verb: AskScale, Target: "worker"})
			time.Sleep(time.Minute)
			wantStates(t, h.ask(t, Request{}), "")
		})
		wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
		if gap := h.sent[1].at.Sub(h.sent[0].at); gap != 500*time.Millisecond {
			t.Errorf("TERM came %s after TSTP", gap)
		}
	}
}

// With a drain limit of 0 nobody drains longer than in any stop.
func TestScaleDownWithNoTimeToDrain(t *testing.T) {
	busy := []string{"sidekiq 6 app [1 of 10 busy] stopping"}
	inHouse(t, Config{Specs: specs("worker", 1, sidekiq)}, always(behaviour{quiet: true, work: time.Second, comm: "sidekiq", title: busy, ready: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskScale, Target: "worker"})
		time.Sleep(time.Minute)
		wantStates(t, h.ask(t, Request{}), "")
	})
}

// An old process that is being replaced has no say in the exit status: its slot
// is another's.
func TestTheStatusOfAnOldProcessDoesNotCount(t *testing.T) {
	once := func(s *Spec) { beside(s); s.Restart = RestartNever }
	for _, own := range []bool{false, true} {
		job := behaviour{work: time.Second, ready: 2 * time.Second, up: 21 * time.Second, code: 3}
		next := behaviour{work: time.Second, ready: 3 * time.Second, up: time.Minute}
		c := Config{Specs: specs("worker", 1, once), Reload: reloadTo(once, 1), OwnStatus: own}
		h := inHouse(t, c, byDir(job, next), func(h *house) {
			time.Sleep(20 * time.Second)
			h.deliver(unix.SIGHUP)
			<-h.done
		})
		wantStatus(t, h, 0)
	}
}

// A window that is closed sends HUP twice: the shell does to its jobs, and the
// kernel when that has ended.
func TestAClosedWindowIsNoKill(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1), Terminal: true}, always(behaviour{work: 2 * time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(10 * time.Millisecond)
		h.deliver(unix.SIGHUP)
		<-h.done
	})
	wantHistory(t, h, "worker.1", "start, TERM, CONT, gone")
	wantStatus(t, h, 0)
}

// What was taken out of a restart is its old generation's, however soon it is
// resumed.
func TestStoppedAndResumedInARestartIsTheOldGeneration(t *testing.T) {
	for _, after := range []time.Duration{time.Second, 20 * time.Second} {
		rolled(t, 1, nil, byDir(behaviour{work: 5 * time.Second}, listener), func(h *house) {
			time.Sleep(time.Second)
			h.ask(t, Request{Verb: AskStop, Target: "worker.1"})
			time.Sleep(after)
			h.ask(t, Request{Verb: AskResume, Target: "worker.1"})
			time.Sleep(time.Minute)
			wantDirs(t, h, "worker.1 ready ")
		})
	}
}

// Quieted by name, one that drains for its restart, old first, may finish its
// work as any that is quieted.
func TestQuietOfOneThatIsReplacedOldFirst(t *testing.T) {
	alone := func(s *Spec) { s.Rolling = Rolling{DrainLimit: 30 * time.Second} }
	busy := []string{"sidekiq 6 app [1 of 10 busy] stopping"}
	for _, target := range []string{"", "worker.1"} {
		rolled(t, 1, []func(*Spec){alone, sidekiq}, always(behaviour{quiet: true, work: time.Second, ready: time.Second, comm: "sidekiq", title: busy}), func(h *house) {
			time.Sleep(time.Second)
			h.ask(t, Request{Verb: AskQuiet, Target: target})
			time.Sleep(time.Hour)
			wantDirs(t, h, "worker.1 quieting ")
		})
	}
}

// What the service manager is told is one line each: an error's text may hold more.
func TestTheManagerIsToldOneLine(t *testing.T) {
	var told []string
	c := Config{Specs: specs("worker", 1), Announce: func(text string) { told = append(told, text) }}
	inHouse(t, c, always(behaviour{err: errors.New("no such file\nMAINPID=1")}), func(h *house) { <-h.done })
	if text := strings.Join(told, "\n"); strings.Contains(text, "\nMAINPID=1") || !strings.Contains(text, "MAINPID=1") {
		t.Errorf("the manager was told:\n%s", text)
	}
}

// A stop signal that is sent again 2 s later goes to what is there then: a pid of
// the first time may be another process's by now.
func TestAStopAgainGoesToWhatIsThereThen(t *testing.T) {
	c := Config{Specs: specs("web", 1, func(s *Spec) { s.Server = Server{Name: "puma", Drains: true, Again: true} })}
	soon, dazed := behaviour{comm: "soon", work: time.Millisecond}, behaviour{comm: "dazed", daze: time.Second, work: time.Millisecond}
	h := inHouse(t, c, always(behaviour{child: &soon}), func(h *house) {
		h.mu.Lock()
		h.spawn(dazed, self+1, self+1)
		h.mu.Unlock()
		go func() {
			time.Sleep(time.Second)
			h.mu.Lock()
			delete(h.procs, self+2) // its parent has reaped it, and its pid may be another's
			h.reaped[self+2] = true
			h.mu.Unlock()
		}()
		h.term()
	})
	if got := h.history("web.1/dazed"); got != "TERM, CONT, TERM, CONT" {
		t.Errorf("the other child got %q", got)
	}
}

// A process that ends in the step before its program, for want of processes, is
// a start to be tried again: no failed try, and nothing that aborts a restart.
func TestAStarvedStepIsTriedAgain(t *testing.T) {
	starve := func(h *house, dir string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, p := range h.procs {
			if p.spec != nil && p.spec.Dir == dir {
				h.end(p, Exit{Status: 2 << 8, Starved: true})
				return
			}
		}
	}
	h := rolled(t, 1, []func(*Spec){beside}, always(goodListener), func(h *house) {
		synctest.Wait()
		starve(h, "new")
		synctest.Wait()
		r := h.ask(t, Request{})
		wantStates(t, r, "worker.1 waiting, worker.1 (old) ready")
		if r.Status.Processes[0].Failed != 0 {
			t.Error("it counts as a failed try")
		}
		time.Sleep(time.Minute)
		wantDirs(t, h, "worker.1 ready new")
	})
	if !h.said("cannot be started just now: app: resource temporarily unavailable (the limit of processes") {
		t.Error("the limit of processes is not named")
	}
}

// Where a slot's old generation does not come back after an abort, its new process,
// that works, keeps the slot: there are never two for good.
func TestWhatDoesNotComeBackGivesWayToWhatWorks(t *testing.T) {
	asks := func(s *Spec) { beside(s); s.Ready = &Probe{Kind: ProbeNotify, Failures: 1, Successes: 1} }
	h := rolled(t, 2, []func(*Spec){asks}, func(s *Spec, nth int) behaviour {
		switch {
		case s.Slot == 2 && s.Dir == "new":
			return behaviour{err: unix.ENOENT}
		case s.Slot == 1 && nth == 2: // the old generation once more
			return behaviour{work: time.Second}
		}
		return goodListener
	}, func(h *house) {
		time.Sleep(30 * time.Second)
		wantDirs(t, h, "worker.1 starting , worker.1 (old) ready new, worker.2 ready ")
		time.Sleep(time.Hour)
		wantDirs(t, h, "worker.1 ready new, worker.2 ready ")
	})
	if !h.said("has not come back as it was") {
		t.Error("it is not said")
	}
}

// P46: CONT discards a TSTP that is pending, whoever asks for it.
func TestNoCONTForOneThatIsQuieted(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(listener), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskQuiet})
		if r := h.ask(t, Request{Verb: AskSignal, Signal: unix.SIGCONT}); r.Err == "" {
			t.Error("CONT was not refused")
		}
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
}

// A daemon stays until its slot is stopped, be that in the middle of a back-off.
func TestTheDaemonsOfASlotThatWaitsAreToldToEndWithIt(t *testing.T) {
	for name, r := range map[string]Request{
		"stop":  {Verb: AskStop, Target: "worker.1"},
		"scale": {Verb: AskScale, Target: "worker"},
	} {
		h := inHouse(t, Config{Specs: specs("worker", 1)}, func(_ *Spec, nth int) behaviour {
			if nth == 0 {
				return behaviour{up: time.Second, stray: &behaviour{comm: "daemon", work: time.Second}}
			}
			return behaviour{err: unix.ENOENT}
		}, func(h *house) {
			time.Sleep(30 * time.Second)
			if got := h.history("daemon"); got != "" {
				t.Errorf("%s: the daemon got %q before", name, got)
			}
			h.ask(t, r)
			time.Sleep(time.Minute)
			if got := h.history("daemon"); got != "TERM, CONT" {
				t.Errorf("%s: the daemon got %q", name, got)
			}
		})
		wantStatus(t, h, 0)
	}
}

// After an abort a slot where nothing serves is made up for at once, though old
// ones drain for hours and the others have to wait for them.
func TestTheWayBackDoesNotWaitForWhatDrains(t *testing.T) {
	few := func(s *Spec) { s.Rolling = Rolling{Surge: 1, DrainLimit: NoDrainLimit, MaxDraining: 2} }
	job := behaviour{quiet: true, work: time.Second, ready: time.Second, comm: "sidekiq", title: []string{"sidekiq 6 app [1 of 10 busy] stopping"}}
	rolled(t, 3, []func(*Spec){few, sidekiq}, always(job), func(h *house) {
		time.Sleep(time.Minute)
		wantDirs(t, h, "worker.1 ready new, worker.1 (old) quieting , worker.2 ready new, worker.2 (old) quieting , worker.3 ready ")
		h.mu.Lock()
		for _, p := range h.procs {
			if p.spec != nil && p.spec.Slot == 2 && p.spec.Dir == "new" {
				h.end(p, Exit{Status: 1 << 8})
			}
		}
		h.mu.Unlock()
		time.Sleep(time.Minute)
		wantDirs(t, h, "worker.1 ready new, worker.1 (old) quieting , worker.2 ready , worker.2 (old) quieting , worker.3 ready ")
	})
}

// An old process that ends in a restart of its slot, where that is quiet, is gone:
// it is not one that stays down.
func TestAnOldOneThatWasQuietAndEndsIsGone(t *testing.T) {
	for _, target := range []string{"", "worker.1"} {
		inHouse(t, Config{Specs: specs("worker", 1, beside)}, func(_ *Spec, nth int) behaviour {
			if nth == 0 {
				return behaviour{up: 25 * time.Second, code: 1}
			}
			return behaviour{ready: 10 * time.Second}
		}, func(h *house) {
			time.Sleep(20 * time.Second)
			h.ask(t, Request{Verb: AskQuiet, Target: target})
			h.ask(t, Request{Verb: AskRestart, Target: "worker.1"})
			time.Sleep(time.Minute)
			wantStates(t, h.ask(t, Request{}), "worker.1 ready")
		})
	}
}
