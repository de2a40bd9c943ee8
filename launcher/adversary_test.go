package launcher

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// turns counts how often the loop waits, to see it spin.
type turns struct {
	*fake
	n int
}

func (k *turns) Wait(until time.Time) Heard {
	if k.n++; k.n > 20000 {
		panic("the loop spins")
	}
	return k.fake.Wait(until)
}

// counting has inHouse bound the turns of the loop.
var counting bool

func reloadTo(edit func(*Spec), n int) func() (Generation, error) {
	return func() (Generation, error) {
		return Generation{Specs: specs("worker", n, func(s *Spec) { s.Dir = "new"; edit(s) })}, nil
	}
}

func asItWas(*Spec) {}

// A turn reaps no more than 256; what is left must not wait for the next event.
func TestManyOrphansThatEndAtOnceAreAllReaped(t *testing.T) {
	inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{work: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.mu.Lock()
		for range 600 {
			h.end(h.spawn(behaviour{}, self, 0), Exit{})
		}
		h.mu.Unlock()
		time.Sleep(time.Minute)
		h.mu.Lock()
		defer h.mu.Unlock()
		if n := len(h.reaped); n != 600 {
			t.Errorf("%d of 600 orphans that ended at once were reaped within a minute", n)
		}
	})
}

// The way back after an abort may fail too. It must neither spin nor be in the
// way of the next restart.
func TestTheWayBackEnds(t *testing.T) {
	reads := 0
	c := Config{Specs: specs("worker", 1), Reload: func() (Generation, error) {
		reads++
		return reloadTo(asItWas, 1)()
	}}
	h := inHouseSpinning(t, c, func(s *Spec, nth int) behaviour {
		if nth == 0 {
			return behaviour{work: time.Millisecond}
		}
		return behaviour{up: 100 * time.Millisecond, code: 1}
	}, func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(5 * time.Minute)
		h.deliver(unix.SIGHUP)
		time.Sleep(time.Minute)
	})
	if reads != 2 || !h.said("has not come back") {
		t.Errorf("%d restarts were begun, want 2", reads)
	}
}

// inHouseSpinning is inHouse with an upper bound for turns of the loop.
func inHouseSpinning(t *testing.T, c Config, behaves func(*Spec, int) behaviour, play func(*house)) *house {
	counting = true
	defer func() { counting = false }()
	return inHouse(t, c, behaves, play)
}

func TestANewCommandThatIsNotThereAbortsTheRestart(t *testing.T) {
	for _, policy := range []Restart{RestartAlways, RestartNever} {
		as := func(s *Spec) { s.Restart = policy }
		c := Config{Specs: specs("worker", 2, as), Reload: reloadTo(as, 2)}
		h := inHouse(t, c, func(s *Spec, _ int) behaviour {
			if s.Dir == "new" {
				return behaviour{err: unix.ENOENT}
			}
			return behaviour{work: time.Second}
		}, func(h *house) {
			time.Sleep(20 * time.Second)
			h.deliver(unix.SIGHUP)
			time.Sleep(30 * time.Second)
		})
		wantHistory(t, h, "worker.1", "start, TERM, CONT, gone, start, TERM, CONT, gone")
		wantHistory(t, h, "worker.2", "start, TERM, CONT, gone")
		wantStatus(t, h, 0)
	}
}

func TestTheOldProcessIsStoppedByItsOwnSignals(t *testing.T) {
	c := Config{Specs: specs("worker", 1), Reload: reloadTo(func(s *Spec) { s.StopSignal = unix.SIGQUIT }, 1)}
	h := inHouse(t, c, always(behaviour{work: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(time.Minute)
	})
	wantHistory(t, h, "worker.1", "start, TERM, CONT, gone, start, QUIT, CONT, gone")
}

func TestQuietDuringARestartStartsNothingMore(t *testing.T) {
	for _, after := range []time.Duration{100 * time.Millisecond, 700 * time.Millisecond} {
		h := inHouse(t, Config{Specs: specs("worker", 2)}, always(behaviour{quiet: true, work: time.Second}), func(h *house) {
			time.Sleep(20 * time.Second)
			h.deliver(unix.SIGHUP)
			time.Sleep(after)
			h.deliver(unix.SIGUSR1)
			time.Sleep(time.Minute)
		})
		wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
	}
}

func TestBroadcastAfterAQuietStillWaitsForHalf(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1), Broadcast: BroadcastYes}, always(behaviour{quiet: true, work: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGUSR1)
		time.Sleep(20 * time.Second)
		h.term()
	})
	if at := h.sentAt("worker.1", unix.SIGTERM); at < 4*time.Second {
		t.Errorf("the second TERM came %s after the platform's", at)
	}
}

