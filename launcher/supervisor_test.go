package launcher

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func sidekiq(s *Spec) {
	s.Server = Server{Name: "sidekiq", Quiet: unix.SIGTSTP, Again: true, Jobs: true, Notifies: true, Titles: true}
}

func wantHistory(t *testing.T, h *house, name, want string) {
	t.Helper()
	if got := h.history(name); got != want {
		t.Errorf("%s: %s\n want %s", name, got, want)
	}
}

func wantStatus(t *testing.T, h *house, want int) {
	t.Helper()
	if h.result.Status != want {
		t.Errorf("exit status %d, want %d", h.result.Status, want)
	}
}

func TestStopQuietsThenTerms(t *testing.T) {
	var took time.Duration
	h := inHouse(t, Config{Specs: specs("worker", 2)}, always(behaviour{quiet: true, work: 3 * time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		took = h.term()
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
	wantHistory(t, h, "worker.2", "start, TSTP, TERM, CONT, gone")
	wantStatus(t, h, 0)
	if took != 3500*time.Millisecond {
		t.Errorf("the stop took %s, want 500 ms of quiet and 3 s of work", took)
	}
	if !h.said("worker.1 worker.2 TSTP 0.00s, TERM 0.50s, gone 3.50s (status 0)") {
		t.Errorf("no time line in %v", h.events)
	}
}

func TestStopLeavesOutAQuietPhaseThatNothingHears(t *testing.T) {
	var took time.Duration
	h := inHouse(t, Config{Specs: specs("worker", 100)}, always(behaviour{}), func(h *house) {
		time.Sleep(20 * time.Second)
		took = h.term()
	})
	wantHistory(t, h, "worker.7", "start, TERM, gone")
	if took != 0 {
		t.Errorf("the stop took %s", took)
	}
}

func TestStopKillsTheDeafInsideTheBudget(t *testing.T) {
	for _, pid1 := range []bool{false, true} {
		var took time.Duration
		h := inHouse(t, Config{Specs: specs("worker", 3), Budget: 4 * time.Second, PID1: pid1}, always(behaviour{deaf: true}), func(h *house) {
			took = h.term()
		})
		wantHistory(t, h, "worker.1", "start, TERM, CONT, KILL, gone")
		wantStatus(t, h, 3)
		if took < 3600*time.Millisecond || took > 4*time.Second {
			t.Errorf("the stop took %s", took)
		}
	}
}

// TestStopThatStoodStill: a launcher that gets no time to run from TERM until after
// the budget kills before it goes, however late, and leaves nothing behind.
func TestStopThatStoodStill(t *testing.T) {
	const late = time.Minute
	for _, pid1 := range []bool{false, true} {
		stray := behaviour{comm: "daemon", deaf: true}
		var took time.Duration
		h := inHouse(t, Config{Specs: specs("worker", 3), Budget: 4 * time.Second, PID1: pid1}, always(behaviour{deaf: true, stray: &stray}), func(h *house) {
			time.AfterFunc(time.Second, func() {
				h.mu.Lock()
				defer h.mu.Unlock()
				h.still = time.Now().Add(late)
			})
			took = h.term()
		})
		wantHistory(t, h, "worker.1", "start, TERM, CONT, KILL, gone")
		wantStatus(t, h, 3)
		if took < late || took > late+2*time.Second {
			t.Errorf("the stop took %s", took)
		}
	}
}

// TestStopAgainWhatWasBooting: one that swallowed TERM while it booted gets it once
// more where that does no harm, at the latest when it says that it is ready.
func TestStopAgainWhatWasBooting(t *testing.T) {
	for _, tt := range []struct {
		what    string
		ready   time.Duration
		harm    bool
		history string
		took    time.Duration
		status  int
	}{
		{"it says nothing", 0, false, "start, TERM, CONT, TERM, gone", 2 * time.Second, 0},
		{"it says READY=1", 1500 * time.Millisecond, false, "start, TERM, CONT, TERM, gone", time.Second, 0},
		{"a second TERM is now", 0, true, "start, TERM, CONT, KILL, gone", 9500 * time.Millisecond, 3},
	} {
		var took time.Duration
		c := Config{Specs: specs("web", 1, func(s *Spec) { s.Server = Server{Name: "puma", Drains: true, Again: !tt.harm} })}
		h := inHouse(t, c, always(behaviour{daze: time.Second, ready: tt.ready}), func(h *house) {
			time.Sleep(500 * time.Millisecond)
			took = h.term()
		})
		wantHistory(t, h, "web.1", tt.history)
		wantStatus(t, h, tt.status)
		if took != tt.took {
			t.Errorf("%s: the stop took %s, want %s", tt.what, took, tt.took)
		}
	}
	// What was ready drains, and is left alone.
	h := inHouse(t, Config{Specs: specs("web", 1, func(s *Spec) { s.Server = Server{Name: "puma", Drains: true, Again: true} })},
		always(behaviour{ready: time.Second, work: 5 * time.Second}), func(h *house) {
			time.Sleep(3 * time.Second)
			h.term()
		})
	wantHistory(t, h, "web.1", "start, TERM, CONT, gone")
}

func TestStopSecondTermMeansNothingMore(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{quiet: true, work: 2 * time.Second}), func(h *house) {
		for range 50 {
			h.deliver(unix.SIGTERM)
			time.Sleep(10 * time.Millisecond)
		}
		<-h.done
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
	wantStatus(t, h, 0)
}

func TestInterruptSkipsTheQuietPhaseAndTheSecondKills(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{quiet: true, deaf: true}), func(h *house) {
		h.deliver(unix.SIGINT)
		time.Sleep(time.Second)
		h.deliver(unix.SIGINT)
		<-h.done
	})
	wantHistory(t, h, "worker.1", "start, TERM, CONT, KILL, gone")
	wantStatus(t, h, 3)

	h = inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{quiet: true, work: 100 * time.Millisecond}), func(h *house) {
		h.deliver(unix.SIGTERM)
		time.Sleep(100 * time.Millisecond)
		h.deliver(unix.SIGINT)
		time.Sleep(101 * time.Millisecond)
		select {
		case <-h.done:
		default:
			t.Error("INT did not end the quiet phase")
		}
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
}

func TestQuietIsOwedToAProcessThatBoots(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1, sidekiq)},
		always(behaviour{quiet: true, work: time.Second, boot: 300 * time.Millisecond, comm: "sidekiq"}), func(h *house) {
			time.Sleep(100 * time.Millisecond)
			h.term()
		})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
}

