package launcher

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// ask puts a request to the house's loop; one that is over says nothing.
func (h *house) ask(t *testing.T, r Request) Reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	defer context.AfterFunc(h.over, cancel)()
	reply, err := h.inbox.Ask(ctx, r)
	if err != nil && h.over.Err() == nil {
		t.Errorf("%+v: %v", r, err)
	}
	return reply
}

// states are the processes' names and states, as status shows them.
func (r Reply) states() string {
	var out []string
	for _, p := range r.Status.Processes {
		out = append(out, p.Name+" "+p.State.String())
	}
	return strings.Join(out, ", ")
}

func wantStates(t *testing.T, r Reply, want string) {
	t.Helper()
	if got := r.states(); got != want {
		t.Errorf("status: %s\n  want: %s", got, want)
	}
}

var listener = behaviour{quiet: true, work: time.Second}

func TestAskQuietAndResume(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 2)}, always(listener), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskQuiet, Target: "worker.1"})
		wantStates(t, h.ask(t, Request{}), "worker.1 quieting, worker.2 ready")
		h.ask(t, Request{Verb: AskResume})
		wantStates(t, h.ask(t, Request{}), "worker.1 starting, worker.1 (old) stopping, worker.2 ready")
		time.Sleep(2 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 starting, worker.2 ready")
	})
	wantHistory(t, h, "worker.2", "start, TSTP, TERM, CONT, gone")
}

func TestAskQuietThenACrashStaysDown(t *testing.T) {
	inHouse(t, Config{Specs: specs("worker", 2)}, always(behaviour{up: time.Minute}), func(h *house) {
		time.Sleep(20 * time.Second)
		r := h.ask(t, Request{Verb: AskQuiet, Target: "worker.1"})
		if i := slices.IndexFunc(r.Status.Processes, func(p ProcessStatus) bool { return !p.HearsQuiet }); i != 0 {
			t.Error("status does not say that worker.1 hears no quiet signal")
		}
		time.Sleep(45 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 down, worker.2 starting")
		h.ask(t, Request{Verb: AskResume, Target: "worker"})
		time.Sleep(time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 starting, worker.2 starting")
	})
}

func TestDrainedByTitle(t *testing.T) {
	busy, idle := []string{"sidekiq 6.4.1 app [1 of 10 busy] stopping"}, []string{"sidekiq 6.4.1 app [0 of 10 busy] stopping"}
	inHouse(t, Config{Specs: specs("worker", 1, sidekiq)}, always(behaviour{quiet: true, work: time.Second, comm: "sidekiq", title: busy, ready: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskQuiet})
		title := func(words []string) {
			h.mu.Lock()
			h.procs[self+1].behave.title = words
			h.mu.Unlock()
		}
		drained := func() bool { return h.ask(t, Request{}).Status.Processes[0].Drained }
		time.Sleep(time.Minute)
		title(idle)
		time.Sleep(5 * time.Second)
		title(busy) // the title was old: a job came
		time.Sleep(5 * time.Second)
		title(idle)
		time.Sleep(9 * time.Second)
		if drained() {
			t.Error("drained after 9 s")
		}
		time.Sleep(3 * time.Second)
		if !drained() {
			t.Error("not drained after 12 s of an idle title")
		}
		if took := h.term(); took != time.Second {
			t.Errorf("the stop of a drained process took %s", took)
		}
	})
}

func TestResumeLetsADrainingSidekiqGoInItsOwnTime(t *testing.T) {
	busy, idle := []string{"sidekiq 6.4.1 app [1 of 10 busy] stopping"}, []string{"sidekiq 6.4.1 app [0 of 10 busy] stopping"}
	h := inHouse(t, Config{Specs: specs("worker", 1, sidekiq)}, always(behaviour{quiet: true, work: time.Second, comm: "sidekiq", title: busy, ready: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskQuiet})
		h.ask(t, Request{Verb: AskResume})
		time.Sleep(2 * time.Hour)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready, worker.1 (old) quieting")
		h.mu.Lock()
		h.procs[self+1].behave.title = idle
		h.mu.Unlock()
		time.Sleep(15 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready")
	})
	if got := h.history("worker.1"); !strings.HasPrefix(got, "start, TSTP, start, TERM, CONT, gone, ") {
		t.Errorf("worker.1: %s", got)
	}
}

func TestAskStopAndRestart(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 2)}, always(listener), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskStop, Target: "worker"})
		time.Sleep(time.Minute)
		wantStates(t, h.ask(t, Request{}), "worker.1 down, worker.2 down")
		h.ask(t, Request{Verb: AskRestart, Target: "worker.2"})
		time.Sleep(time.Minute)
		wantStates(t, h.ask(t, Request{}), "worker.1 down, worker.2 ready")
		if r := h.ask(t, Request{Verb: AskStop, Budget: time.Hour}); r.Err == "" {
			t.Error("a longer budget was not refused")
		}
		if r := h.ask(t, Request{Verb: AskStop, Target: "woker.1"}); !strings.Contains(r.Err, "did you mean worker.1?") {
			t.Errorf("no suggestion: %q", r.Err)
		}
		h.ask(t, Request{Verb: AskStop})
		if r := h.ask(t, Request{Verb: AskQuiet}); !strings.Contains(r.Err, "stopping") {
			t.Errorf("quiet during a stop: %q", r.Err)
		}
		<-h.done
	})
	wantStatus(t, h, 0)
	wantHistory(t, h, "worker.1", "start, TSTP, TERM, CONT, gone")
}

