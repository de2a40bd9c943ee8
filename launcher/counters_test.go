package launcher

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// counted are the counters of the house's one type.
func (h *house) counted(t *testing.T) (Counters, TypeCounters) {
	t.Helper()
	c := h.ask(t, Request{Verb: AskMetrics}).Counters
	if len(c.Types) != 1 {
		t.Fatalf("%d types are counted", len(c.Types))
	}
	return c, c.Types[0]
}

func TestCountersOfCrashes(t *testing.T) {
	inHouse(t, Config{Specs: specs("worker", 1)}, func(_ *Spec, nth int) behaviour {
		return behaviour{up: time.Second, code: nth % 2, ready: time.Millisecond}
	}, func(h *house) {
		time.Sleep(10 * time.Minute)
		c, w := h.counted(t)
		gone := w.Exits[ExitedSuccess] + w.Exits[ExitedFailure]
		if gone < 10 || w.Starts-gone > 1 || w.Restarts != gone || w.Exits[ExitedSuccess]-w.Exits[ExitedFailure] > 1 {
			t.Errorf("%+v", w)
		}
		turns := uint64(0)
		for _, n := range c.Turns.Counts {
			turns += n
		}
		if turns < 2*gone {
			t.Errorf("%d turns for %d ends", turns, gone)
		}
		before := c.Types[0].Starts
		time.Sleep(10 * time.Minute)
		if c.Types[0].Starts != before {
			t.Error("what was given out has changed")
		}
	})
}

func TestCountersOfStarts(t *testing.T) {
	inHouse(t, Config{Specs: specs("worker", 1)}, func(_ *Spec, nth int) behaviour {
		if nth < 3 {
			return behaviour{err: unix.ENOENT}
		}
		return behaviour{}
	}, func(h *house) {
		time.Sleep(time.Minute)
		if _, w := h.counted(t); w.FailedStarts != 3 || w.Starts != 1 || w.Restarts != 0 {
			t.Errorf("%+v", w)
		}
	})
}

// TestCountersOfAStop: how long quiet and stop took, and that one was killed
// with work in hand.
func TestCountersOfAStop(t *testing.T) {
	behaves := func(s *Spec, nth int) behaviour {
		if s.Slot == 1 {
			return behaviour{quiet: true, work: 3 * time.Second, ready: time.Second}
		}
		return behaviour{quiet: true, deaf: nth == 0, work: time.Second, ready: time.Second, comm: "sidekiq", title: []string{"sidekiq 6.4.1 app [3 of 10 busy] stopping"}}
	}
	inHouse(t, Config{Specs: specs("worker", 2, sidekiq), QuietFor: 4 * time.Second}, behaves, func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskRestart, Target: "worker"})
		time.Sleep(2 * time.Second)
		if p := h.ask(t, Request{}).Status; p.Time.Sub(p.Processes[0].Draining) != 2*time.Second {
			t.Errorf("draining since %s", p.Processes[0].Draining)
		}
		time.Sleep(time.Minute)
		_, w := h.counted(t)
		if w.Exits[ExitedKilled] != 1 || w.KilledBusy != 1 || w.Exits[ExitedSuccess] != 1 || w.Starts != 4 {
			t.Errorf("%+v", w)
		}
		if w.Quiet.Sum != 8*time.Second || w.Stop.Sum != 3*time.Second+5500*time.Millisecond {
			t.Errorf("quiet %s, stop %s", w.Quiet.Sum, w.Stop.Sum)
		}
		if w.Quiet.Counts[4] != 2 { // 2 s to 5 s
			t.Errorf("quiet %v", w.Quiet.Counts)
		}
	})
}

// TestDone: who ended with 0 under restart never has done what it was for.
func TestDone(t *testing.T) {
	once := func(s *Spec) { s.Restart = RestartNever }
	inHouse(t, Config{Specs: specs("worker", 3, once)}, func(s *Spec, _ int) behaviour {
		if s.Slot == 3 {
			return behaviour{}
		}
		return behaviour{up: time.Second, code: s.Slot - 1}
	}, func(h *house) {
		time.Sleep(20 * time.Second)
		p := h.ask(t, Request{}).Status.Processes
		if !p[0].Done || p[1].Done || p[2].Done {
			t.Errorf("%+v", p)
		}
	})
}
