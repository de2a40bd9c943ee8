package launcher

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// watched is a fake kernel that looks into its supervisor whenever that waits.
type watched struct {
	*fake
	look func() []int
	held []int
}

func (k *watched) Wait(until time.Time) Heard {
	k.mu.Lock()
	k.held = k.look()
	k.mu.Unlock()
	return k.fake.Wait(until)
}

// TestADayLeavesNothingBehind: crashes every half minute, daemons that come and go,
// probes and requests, for a day; and what the loop holds is no more at its end than
// it was after an hour.
func TestADayLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		daemon := behaviour{comm: "daemon", up: 20 * time.Minute}
		k := newFake(t, func(s *Spec, _ int) behaviour {
			switch {
			case s.Mute:
				return behaviour{up: time.Millisecond, stray: &behaviour{comm: "left", work: time.Millisecond}}
			case s.Type == "crash":
				return behaviour{up: 30 * time.Second, code: 1, stray: &daemon}
			}
			return goodListener
		})
		asks := func(s *Spec) { s.Live = probe(ProbeExec); s.Live.Period = time.Minute }
		w := &watched{fake: k}
		c := Config{
			Kernel: w, Inbox: NewInbox(k), QuietFor: -1,
			Specs: append(specs("crash", 2), specs("worker", 2, asks, beside)...),
		}
		ctx, stop := context.WithCancel(t.Context())
		s, err := newSupervisor(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		w.look = func() []int {
			return []int{
				len(s.processes), len(s.running), len(s.strays), len(s.probes.commands), len(s.probes.why),
				len(s.worked), len(s.watchers), len(s.restarts.aborted), len(s.counters.Types),
			}
		}
		go func() {
			defer context.AfterFunc(ctx, k.Wake)()
			s.loop()
		}()
		h := &house{fake: k, inbox: c.Inbox, over: ctx}
		held := func() []int {
			synctest.Wait()
			k.mu.Lock()
			defer k.mu.Unlock()
			return w.held
		}
		time.Sleep(time.Hour)
		before := held()
		for range 24 {
			time.Sleep(time.Hour - 5*time.Minute)
			h.ask(t, Request{Verb: AskRestart, Target: "worker"})
			h.deliver(unix.SIGTTIN)
			time.Sleep(5 * time.Minute)
		}
		for i, n := range held() {
			if n > before[i]+2 { // as it happens to be
				t.Errorf("after an hour %v, after a day %v", before, held())
				break
			}
		}
		stop()
		time.Sleep(time.Minute)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.closed = true
		for _, bad := range k.bad {
			t.Error(bad)
		}
		if len(k.procs) > 0 {
			t.Errorf("%d processes were left behind", len(k.procs))
		}
	})
}