func TestAskRestartIsGracefulAndTold(t *testing.T) {
	inHouse(t, Config{Specs: specs("worker", 2)}, always(listener), func(h *house) {
		time.Sleep(20 * time.Second)
		before := h.ask(t, Request{}).Status
		r := h.ask(t, Request{Verb: AskRestart, Target: "worker.1"})
		if r.Status.Restart != "restarting: 0 of 1" {
			t.Errorf("status says %q", r.Status.Restart)
		}
		if r := h.ask(t, Request{Verb: AskRestart, Target: "worker.2"}); r.Err == "" {
			t.Error("a second restart of a slot was not refused")
		}
		time.Sleep(time.Minute)
		after := h.ask(t, Request{}).Status
		if after.Processes[0].PID == before.Processes[0].PID || after.Processes[1].PID != before.Processes[1].PID || after.Restart != "" {
			t.Errorf("before %+v\nafter %+v", before, after)
		}
	})
}

func TestAskScale(t *testing.T) {
	slot := func(typ string, slot int) (Spec, bool) { return Spec{Type: typ, Slot: slot}, typ == "worker" }
	inHouse(t, Config{Specs: specs("worker", 2), Slot: slot}, always(listener), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskScale, Target: "worker", Count: 4})
		time.Sleep(20 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready, worker.2 ready, worker.3 ready, worker.4 ready")
		h.ask(t, Request{Verb: AskScale, Target: "worker", Count: 1})
		time.Sleep(20 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready")
		h.ask(t, Request{Verb: AskScale, Target: "worker"})
		time.Sleep(20 * time.Second)
		wantStates(t, h.ask(t, Request{}), "")
		if r := h.ask(t, Request{Verb: AskScale, Target: "web", Count: 1}); r.Err == "" {
			t.Error("an unknown type was scaled")
		}
		if r := h.ask(t, Request{Verb: AskScale, Target: "worker", Count: 10_000_000}); r.Err == "" {
			t.Error("a typing mistake costs the machine")
		}
		h.ask(t, Request{Verb: AskScale, Target: "worker", Count: 1})
		time.Sleep(20 * time.Second)
		wantStates(t, h.ask(t, Request{}), "worker.1 ready")
	})
}

