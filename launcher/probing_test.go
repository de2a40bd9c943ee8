package launcher

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// prober answers http and tcp probes in a bubble.
type prober struct {
	mu     sync.Mutex
	answer func(target string, at time.Time) error // nil: all is well
	slow   time.Duration                           // until it answers
	asked  map[string]int                          // by target
	now    int                                     // questions under way
	most   map[string]int                          // at once, by target
	under  map[string]int
	last   map[string]time.Time
}

func newProber() *prober {
	return &prober{asked: map[string]int{}, most: map[string]int{}, under: map[string]int{}, last: map[string]time.Time{}}
}

func (f *prober) ask(ctx context.Context, p *Probe) error {
	f.mu.Lock()
	f.asked[p.Target]++
	f.now++
	f.under[p.Target]++
	f.most[p.Target] = max(f.most[p.Target], f.under[p.Target])
	f.last[p.Target] = time.Now()
	answer, slow := f.answer, f.slow
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.now--
		f.under[p.Target]--
		f.mu.Unlock()
	}()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if answer == nil {
		return nil
	}
	return answer(p.Target, time.Now())
}

func (f *prober) set(answer func(string, time.Time) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *prober) times(target string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[target]
}

var errAway = errors.New("answered 503")

func away(string, time.Time) error { return errAway }

func probe(kind ProbeKind, edit ...func(*Probe)) *Probe {
	p := &Probe{Kind: kind, Period: DefaultPeriod, Timeout: DefaultTimeout, Failures: DefaultFailures, Successes: 1}
	if kind == ProbeNotify {
		p.Timeout = DefaultWatchdog
	}
	for _, e := range edit {
		e(p)
	}
	return p
}

// ready and live give each spec a probe of its own, whose target is its name.
func ready(kind ProbeKind, edit ...func(*Probe)) func(*Spec) {
	return func(s *Spec) {
		s.Ready = probe(kind, edit...)
		s.Ready.Target = s.Name()
	}
}

func live(kind ProbeKind, edit ...func(*Probe)) func(*Spec) {
	return func(s *Spec) {
		s.Live = probe(kind, edit...)
		s.Live.Target = "live " + s.Name()
	}
}

func (h *house) status(t *testing.T) Status {
	t.Helper()
	reply, err := h.inbox.Ask(context.Background(), Request{Verb: AskStatus})
	if err != nil {
		t.Fatal(err)
	}
	return reply.Status
}

// when is when the log first says text of a process, since the log's begin.
func (h *house) when(t *testing.T, process, text string) time.Duration {
	t.Helper()
	for _, e := range h.events {
		if e.Process == process && (strings.Contains(e.Text, text) || e.Changed && e.To.String() == text) {
			return e.Time.Sub(h.events[0].Time)
		}
	}
	t.Fatalf("the log says nothing of %q of %s: %v", text, process, h.events)
	return 0
}

func TestReadyProbe(t *testing.T) {
	f := newProber()
	f.answer = away
	h := inHouse(t, Config{Specs: specs("web", 1, ready(ProbeHTTP)), Ask: f.ask}, always(listener), func(h *house) {
		time.Sleep(25500 * time.Millisecond)
		if p := h.status(t).Processes[0]; p.Ready || p.Probe != "not ready yet: GET web.1: answered 503" {
			t.Errorf("ready %v, %q after 25 s of failures", p.Ready, p.Probe)
		}
		f.set(nil)
		time.Sleep(2 * time.Second)
		if p := h.status(t).Processes[0]; !p.Ready || p.Probe != "" {
			t.Errorf("ready %v, %q after a success", p.Ready, p.Probe)
		}
		f.set(away)
		time.Sleep(19 * time.Second)
		if p := h.status(t).Processes[0]; !p.Ready {
			t.Error("not ready any more before three failures")
		}
		time.Sleep(12 * time.Second)
		if p := h.status(t).Processes[0]; p.Ready || p.State != Ready || p.Probe != "not ready: GET web.1 failed 3 times: answered 503" {
			t.Errorf("ready %v, state %s, %q after three failures", p.Ready, p.State, p.Probe)
		}
		f.set(nil)
		time.Sleep(11 * time.Second)
		if p := h.status(t).Processes[0]; !p.Ready {
			t.Error("not ready again after a success")
		}
	})
	wantHistory(t, h, "web.1", "start, TSTP, TERM, CONT, gone") // it went on all the time
	for _, want := range []string{"is not ready any more: GET web.1 failed 3 times: answered 503", "is ready again"} {
		if !h.said(want) {
			t.Errorf("%q was not said", want)
		}
	}
}