func TestGivingUpIsNoBroadcast(t *testing.T) {
	h := inHouse(t, Config{Specs: append(specs("web", 1), specs("bad", 1)...), Broadcast: BroadcastYes}, func(s *Spec, _ int) behaviour {
		if s.Type == "bad" {
			return behaviour{up: time.Millisecond, code: 1}
		}
		return behaviour{quiet: true, work: time.Second}
	}, func(h *house) { <-h.done })
	wantHistory(t, h, "web.1", "start, TSTP, TERM, CONT, gone")
	if h.said("which the platform sends") {
		t.Error("it blames the platform")
	}
	wantStatus(t, h, 1)
}

func TestTheDaemonOfAWorkerThatDrainedIsToldToEnd(t *testing.T) {
	daemon := behaviour{comm: "daemon", work: 3 * time.Second}
	h := inHouse(t, Config{Specs: specs("worker", 2)}, func(s *Spec, _ int) behaviour {
		if s.Slot == 1 {
			return behaviour{quiet: true, work: time.Second, up: 20*time.Second + 200*time.Millisecond, stray: &daemon}
		}
		return behaviour{deaf: true}
	}, func(h *house) {
		time.Sleep(20 * time.Second)
		h.term()
	})
	if got := h.history("daemon"); got != "TERM, CONT" {
		t.Errorf("the daemon got %q, want no KILL: it had 9 s", got)
	}
}

func TestUSR2IsNotPassedToAServerThatBoots(t *testing.T) {
	puma := func(s *Spec) { s.Server = Server{Name: "puma", Stop: unix.SIGTERM} }
	h := inHouse(t, Config{Specs: specs("web", 1, puma)}, always(behaviour{work: time.Second}), func(h *house) {
		h.deliver(unix.SIGUSR2)
		time.Sleep(time.Second)
	})
	if got := h.history("web.1"); strings.Contains(got, "USR2") {
		t.Errorf("web.1: %s", got)
	}
}

func TestStoppingThatWasSaidBeforeAnEndIsABroadcast(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 2)}, always(behaviour{quiet: true, work: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.mu.Lock()
		h.notes = append(h.notes, Note{PID: self + 1, Text: "STOPPING=1\n"})
		h.mu.Unlock()
		h.Wake()
		time.Sleep(100 * time.Millisecond)
		h.mu.Lock()
		h.end(h.procs[self+1], Exit{})
		h.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		h.term()
	})
	wantHistory(t, h, "worker.2", "start, TERM, CONT, gone")
}

func TestAbortAfterAQuietMakesUpForAll(t *testing.T) {
	c := Config{Specs: specs("worker", 3), Reload: reloadTo(asItWas, 3)}
	inHouse(t, c, func(s *Spec, nth int) behaviour {
		if s.Dir == "new" {
			return behaviour{up: 100 * time.Millisecond, code: 1}
		}
		return behaviour{quiet: true, work: time.Second, up: time.Duration(1-min(nth, 1)) * 25 * time.Second}
	}, func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGUSR1)
		time.Sleep(time.Minute) // all have ended
		h.deliver(unix.SIGHUP)
		time.Sleep(2 * time.Minute)
		if n := h.startsOf("worker.3"); n != 2 {
			t.Errorf("worker.3 was started %d times, want 2: quiet is over, and it is made up for", n)
		}
	})
}

func TestWhatCannotBeKilledIsNoSuccess(t *testing.T) {
	s := &supervisor{Config: Config{Specs: specs("exec", 1), OwnStatus: true}, stopping: &stopping{killed: true}, running: map[int]*process{7: {}}}
	spec := Spec{Type: "exec", Slot: 1, Restart: RestartNever}
	s.processes = []*process{{spec: &spec, pid: 7, state: Killed}}
	if got := s.status(); got != 3 {
		t.Errorf("exit status %d, want 3", got)
	}
	s.processes, s.running = nil, nil
	_ = s.status() // no processes at all: no panic
}