// Nothing is started until a restart or resume.
func TestAskScaleOfTheQuiet(t *testing.T) {
	slot := func(typ string, slot int) (Spec, bool) { return Spec{Type: typ, Slot: slot}, typ == "worker" }
	inHouse(t, Config{Specs: specs("worker", 2), Slot: slot}, always(listener), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskQuiet})
		if r := h.ask(t, Request{Verb: AskScale, Target: "worker", Count: 3}); !strings.Contains(r.Err, "launcher resume") {
			t.Errorf("scaled up while quiet: %q", r.Err)
		}
		h.ask(t, Request{Verb: AskResume})
		h.ask(t, Request{Verb: AskScale, Target: "worker", Count: 3})
		time.Sleep(20 * time.Second)
		if r := h.ask(t, Request{}); !strings.Contains(r.states(), "worker.3 ready") {
			t.Errorf("after resume: %s", r.states())
		}
	})
}

func TestAskSignal(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 2)}, always(behaviour{deaf: true}), func(h *house) {
		h.ask(t, Request{Verb: AskSignal, Target: "worker.2", Signal: unix.SIGHUP})
		time.Sleep(time.Second)
	})
	if got := h.history("worker.2"); !strings.HasPrefix(got, "start, HUP") {
		t.Errorf("worker.2: %s", got)
	}
	if got := h.history("worker.1"); strings.HasPrefix(got, "start, HUP") {
		t.Errorf("worker.1: %s", got)
	}
}

// TestAskSignalThatKills: who died of what launcher signal sent is no riddle.
func TestAskSignalThatKills(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskSignal, Target: "worker", Signal: unix.SIGKILL})
		time.Sleep(20 * time.Second)
	})
	if h.said("unknown KILL") || !h.said("asked by launcher signal; signal KILL") {
		t.Error("the log does not say who sent KILL")
	}
	if n := h.startsOf("worker.1"); n != 2 {
		t.Errorf("%d starts, want 2", n)
	}
}

func TestWatchersHearOfChanges(t *testing.T) {
	inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{up: time.Minute}), func(h *house) {
		time.Sleep(20 * time.Second)
		now := h.ask(t, Request{}).Status
		begin := time.Now()
		next := h.ask(t, Request{Since: now.Version}).Status
		if next.Version == now.Version || time.Since(begin) != 40*time.Second {
			t.Errorf("version %d after %d, told after %s", next.Version, now.Version, time.Since(begin))
		}
	})
}

// TestWatchersHearOfAQuietOfNothing: it changes no process, and yet the status.
func TestWatchersHearOfAQuietOfNothing(t *testing.T) {
	inHouse(t, Config{Specs: specs("worker", 1)}, always(behaviour{}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.ask(t, Request{Verb: AskStop, Target: "worker"})
		time.Sleep(10 * time.Second)
		now := h.ask(t, Request{}).Status
		go func() {
			time.Sleep(time.Minute)
			h.ask(t, Request{Verb: AskQuiet})
		}()
		begin := time.Now()
		if next := h.ask(t, Request{Since: now.Version}).Status; !next.Quiet || time.Since(begin) != time.Minute {
			t.Errorf("told after %s, quiet %t", time.Since(begin), next.Quiet)
		}
	})
}

func TestAFloodOfRequestsIsRefused(t *testing.T) {
	inbox := NewInbox(newFake(t, nil))
	for range mostRequests {
		inbox.requests <- Request{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := inbox.Ask(ctx, Request{}); err != ErrBusy {
		t.Errorf("got %v", err)
	}
	done := make(chan error)
	go func() {
		_, err := inbox.Ask(t.Context(), Request{})
		done <- err
	}()
	<-inbox.requests // there is room for one
	for range mostRequests {
		if r := <-inbox.requests; r.reply != nil {
			r.reply <- Reply{}
		}
	}
	if err := <-done; err != nil {
		t.Errorf("it waited for room: %v", err)
	}
}