func TestQuietNeverReachesWhatDoesNotCatchIt(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1, sidekiq)},
		always(behaviour{boot: time.Hour, comm: "sidekiq"}), func(h *house) { h.term() })
	wantHistory(t, h, "worker.1", "start, TERM, gone")
}

func TestQuietAndStopGoThroughAShell(t *testing.T) {
	app := behaviour{quiet: true, work: time.Second, comm: "ruby"}
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{comm: "sh", child: &app, up: 0}), func(h *house) {
		h.term()
	})
	if got := h.history("worker.1/ruby"); got != "TSTP, TERM, CONT" {
		t.Errorf("ruby below sh got %q", got)
	}
}

func TestBroadcast(t *testing.T) {
	worker := behaviour{quiet: true, work: time.Second}
	h := inHouse(t, Config{Specs: append(specs("worker", 1, sidekiq), specs("rq", 1)...), Broadcast: BroadcastYes},
		always(worker), func(h *house) {
			time.Sleep(20 * time.Second)
			h.term()
		})
	wantHistory(t, h, "worker.1", "start, TERM, CONT, gone")
	if at := h.sentAt("rq.1", unix.SIGTERM); at < 4*time.Second {
		t.Errorf("rq, to which a second TERM means now, got ours %s after the platform's", at)
	}
	if at := h.sentAt("worker.1", unix.SIGTERM); at > time.Second {
		t.Errorf("sidekiq got its TERM only after %s", at)
	}
}

// sentAt is when a process got a signal, from the first signal that any got.
func (h *house) sentAt(name string, sig unix.Signal) time.Duration {
	for _, e := range h.events {
		if e.Process == name && strings.HasSuffix(e.Text, "sent "+SignalName(sig)) {
			return e.Time.Sub(h.stopBegin())
		}
	}
	return -1
}

func (h *house) stopBegin() time.Time {
	for _, e := range h.events {
		if strings.HasPrefix(e.Text, "stopping:") {
			return e.Time
		}
	}
	return time.Time{}
}

