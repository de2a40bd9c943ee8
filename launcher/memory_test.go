package launcher

import (
	"sync/atomic"
	"testing"
	"time"
)

func growing(rate int64) behaviour {
	return behaviour{quiet: true, work: time.Second, ready: 3 * time.Second, grows: rate}
}

func TestMaxMemoryReplacesOneAtATimeTheLargestFirst(t *testing.T) {
	c := Config{Specs: specs("worker", 3, func(s *Spec) { s.MaxMemory = 600e6 })}
	h := inHouse(t, c, func(s *Spec, nth int) behaviour {
		if nth > 0 {
			return growing(0)
		}
		return growing(int64(10e6 * (1 + float64(s.Slot)/100))) // over at 60 s, worker.3 the largest
	}, func(*house) { time.Sleep(10 * time.Minute) })
	var order []string
	down := 0
	for _, e := range h.events {
		if !e.Changed || !e.Time.Before(h.stopBegin()) {
			continue
		}
		switch e.To {
		case Quieting:
			order = append(order, e.Process)
			down++
		case Ready:
			down = max(0, down-1)
		}
		if down > 1 {
			t.Fatalf("%s goes down before the last one's replacement is ready", e.Process)
		}
	}
	if len(order) < 3 || order[0] != "worker.3" || order[1] != "worker.2" || order[2] != "worker.1" {
		t.Errorf("replaced %v, want the largest first", order)
	}
	if !h.said("is over its limit of 600 MB") {
		t.Error("the cause was not said")
	}
}

func TestMaxMemoryOfOneThatDoesNotObey(t *testing.T) {
	c := Config{Specs: specs("worker", 1, func(s *Spec) { s.MaxMemory = 100e6 })}
	h := inHouse(t, c, func(_ *Spec, nth int) behaviour {
		if nth == 0 {
			return behaviour{deaf: true, grows: 10e6}
		}
		return growing(0)
	}, func(*house) { time.Sleep(5 * time.Minute) })
	wantHistory(t, h, "worker.1", "start, TERM, CONT, KILL, gone, start, TSTP, TERM, CONT, gone")
}

func TestMemoryGuardStopsTheLargestFirst(t *testing.T) {
	var there atomic.Pointer[house]
	used := func() (int64, int64, bool) {
		h := there.Load()
		h.mu.Lock()
		defer h.mu.Unlock()
		var sum int64
		for _, p := range h.procs {
			sum += int64(float64(p.behave.grows) * time.Since(p.born).Seconds())
		}
		return sum, 1e9, true
	}
	c := Config{Specs: specs("worker", 3)}
	c.Guard = MemoryGuard{Used: used, Share: 0.95}
	h := inHouse(t, c, func(s *Spec, nth int) behaviour {
		if nth > 0 {
			return growing(0)
		}
		return growing(int64(s.Slot) * 1e6)
	}, func(h *house) {
		there.Store(h)
		time.Sleep(10 * time.Minute)
	})
	wantHistory(t, h, "worker.3", "start, TSTP, TERM, CONT, gone, start, TSTP, TERM, CONT, gone")
	if !h.said("this is the largest process") {
		t.Error("the cause was not said")
	}
}

func TestMemoryIsNotLookedAtUnlessAskedFor(t *testing.T) {
	s, err := newSupervisor(t.Context(), Config{Kernel: newFake(t, nil), Specs: specs("worker", 1)})
	if err != nil || !s.weighAt.IsZero() {
		t.Errorf("%v, to be looked at %s", err, s.weighAt)
	}
}