// The service manager is told how many are ready now.
func TestAnnounceOfOneThatIsNotReadyAnyMore(t *testing.T) {
	f := newProber()
	var said []string
	c := Config{Specs: specs("web", 2, ready(ProbeHTTP)), Ask: f.ask, Announce: func(text string) { said = append(said, text) }}
	inHouse(t, c, always(listener), func(*house) {
		time.Sleep(20500 * time.Millisecond)
		f.set(func(target string, _ time.Time) error {
			if target == "web.2" {
				return errAway
			}
			return nil
		})
		time.Sleep(time.Minute)
		f.set(nil)
		time.Sleep(time.Minute)
	})
	all := strings.ReplaceAll(strings.Join(said, " | "), "\n", " ")
	want := "READY=1 STATUS=2/2 ready | STATUS=1/2 ready | STATUS=2/2 ready | STOPPING=1 STATUS=stopping: asked by TERM"
	if !strings.HasSuffix(all, want) {
		t.Errorf("said %s\nwant %s", all, want)
	}
}

func TestReadyProbeOptions(t *testing.T) {
	f := newProber()
	c := Config{Specs: specs("web", 1, ready(ProbeTCP, func(p *Probe) {
		p.Delay, p.Period, p.Successes = 5*time.Second, 2*time.Second, 3
	})), Ask: f.ask}
	h := inHouse(t, c, always(listener), func(*house) { time.Sleep(30 * time.Second) })
	if at := h.when(t, "web.1", "ready"); at != 7*time.Second {
		t.Errorf("ready after %s, want the delay of 5 s and three answers a second apart", at)
	}
}

func TestReadyByNotifyAlone(t *testing.T) {
	for _, says := range []time.Duration{0, 90 * time.Second} {
		b := listener
		b.ready = says
		inHouse(t, Config{Specs: specs("web", 1, ready(ProbeNotify))}, always(b), func(h *house) {
			time.Sleep(80 * time.Second)
			if h.status(t).Processes[0].Ready {
				t.Error("ready without READY=1")
			}
			time.Sleep(20 * time.Second)
			if got := h.status(t).Processes[0].Ready; got != (says > 0) {
				t.Errorf("ready %v, says READY=1 after %s", got, says)
			}
		})
	}
}

func TestReadyByUp(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("web", 1, ready(ProbeUp, func(p *Probe) { p.Up = 3 * time.Second }))}, always(listener),
		func(*house) { time.Sleep(20 * time.Second) })
	if at := h.when(t, "web.1", "ready"); at != 3*time.Second {
		t.Errorf("ready after %s, want 3 s", at)
	}
}

// READY=1 is not what was asked for where the probe is another.
func TestReadyProbeOverrulesNotify(t *testing.T) {
	f := newProber()
	f.answer = away
	b := listener
	b.ready = time.Second
	inHouse(t, Config{Specs: specs("web", 1, ready(ProbeHTTP)), Ask: f.ask}, always(b), func(h *house) {
		time.Sleep(1500 * time.Millisecond)
		if h.status(t).Processes[0].Ready {
			t.Error("ready by READY=1, with an http probe that fails")
		}
	})
}

func TestLiveProbeReplacesOnlyTheDead(t *testing.T) {
	f := newProber()
	h := inHouse(t, Config{Specs: specs("web", 3, live(ProbeHTTP)), Ask: f.ask}, always(listener), func(h *house) {
		time.Sleep(time.Minute)
		f.set(func(target string, _ time.Time) error {
			if target == "live web.2" && h.timesStarted("web.2") == 1 {
				return errAway
			}
			return nil
		})
		time.Sleep(2 * time.Minute)
		p := h.status(t).Processes[1]
		if want := "its live probe GET live web.2 failed 3 times: answered 503"; !p.Ready || p.Replaced != want {
			t.Errorf("ready %v, replaced for %q, want %q", p.Ready, p.Replaced, want)
		}
	})
	wantHistory(t, h, "web.1", "start, TSTP, TERM, CONT, gone")
	wantHistory(t, h, "web.2", "start, TSTP, TERM, CONT, gone, start, TSTP, TERM, CONT, gone")
	wantHistory(t, h, "web.3", "start, TSTP, TERM, CONT, gone")
}

func (k *fake) timesStarted(name string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.starts[name]
}