func TestBroadcastIsRecognisedByAWorkerThatEndsFirst(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 2)}, always(behaviour{quiet: true, work: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.mu.Lock()
		h.end(h.procs[self+1], Exit{Status: unix.WaitStatus(unix.SIGTERM)})
		h.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		h.term()
	})
	wantHistory(t, h, "worker.1", "start, gone") // not started again in the same moment
	wantHistory(t, h, "worker.2", "start, TERM, CONT, gone")
}

func TestCrashIsReplacedAtOnceThenWithBackoff(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{up: time.Millisecond, code: 1}), func(h *house) {
		time.Sleep(50 * time.Millisecond)
		if n := h.startsOf("worker.1"); n != 2 {
			t.Errorf("%d starts within 50 ms, want 2: the first crash is replaced at once", n)
		}
		time.Sleep(55 * time.Second)
		if n := h.startsOf("worker.1"); n < 7 || n > 12 {
			t.Errorf("%d starts within 55 s, want about 10", n)
		}
	})
	wantStatus(t, h, 0)
}

func (h *house) startsOf(name string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.starts[name]
}

func TestGivesUpABadDeploy(t *testing.T) {
	bad := func(s *Spec, _ int) behaviour {
		if s.Type == "bad" {
			return behaviour{up: time.Millisecond, code: 1}
		}
		return behaviour{work: time.Second}
	}
	h := inHouse(t, Config{Specs: append(specs("web", 1), specs("bad", 2)...)}, bad, func(h *house) { <-h.done })
	wantStatus(t, h, 1)
	if !h.said("gave up bad") {
		t.Error("it does not say what it gave up")
	}
	if got := h.history("web.1"); got != "start, TERM, CONT, gone" {
		t.Errorf("web.1: %s", got)
	}
}

func TestNeverGivesUpWhatHasWorked(t *testing.T) {
	outage := func(_ *Spec, nth int) behaviour {
		if nth == 0 {
			return behaviour{up: 30 * time.Second, code: 1}
		}
		return behaviour{up: time.Millisecond, code: 1}
	}
	inHouse(t, Config{Specs: specs("worker", 2)}, outage, func(h *house) {
		time.Sleep(10 * time.Minute)
		select {
		case <-h.done:
			t.Fatal("it gave up")
		default:
		}
		if n := h.startsOf("worker.1"); n < 20 {
			t.Errorf("only %d starts in 10 minutes", n)
		}
	})
}

func TestStartsThatCannotWork(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{err: unix.ENOENT}), func(h *house) { <-h.done })
	wantStatus(t, h, 1)

	h = inHouse(t, Config{Specs: specs("worker", 1, func(s *Spec) { s.Restart = RestartNever }), OwnStatus: true},
		always(behaviour{err: unix.EACCES}), func(h *house) { <-h.done })
	wantStatus(t, h, 126)

	scarce := func(_ *Spec, nth int) behaviour {
		if nth < 30 {
			return behaviour{err: unix.EAGAIN}
		}
		return behaviour{work: time.Second}
	}
	h = inHouse(t, Config{Specs: specs("worker", 1, func(s *Spec) { s.Restart = RestartNever })}, scarce, func(h *house) {
		time.Sleep(30 * time.Minute)
		h.term()
	})
	wantStatus(t, h, 0)
	if got := h.history("worker.1"); got != "start, TERM, CONT, gone" {
		t.Errorf("after the limit was lifted: %s", got)
	}
}

func TestRestartPolicies(t *testing.T) {
	policy := func(r Restart) func(*Spec) { return func(s *Spec) { s.Restart = r } }
	ends := func(code int) func(*Spec, int) behaviour {
		return always(behaviour{up: time.Second, code: code})
	}
	wait := func(h *house) { <-h.done }
	h := inHouse(t, Config{Specs: specs("a", 2, policy(RestartNever))}, ends(0), wait)
	wantStatus(t, h, 0)
	h = inHouse(t, Config{Specs: specs("a", 2, policy(RestartNever))}, ends(7), wait)
	wantStatus(t, h, 7)
	wantHistory(t, h, "a.1", "start, gone")
	h = inHouse(t, Config{Specs: specs("a", 1, policy(RestartOnFailure))}, func(_ *Spec, nth int) behaviour {
		return behaviour{up: time.Second, code: max(0, 2-nth)}
	}, wait)
	wantHistory(t, h, "a.1", "start, gone, start, gone, start, gone")
	wantStatus(t, h, 0)
}

