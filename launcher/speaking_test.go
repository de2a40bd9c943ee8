package launcher

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// says sends a message as one of a slot's processes does; sender 0: the process
// itself.
func (h *house) says(name, text string, sender int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for pid, p := range h.procs {
		if p.spec != nil && p.spec.Name() == name && p.exit == nil {
			if sender == 0 {
				sender = pid
			}
			h.notes = append(h.notes, Note{PID: pid, Sender: sender, Text: text})
			h.Wake()
			return
		}
	}
}

// pidOf is the pid of a slot's process, or of the one below it called comm.
func (h *house) pidOf(name, comm string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	for pid, p := range h.procs {
		if h.name(p) == name && comm == "" || comm != "" && h.name(p) == name+"/"+comm {
			return pid
		}
	}
	return 0
}

func TestWatchdogOfAProcess(t *testing.T) {
	b := listener
	b.ready = 2 * time.Second
	h := inHouse(t, Config{Specs: specs("worker", 2, sidekiq, live(ProbeNotify))}, always(b), func(h *house) {
		for range 20 { // 5 minutes
			time.Sleep(15 * time.Second)
			h.says("worker.1", "WATCHDOG=1", 0)
			h.says("worker.2", "WATCHDOG=1", 0)
		}
		time.Sleep(20 * time.Second)
		h.says("worker.1", "WATCHDOG=1", 0)
		time.Sleep(20 * time.Second)
		h.says("worker.1", "WATCHDOG=1", 0)
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
	if got := h.history("worker.2"); strings.Count(got, "start") != 2 {
		t.Errorf("worker.2, which said nothing for 40 s: %s", got)
	}
	if !h.said("is replaced: its live probe notify: no WATCHDOG=1 within 30s") {
		t.Errorf("the log is %v", h.events)
	}
}

func TestWatchdogTriggerAndOwnInterval(t *testing.T) {
	b := listener
	b.ready = time.Second
	h := inHouse(t, Config{Specs: specs("worker", 1, sidekiq, live(ProbeNotify))}, always(b), func(h *house) {
		time.Sleep(10 * time.Second)
		h.says("worker.1", "WATCHDOG=trigger", 0)
		time.Sleep(time.Minute)
		h.says("worker.1", "WATCHDOG_USEC=600000000\nWATCHDOG=1", 0)
		time.Sleep(9 * time.Minute)
	})
	if at := h.when(t, "worker.1", "is replaced: its live probe notify: it said WATCHDOG=trigger"); at != 10*time.Second {
		t.Errorf("replaced after %s, want at once", at)
	}
}

// Only those who asked for a watchdog have one.
func TestNoWatchdogUnlessAskedFor(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1, sidekiq)}, always(listener), func(h *house) {
		time.Sleep(10 * time.Second)
		h.says("worker.1", "WATCHDOG=1", 0)
		time.Sleep(time.Second)
		h.says("worker.1", "WATCHDOG=trigger", 0)
		time.Sleep(10 * time.Minute)
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
}

func TestWatchdogUpwardsOnlyWhileAllAreWell(t *testing.T) {
	b := listener
	b.ready = time.Second
	var beats atomic.Int64
	c := Config{Specs: specs("worker", 2, sidekiq, live(ProbeNotify, func(p *Probe) { p.Timeout = 20 * time.Second })), Watchdog: 5 * time.Second}
	c.Announce = func(text string) {
		if text == "WATCHDOG=1" {
			beats.Add(1)
		}
	}
	inHouse(t, c, always(b), func(h *house) {
		for range 8 {
			time.Sleep(10 * time.Second)
			h.says("worker.1", "WATCHDOG=1", 0)
			h.says("worker.2", "WATCHDOG=1", 0)
		}
		if n := beats.Load(); n < 15 {
			t.Errorf("%d beats in 80 s", n)
		}
		time.Sleep(21 * time.Second) // both are overdue, and one of them goes on
		before := beats.Load()
		time.Sleep(4 * time.Minute)
		if n := beats.Load() - before; n != 0 {
			t.Errorf("%d beats while a process is overdue", n)
		}
		h.says("worker.1", "WATCHDOG=1", 0)
		h.says("worker.2", "WATCHDOG=1", 0)
		time.Sleep(6 * time.Second)
		if beats.Load() == before {
			t.Error("no beat when all are well again")
		}
	})
}

func TestMessagesOfStrangers(t *testing.T) {
	child := behaviour{comm: "child"}
	daemon := behaviour{comm: "daemon"}
	b := listener
	b.child, b.stray = &child, &daemon
	specs := specs("worker", 2, sidekiq, ready(ProbeNotify))
	for _, row := range []struct {
		who    string
		sender func(h *house) int
		want   bool
	}{
		{"itself", func(*house) int { return 0 }, true},
		{"its child", func(h *house) int { return h.pidOf("worker.1", "child") }, true},
		{"its daemon", func(h *house) int {
			h.mu.Lock()
			defer h.mu.Unlock()
			for pid, p := range h.procs {
				if p.origin == "worker.1" {
					return pid
				}
			}
			return 0
		}, true},
		{"one that has ended", func(*house) int { return self + 1000 }, true},
		{"another slot's", func(h *house) int { return h.pidOf("worker.2", "") }, false},
		{"another slot's child", func(h *house) int { return h.pidOf("worker.2", "child") }, false},
		{"one outside our namespace", func(*house) int { return -1 }, false},
	} {
		t.Run(row.who, func(t *testing.T) {
			h := inHouse(t, Config{Specs: specs}, always(b), func(h *house) {
				time.Sleep(time.Second)
				h.says("worker.1", "READY=1", row.sender(h))
				time.Sleep(time.Second)
				if got := h.status(t).Processes[0].Ready; got != row.want {
					t.Errorf("taken: %v, want %v", got, row.want)
				}
			})
			if h.said("is none of its processes") == row.want {
				t.Errorf("the log is %v", h.events)
			}
		})
	}
}

func TestMainPID(t *testing.T) {
	app := behaviour{quiet: true, work: time.Second, comm: "app"}
	top := behaviour{quiet: true, work: time.Second, comm: "top", child: &app}
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(top), func(h *house) {
		time.Sleep(time.Second)
		h.says("worker.1", "MAINPID=99", 0)
		h.says("worker.1", "MAINPID=98", 0)
		time.Sleep(time.Second)
		h.says("worker.1", "MAINPID="+strconv.Itoa(h.pidOf("worker.1", "app")), 0)
		time.Sleep(time.Second)
		h.deliver(unix.SIGUSR1)
		time.Sleep(time.Second)
	})
	if got := h.history("worker.1/app"); got != "TSTP, TERM, CONT" {
		t.Errorf("the main process got %q", got)
	}
	if got := h.history("worker.1"); strings.Contains(got, "TSTP") {
		t.Errorf("the process above it got %q", got)
	}
	told := 0
	for _, e := range h.events {
		if strings.Contains(e.Text, "MAINPID=") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("it was said %d times that a MAINPID is not taken", told)
	}
}