// An outage of what all need, for 10 minutes: never more than one process is
// touched at a time, and none but the first while that one's replacement is not
// well, whether or not it becomes ready meanwhile.
func TestAnOutageDoesNotEmptyTheFleet(t *testing.T) {
	for _, row := range []struct {
		name   string
		edit   []func(*Spec)
		behave behaviour
	}{
		{"never ready", []func(*Spec){ready(ProbeHTTP), live(ProbeHTTP)}, listener},
		{"ready all the same", []func(*Spec){live(ProbeHTTP)}, listener},
		{"ready by READY=1", []func(*Spec){sidekiq, live(ProbeTCP)}, func() behaviour {
			b := listener
			b.ready = 2 * time.Second
			return b
		}()},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newProber()
			var first string
			h := inHouse(t, Config{Specs: append(specs("web", 3, row.edit...), specs("worker", 3, row.edit...)...), Ask: f.ask},
				always(row.behave), func(h *house) {
					time.Sleep(time.Minute)
					f.set(away)
					for range 600 {
						time.Sleep(time.Second)
						synctest.Wait()
						running := 0
						for _, p := range h.status(t).Processes {
							if p.PID != 0 && p.State < Quieting {
								running++
							}
							if p.PID == 0 || p.State >= Quieting {
								if first == "" {
									first = p.Name
								}
								if first != p.Name {
									t.Fatalf("%s is touched, and the replacement of %s is not well", p.Name, first)
								}
							}
						}
						if running < 5 {
							t.Fatalf("%d of 6 processes run", running)
						}
					}
					f.set(nil)
					time.Sleep(3 * time.Minute)
					for _, p := range h.status(t).Processes {
						if !p.Ready || p.Probe != "" {
							t.Errorf("%s: ready %v, %q after the outage", p.Name, p.Ready, p.Probe)
						}
					}
				})
			if first == "" {
				t.Error("nothing was replaced at all")
			}
			for _, name := range []string{"web.1", "web.2", "web.3", "worker.1", "worker.2", "worker.3"} {
				if name != first {
					wantHistory(t, h, name, "start, TSTP, TERM, CONT, gone")
				}
			}
			if !h.said("goes on although its live probe fails: " + first + " was replaced for that, and is not well yet") {
				t.Error("nobody said why the others go on")
			}
		})
	}
}

// Two that are dead for reasons of their own are both replaced, one after the other.
func TestTwoDeadOneAfterTheOther(t *testing.T) {
	f := newProber()
	h := inHouse(t, Config{Specs: specs("web", 3, live(ProbeHTTP)), Ask: f.ask}, always(listener), func(h *house) {
		time.Sleep(time.Minute)
		f.set(func(target string, _ time.Time) error {
			if name := strings.TrimPrefix(target, "live "); name != "web.3" && h.timesStarted(name) == 1 {
				return errAway
			}
			return nil
		})
		time.Sleep(5 * time.Minute)
	})
	for _, name := range []string{"web.1", "web.2"} {
		wantHistory(t, h, name, "start, TSTP, TERM, CONT, gone, start, TSTP, TERM, CONT, gone")
	}
	wantHistory(t, h, "web.3", "start, TSTP, TERM, CONT, gone")
}

// One that is not ready has 60 s before its live probe counts.
func TestLiveProbeSparesOneThatBoots(t *testing.T) {
	f := newProber()
	f.answer = away
	h := inHouse(t, Config{Specs: specs("web", 1, ready(ProbeHTTP), live(ProbeHTTP)), Ask: f.ask}, always(listener),
		func(*house) { time.Sleep(200 * time.Second) })
	if at := h.when(t, "web.1", "is replaced"); at != 62*time.Second {
		t.Errorf("replaced after %s, want three questions from 60 s on, a second apart", at)
	}
}

func TestLiveProbeWithRestartNever(t *testing.T) {
	f := newProber()
	c := Config{Specs: specs("web", 1, live(ProbeHTTP), func(s *Spec) { s.Restart = RestartNever }), Ask: f.ask, OwnStatus: true}
	h := inHouse(t, c, always(listener), func(h *house) {
		time.Sleep(time.Minute)
		f.set(away)
		time.Sleep(time.Minute)
	})
	wantHistory(t, h, "web.1", "start, TSTP, TERM, CONT, gone")
	wantStatus(t, h, 1)
}