func TestQuietStaysSoUntilItIsStopped(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 2)}, always(behaviour{quiet: true, work: time.Second, up: time.Minute}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGUSR1)
		time.Sleep(10 * time.Minute)
		select {
		case <-h.done:
			t.Error("it ended when its quieted processes had")
		default:
		}
		h.term()
	})
	wantHistory(t, h, "worker.1", "start, TSTP, gone")
	wantStatus(t, h, 0)
}

func TestAfterAQuietTermGoesStraightToTheStopSignal(t *testing.T) {
	var took time.Duration
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{quiet: true, work: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGTSTP)
		time.Sleep(5 * time.Second)
		h.deliver(unix.SIGCONT) // would discard a pending TSTP: waits
		time.Sleep(5 * time.Second)
		took = h.term()
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
	if took != time.Second {
		t.Errorf("took %s", took)
	}
}

func TestStraysAreDismissed(t *testing.T) {
	stray := behaviour{comm: "daemon", work: time.Second}
	var took time.Duration
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{work: 2 * time.Second, stray: &stray}), func(h *house) {
		time.Sleep(time.Minute)
		took = h.term()
	})
	if got := h.history("daemon"); got != "TERM, CONT" {
		t.Errorf("the daemon got %q", got)
	}
	if took != 2*time.Second {
		t.Errorf("took %s: the daemon did not end beside the worker it came from", took)
	}
	wantStatus(t, h, 0)

	deaf := behaviour{comm: "daemon", deaf: true}
	h = inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{work: time.Second, stray: &deaf}), func(h *house) { h.term() })
	wantStatus(t, h, 3)
}

func TestWhatACrashLeavesInItsSessionIsDismissed(t *testing.T) {
	child := behaviour{comm: "left", work: time.Second}
	h := inHouse(t, Config{Specs: specs("worker", 1)}, func(_ *Spec, nth int) behaviour {
		if nth == 0 {
			return behaviour{up: time.Minute, code: 1, child: &child}
		}
		return behaviour{work: time.Second}
	}, func(h *house) { time.Sleep(2 * time.Minute) })
	if got := h.history("left"); got != "TERM, CONT" {
		t.Errorf("what was left in the session got %q", got)
	}
	if got := h.history("worker.1"); !strings.HasPrefix(got, "start, gone, start") {
		t.Errorf("worker.1: %s", got)
	}
}

func TestWithoutProc(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 2)}, always(behaviour{quiet: true, work: time.Second}), func(h *house) {
		h.noProc = true
		h.term()
	})
	wantHistory(t, h, "worker.1", "start, TERM, CONT, gone")
}

func TestOwnStatus(t *testing.T) {
	never := func(s *Spec) { s.Restart = RestartNever }
	c := Config{Specs: specs("exec", 1, never), OwnStatus: true, Pass: true}
	h := inHouse(t, c, always(behaviour{up: time.Second, code: 5}), func(h *house) { <-h.done })
	wantStatus(t, h, 5)

	h = inHouse(t, c, always(behaviour{}), func(h *house) { h.term() })
	wantHistory(t, h, "exec.1", "start, TERM, gone")
	wantStatus(t, h, 143)

	h = inHouse(t, c, always(behaviour{deaf: true}), func(h *house) {
		h.deliver(unix.SIGHUP)
		h.deliver(unix.SIGUSR1)
		time.Sleep(time.Millisecond)
	})
	wantStatus(t, h, 143-15+10) // USR1 was passed on unchanged, and killed it
	wantHistory(t, h, "exec.1", "start, HUP, USR1, gone")
}

func TestReloadRestartsOneByOne(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 3)}, always(behaviour{quiet: true, work: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(2 * time.Minute)
	})
	for _, name := range []string{"worker.1", "worker.2", "worker.3"} {
		wantHistory(t, h, name, "start, TSTP, TERM, CONT, gone, start, TSTP, TERM, CONT, gone")
	}
	if !h.said("all processes are replaced") {
		t.Error("the end of the restart was not said")
	}
	if got := h.history(""); !strings.Contains(got, "worker.1 gone, worker.1 start, worker.2 TSTP, worker.2 TERM, worker.2 CONT, worker.2 gone, worker.2 start, worker.3 TSTP") {
		t.Errorf("not one by one: %s", got)
	}
}

