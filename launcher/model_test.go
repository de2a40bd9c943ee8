package launcher

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// TestModel plays random schedules: processes of every temper, signals at any
// moment. What must hold in each: nothing is started after the stop began; what
// hears a quiet signal has it before TERM; all is gone within the budget; no
// pid is signalled after it was reaped, and none frozen (the fake kernel's own
// watch); never more processes than asked for; of each probe one question at a
// time, none to a process that was told to end, and none that outlives the stop.
func TestModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		count := rapid.IntRange(1, 5).Draw(r, "count")
		budget := time.Duration(rapid.IntRange(2, 12).Draw(r, "budget")) * time.Second
		tempers := rapid.SliceOfN(rapid.Custom(drawBehaviour), 1, 6).Draw(r, "behaviours")
		known := rapid.Bool().Draw(r, "known")
		moments := rapid.SliceOfN(rapid.IntRange(0, 15000), 0, 8).Draw(r, "moments")
		signals := rapid.SliceOfN(rapid.SampledFrom([]unix.Signal{
			unix.SIGHUP, unix.SIGUSR1, unix.SIGTSTP, unix.SIGTTIN, unix.SIGUSR2, unix.SIGWINCH, unix.SIGCONT,
		}), 8, 8).Draw(r, "signals")
		says := rapid.SliceOfN(rapid.SampledFrom([]string{
			"READY=1", "WATCHDOG=1", "WATCHDOG=trigger", "STOPPING=1", "STATUS=drained", "MAINPID=4194305", "MAINPID=2", "WATCHDOG_USEC=500000",
		}), 8, 8).Draw(r, "says")
		asks, probes := drawProbes(r)
		c := Config{
			Specs: specs("worker", count, probes, func(s *Spec) {
				if known {
					sidekiq(s)
				}
			}),
			Budget: budget, PID1: rapid.Bool().Draw(r, "pid1"),
			Broadcast: rapid.SampledFrom([]Broadcast{BroadcastAuto, BroadcastNo}).Draw(r, "broadcast"),
		}
		c.Ask = asks.ask
		var took time.Duration
		var stopAt time.Time
		h := inHouse(t, c, func(s *Spec, nth int) behaviour {
			if s.Mute {
				return asks.command(s)
			}
			return tempers[(s.Slot+nth)%len(tempers)]
		}, func(h *house) {
			for i, ms := range moments {
				time.Sleep(time.Duration(ms) * time.Millisecond)
				h.deliver(signals[i])
				h.says("worker.1", says[i], 0)
			}
			time.Sleep(time.Millisecond)
			select {
			case <-h.done: // it gave up
				return
			default:
			}
			stopAt = time.Now()
			took = h.term()
		})
		if took > budget {
			r.Fatalf("the stop took %s of %s", took, budget)
		}
		checkStop(r, h, stopAt, c)
		asks.check(r, h, stopAt)
		for _, bad := range h.bad {
			r.Fatal(bad)
		}
	})
}

func drawBehaviour(r *rapid.T) behaviour {
	ms := func(name string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(r, name)) * time.Millisecond
	}
	b := behaviour{
		boot: ms("boot", 3000), quiet: rapid.Bool().Draw(r, "quiet"), work: ms("work", 12000) + time.Millisecond,
		deaf: rapid.IntRange(0, 9).Draw(r, "deaf") == 0,
	}
	switch rapid.IntRange(0, 5).Draw(r, "kind") {
	case 0:
		b.up, b.code = ms("up", 20000)+time.Millisecond, rapid.IntRange(0, 1).Draw(r, "code")
	case 1:
		b.stray = &behaviour{comm: "daemon", work: ms("stray work", 3000) + time.Millisecond, deaf: rapid.Bool().Draw(r, "stray deaf")}
	case 2:
		child := behaviour{comm: "child", work: ms("child work", 3000) + time.Millisecond, quiet: rapid.Bool().Draw(r, "child quiet")}
		b.comm, b.child = rapid.SampledFrom([]string{"sh", "app"}).Draw(r, "comm"), &child
	case 3:
		b.err = rapid.SampledFrom([]error{unix.ENOENT, unix.EAGAIN, nil}).Draw(r, "err")
	case 4:
		b.ready = ms("ready", 5000) + time.Millisecond
	}
	return b
}

// checkStop reads the log of a run from the stop on.
func checkStop(r *rapid.T, h *house, stopAt time.Time, c Config) {
	running, most := 0, 0
	for _, line := range h.log {
		switch {
		case strings.HasSuffix(line, " start"):
			running++
		case strings.HasSuffix(line, " gone"):
			running--
		}
		most = max(most, running)
	}
	if most > len(c.Specs) {
		r.Fatalf("%d processes at once, asked for %d", most, len(c.Specs))
	}
	if running != 0 {
		r.Fatalf("%d starts have no end", running)
	}
	for _, e := range h.events {
		if e.Changed && e.To == Starting && !stopAt.IsZero() && e.Time.After(stopAt) {
			r.Fatalf("%s was started after the stop began", e.Process)
		}
	}
	quieted := make(map[int]bool)
	for _, s := range h.sent {
		switch s.sig {
		case unix.SIGTSTP:
			quieted[s.pid] = true
		case unix.SIGCONT:
			if quieted[s.pid] && !termed(h, s.pid, s.at) {
				r.Fatal(fmt.Sprintf("CONT to %d between its quiet and its stop signal", s.pid))
			}
		}
	}
}

func termed(h *house, pid int, by time.Time) bool {
	for _, s := range h.sent {
		if s.pid == pid && s.sig != unix.SIGTSTP && s.sig != unix.SIGCONT && !s.at.After(by) {
			return true
		}
	}
	return false
}