func TestProbesDoNotPileUpOrHoldUpTheStop(t *testing.T) {
	f := newProber()
	f.slow = time.Hour
	var took time.Duration
	inHouse(t, Config{Specs: specs("web", 2, ready(ProbeUp), live(ProbeHTTP)), Ask: f.ask}, always(listener), func(h *house) {
		time.Sleep(20500 * time.Millisecond)
		took = h.term()
	})
	if took > 2*time.Second {
		t.Errorf("the stop took %s", took)
	}
	for target, n := range f.most {
		if n > 1 {
			t.Errorf("%d questions at once to %s", n, target)
		}
	}
	if f.now != 0 {
		t.Errorf("%d questions are under way after the end", f.now)
	}
}

func TestAQuestionThatHangsIsAFailure(t *testing.T) {
	f := newProber()
	h := inHouse(t, Config{Specs: specs("web", 1, ready(ProbeUp), live(ProbeTCP)), Ask: f.ask}, always(listener), func(*house) {
		time.Sleep(time.Minute)
		f.mu.Lock()
		f.slow = time.Hour
		f.mu.Unlock()
		time.Sleep(35 * time.Second)
	})
	if !h.said("is replaced: its live probe tcp://live web.1 failed 3 times: no answer within 1s") {
		t.Errorf("the log is %v", h.events)
	}
}

// TestAQuestionThatHangsFailsOnce: where the next question is due in the moment in
// which the time of the last is over, that is one failure, not two.
func TestAQuestionThatHangsFailsOnce(t *testing.T) {
	f := newProber()
	often := live(ProbeTCP, func(p *Probe) { p.Period, p.Timeout, p.Failures = 500*time.Millisecond, 2*time.Second, 2 })
	h := inHouse(t, Config{Specs: specs("web", 1, ready(ProbeUp), often), Ask: f.ask}, always(listener), func(h *house) {
		time.Sleep(time.Minute + 100*time.Millisecond)
		f.mu.Lock()
		f.slow = time.Hour
		f.mu.Unlock()
		time.Sleep(3 * time.Second)
		if why := h.status(t).Processes[0].Replaced; why != "" {
			t.Errorf("replaced after one question: %s", why)
		}
		time.Sleep(3 * time.Second)
	})
	if !h.said("failed 2 times: no answer within 2s") {
		t.Errorf("the log is %v", h.events)
	}
}

// A draining process is not asked any more, and not killed by what it answers.
func TestADrainingProcessIsNotAsked(t *testing.T) {
	f := newProber()
	h := inHouse(t, Config{Specs: specs("web", 1, ready(ProbeHTTP), live(ProbeHTTP)), Ask: f.ask},
		always(behaviour{quiet: true, work: 5 * time.Second}), func(h *house) {
			time.Sleep(time.Minute)
			h.deliver(unix.SIGUSR1) // quiet
			synctest.Wait()
			asked := f.times("web.1") + f.times("live web.1")
			f.set(away)
			time.Sleep(5 * time.Minute)
			if again := f.times("web.1") + f.times("live web.1"); again != asked {
				t.Errorf("asked %d times while it drained", again-asked)
			}
		})
	wantHistory(t, h, "web.1", "start, TSTP, TERM, CONT, gone")
}

// What a question to an earlier process came to is not the next one's.
func TestAnswersOfOneThatIsGone(t *testing.T) {
	f := newProber()
	f.slow = 900 * time.Millisecond
	c := Config{Specs: specs("web", 1, ready(ProbeHTTP, func(p *Probe) { p.Failures = 1 })), Ask: f.ask}
	inHouse(t, c, func(_ *Spec, nth int) behaviour {
		if nth == 0 {
			return behaviour{up: 500 * time.Millisecond, code: 1} // gone before the answer
		}
		return listener
	}, func(h *house) {
		time.Sleep(1200 * time.Millisecond) // the first one's answer would have come
		if h.status(t).Processes[0].Ready {
			t.Error("ready by the answer of one that is gone")
		}
		time.Sleep(10 * time.Second)
		if !h.status(t).Processes[0].Ready {
			t.Error("not ready")
		}
	})
}