func TestReloadIsAbortedByANewProcessThatEnds(t *testing.T) {
	c := Config{Specs: specs("worker", 2), Reload: func() (Generation, error) {
		return Generation{Specs: specs("worker", 2, func(s *Spec) { s.Dir = "new" })}, nil
	}}
	h := inHouse(t, c, func(s *Spec, _ int) behaviour {
		if s.Dir == "new" {
			return behaviour{up: 100 * time.Millisecond, code: 1}
		}
		return behaviour{quiet: true, work: time.Second}
	}, func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(2 * time.Minute)
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone, start, gone, start, TSTP, TERM, CONT, gone")
	wantHistory(t, h, "worker.2", "start, TSTP, TERM, CONT, gone")
	if !h.said("restart aborted") {
		t.Error("the abort was not said")
	}
}

func TestTermDuringARestart(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 3)}, always(behaviour{quiet: true, work: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(700 * time.Millisecond)
		h.term()
	})
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
	wantStatus(t, h, 0)
}

func TestRespond(t *testing.T) {
	terminal, plain, pass := &Config{Terminal: true}, &Config{}, &Config{Pass: true}
	for _, tt := range []struct {
		sig  unix.Signal
		c    *Config
		want response
	}{
		{unix.SIGTERM, plain, stop},
		{unix.SIGINT, plain, interrupt},
		{unix.SIGHUP, plain, reload},
		{unix.SIGHUP, terminal, interrupt},
		{unix.SIGTSTP, plain, quiet},
		{unix.SIGTSTP, terminal, hint},
		{unix.SIGUSR1, plain, quiet},
		{unix.SIGUSR2, plain, knowing},
		{unix.SIGTTIN, plain, report},
		{unix.SIGTTIN, terminal, drop},
		{unix.SIGWINCH, plain, forward},
		{unix.SIGWINCH, terminal, drop},
		{unix.SIGHUP, pass, forward},
		{unix.SIGTSTP, pass, forward},
		{unix.SIGUSR2, pass, forward},
		{unix.SIGHUP, &Config{IgnoreHUP: true}, drop},
		{unix.SIGINT, &Config{IgnoreINT: true}, drop},
		{unix.SIGURG, plain, drop},
		{unix.SIGCHLD, pass, drop},
		{unix.SIGPIPE, plain, drop},
	} {
		if got := respond(tt.sig, tt.c); got != tt.want {
			t.Errorf("%s with %+v: %d, want %d", SignalName(tt.sig), tt.c, got, tt.want)
		}
	}
}

func TestStopTimeout(t *testing.T) {
	for _, tt := range []struct {
		budget, quiet time.Duration
		want          int
	}{
		{10 * time.Second, -1, 8},
		{2 * time.Second, -1, 1},
		{30 * time.Second, -1, 26},
		{10 * time.Second, 5 * time.Second, 3},
		{time.Minute, -1, 53},
	} {
		if got := StopTimeout(tt.budget, tt.quiet); got != tt.want {
			t.Errorf("StopTimeout(%s, %s) = %d, want %d", tt.budget, tt.quiet, got, tt.want)
		}
	}
}

func TestTimelineNamesRuns(t *testing.T) {
	if got := list([]string{"web.1", "worker.1", "worker.2", "worker.3", "worker.5"}); got != "web.1 worker.1-3 worker.5" {
		t.Error(got)
	}
}

// TestTimelineTellsOldOnes: a slot that two generations had is told apart.
func TestTimelineTellsOldOnes(t *testing.T) {
	begin := time.Unix(1000, 0)
	line := lifeline{stopped: begin, stop: unix.SIGTERM, gone: begin.Add(time.Second), exit: "status 0"}
	got := timeline([]*process{{name: "worker.1", line: line}, {name: "worker.1", old: true, line: line}}, begin)
	if want := "worker.1 worker.1 (old) TERM 0.00s, gone 1.00s (status 0)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