// A main process that has gone, or whose number is another's, gets nothing.
func TestMainPIDThatIsGone(t *testing.T) {
	app := behaviour{up: 5 * time.Second, comm: "app"}
	top := behaviour{quiet: true, work: time.Second, comm: "top", child: &app}
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(top), func(h *house) {
		time.Sleep(time.Second)
		h.says("worker.1", "MAINPID="+strconv.Itoa(h.pidOf("worker.1", "app")), 0)
		time.Sleep(10 * time.Second)
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
}

// TestEarlyReady: what gunicorn's master says before its workers have loaded the
// program is no proof; what a worker says is, and so is time.
func TestEarlyReady(t *testing.T) {
	for _, tt := range []struct {
		what  string
		from  string // "": the master
		ready *Probe
		at    time.Duration
	}{
		{"the master", "", nil, 10 * time.Second},
		{"a worker", "worker", nil, 2 * time.Second},
		{"the master, as was asked for", "", &Probe{Kind: ProbeNotify}, 2 * time.Second},
	} {
		c := Config{Specs: specs("web", 1, func(s *Spec) {
			s.Server, _ = serverNamed("gunicorn")
			s.Ready = tt.ready
		})}
		b := behaviour{work: time.Second, child: &behaviour{comm: "worker", work: time.Second}}
		h := inHouse(t, c, always(b), func(h *house) {
			time.Sleep(2 * time.Second)
			h.says("web.1", "READY=1", h.pidOf("web.1", tt.from))
			time.Sleep(20 * time.Second)
		})
		i := slices.IndexFunc(h.events, func(e Event) bool { return e.Changed && e.To == Ready })
		if i < 0 || h.events[i].For != tt.at {
			t.Errorf("%s: ready event %d of %v, want it after %s", tt.what, i, h.events, tt.at)
		}
	}
}