func TestExecProbe(t *testing.T) {
	var mu sync.Mutex
	does := behaviour{up: 100 * time.Millisecond}
	c := Config{Specs: specs("worker", 2, live(ProbeExec))}
	h := inHouse(t, c, always(listener), func(h *house) {
		h.mu.Lock()
		h.command = func(*Spec) behaviour { mu.Lock(); defer mu.Unlock(); return does }
		h.mu.Unlock()
		time.Sleep(65 * time.Second)
		if asked, asking := h.commands(); asked < 10 || asked > 14 || asking != 0 {
			t.Errorf("%d commands in 55 s for two processes, %d of them run", asked, asking)
		}
		mu.Lock()
		does.code = 1
		mu.Unlock()
		time.Sleep(31 * time.Second)
	})
	dead := "worker.1"
	if h.timesStarted("worker.2") == 2 {
		dead = "worker.2"
	}
	if at := h.when(t, dead, "is replaced: its live probe exec:live "+dead+" failed 3 times: status 1"); at < 84*time.Second {
		t.Errorf("replaced after %s, before three failures", at)
	}
	if n := h.starts["worker.1"] + h.starts["worker.2"]; n != 3 {
		t.Errorf("%d starts of two processes, want one to be replaced", n)
	}
}

// A command that does not end is killed with all below it, and what it left in
// its session; it is no stray, and never one of two.
func TestExecProbeThatHangs(t *testing.T) {
	c := Config{Specs: specs("worker", 1, live(ProbeExec))}
	h := inHouse(t, c, always(listener), func(h *house) {
		h.mu.Lock()
		h.command = func(*Spec) behaviour { return behaviour{deaf: true, child: &behaviour{comm: "sleep", deaf: true}} }
		h.mu.Unlock()
		time.Sleep(10500 * time.Millisecond)
		if _, asking := h.commands(); asking != 1 {
			t.Errorf("%d commands run", asking)
		}
		h.signalledAll(t)
		time.Sleep(time.Second)
		if _, asking := h.commands(); asking != 0 {
			t.Errorf("%d commands run after the timeout", asking)
		}
		time.Sleep(9 * time.Second) // in the middle of the next
		if _, asking := h.commands(); asking != 1 {
			t.Errorf("%d commands run", asking)
		}
	})
	if !h.said("no answer within 1s") && h.said("stray") {
		t.Errorf("the log is %v", h.events)
	}
}

// commands are how many probes' commands were started, and how many run.
func (h *house) commands() (asked, asking int) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked, h.asking
}

// signalledAll finds a command that was told to end before its time.
func (h *house) signalledAll(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.procs {
		if p.asks && p.exit != nil {
			t.Error("the command was ended before its time")
		}
	}
}

func TestNoProbeNoWakeUp(t *testing.T) {
	s, err := newSupervisor(t.Context(), Config{Kernel: newFake(t, always(listener)), Specs: specs("worker", 2)})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, p := range s.processes {
		s.start(p, now)
		s.ready(p, "READY=1", now)
	}
	if at := s.deadline(now); !at.IsZero() {
		t.Errorf("to be woken in %s", at.Sub(now))
	}
}

func TestHTTPProbeNeedsAsk(t *testing.T) {
	if _, err := newSupervisor(t.Context(), Config{Kernel: newFake(t, nil), Specs: specs("web", 1, live(ProbeTCP))}); err == nil {
		t.Error("a probe without anybody to ask is taken")
	}
}

func TestCount(t *testing.T) {
	for _, row := range []struct {
		failures, successes int
		answers, want       string // + success, - failure; for each w well, i ill, . as it was
	}{
		{3, 1, "---", "..i"},
		{3, 1, "--+--", "..w.."},
		{1, 1, "-+-+", "iwiw"},
		{3, 2, "+-++", "...w"},
		{2, 1, "+------+", "w.i....w"},
	} {
		a := asking{probe: &Probe{Failures: row.failures, Successes: row.successes}}
		got := ""
		for _, answer := range row.answers {
			failure := ""
			if answer == '-' {
				failure = "no"
			}
			switch news := a.count(failure); {
			case !news:
				got += "."
			case a.ill:
				got += "i"
			default:
				got += "w"
			}
		}
		if got != row.want {
			t.Errorf("%s: %s, want %s (failures=%d, successes=%d)", row.answers, got, row.want, row.failures, row.successes)
		}
	}
}

func TestBriefly(t *testing.T) {
	for _, row := range [][2]string{
		{"", ""},
		{"no\nroute\t\x1b[31m", "no route  [31m"},
		{"\xff", "?"},
		{strings.Repeat("ö", 150), strings.Repeat("ö", 100) + "…"},
	} {
		if got := briefly(row[0]); got != row[1] {
			t.Errorf("%q: %q", row[0], got)
		}
	}
	if got := fmt.Sprint(lastLine([]byte("a\nb\n\n")), lastLine(nil)); got != "[b] []" {
		t.Errorf("last lines %s", got)
	}
}
