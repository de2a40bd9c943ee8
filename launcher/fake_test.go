package launcher

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// behaviour is what a fake process does.
type behaviour struct {
	boot  time.Duration // until then it has no handlers
	quiet bool          // catches TSTP
	work  time.Duration // from the stop signal to its end
	deaf  bool          // catches TERM, INT, HUP and does nothing
	daze  time.Duration // … until then
	up    time.Duration // ends by itself after this; 0: never
	code  int           // … with this status
	ready time.Duration // says READY=1 then; 0: never
	comm  string
	title []string
	child *behaviour // forks this at its start
	stray *behaviour // … and this, in a session of its own
	grows int64      // bytes a second
	err   error      // cannot be started
}

// fakeProcess is a process of the fake kernel.
type fakeProcess struct {
	sight   Sight
	behave  behaviour
	born    time.Time
	exit    *Exit // it has ended
	stopped bool
	spec    *Spec
	asks    bool   // it is a probe's command
	origin  string // the slot that it descends from
}

// fake is a kernel in a synctest bubble: no real process, no real time.
type fake struct {
	t  testing.TB
	mu sync.Mutex

	behaves func(spec *Spec, nth int) behaviour
	starts  map[string]int
	command func(*Spec) behaviour // what a probe's command does; nil: behaves says it
	asking  int                   // such commands that run
	asked   int                   // … and all that were started

	procs   map[int]*fakeProcess
	zombies []int
	nextPID int
	wake    chan struct{}
	signals []unix.Signal
	notes   []Note
	log     []string // "worker.1 TSTP", in order
	sent    []sent
	reaped  map[int]bool
	bad     []string // broken invariants
	noProc  bool
	pid1    bool
	ooms    int
	closed  bool
	still   time.Time // until then the launcher gets no time to run
}

type sent struct {
	at  time.Time
	pid int
	sig unix.Signal
}

const self = 1 << 22 // beyond any real pid

func newFake(t testing.TB, behaves func(*Spec, int) behaviour) *fake {
	return &fake{
		t: t, behaves: behaves,
		starts: map[string]int{}, procs: map[int]*fakeProcess{},
		nextPID: self + 1, wake: make(chan struct{}, 1), reaped: map[int]bool{},
	}
}

func (k *fake) Wake() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *fake) Wait(until time.Time) Heard {
	var timer <-chan time.Time
	if !until.IsZero() {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-k.wake:
	case <-timer:
	}
	k.mu.Lock()
	still := k.still
	k.mu.Unlock()
	time.Sleep(time.Until(still))
	k.mu.Lock()
	defer k.mu.Unlock()
	h := Heard{Signals: k.signals, Notes: k.notes}
	k.signals, k.notes = nil, nil
	return h
}

// deliver sends the launcher a signal.
func (k *fake) deliver(sig unix.Signal) {
	k.mu.Lock()
	k.signals = append(k.signals, sig)
	k.mu.Unlock()
	k.Wake()
}

func (k *fake) Start(spec *Spec) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if spec.Mute {
		does := k.command
		if does == nil {
			does = func(s *Spec) behaviour { return k.behaves(s, 0) }
		}
		b := does(spec)
		p := k.spawn(b, self, 0)
		p.origin, p.asks = fromProbe, true
		if b.stray != nil {
			k.spawn(*b.stray, self, 0).origin = fromProbe
		}
		k.asking++
		k.asked++
		return p.sight.PID, nil
	}
	nth := k.starts[spec.Name()]
	k.starts[spec.Name()]++
	b := k.behaves(spec, nth)
	if b.err != nil {
		return 0, b.err
	}
	p := k.spawn(b, self, 0)
	p.spec = spec
	if b.stray != nil {
		k.spawn(*b.stray, self, 0).origin = spec.Name()
	}
	k.log = append(k.log, spec.Name()+" start")
	return p.sight.PID, nil
}

// spawn makes a process; session 0: one of its own.
func (k *fake) spawn(b behaviour, parent, session int) *fakeProcess {
	pid := k.nextPID
	k.nextPID++
	if session == 0 {
		session = pid
	}
	comm := b.comm
	if comm == "" {
		comm = "app"
	}
	p := &fakeProcess{behave: b, born: time.Now(), sight: Sight{
		PID: pid, Parent: parent, Group: session, Session: session, Comm: comm, State: 'S', Threads: 1, Start: uint64(pid),
	}}
	k.procs[pid] = p
	if b.child != nil {
		k.spawn(*b.child, pid, session)
	}
	if b.up > 0 {
		k.after(b.up, func() { k.end(p, Exit{Status: unix.WaitStatus(b.code << 8)}) })
	}
	if b.ready > 0 {
		k.after(b.ready, func() {
			if p.exit == nil && !k.closed {
				k.notes = append(k.notes, Note{PID: pid, Text: "READY=1\n"})
				k.Wake()
			}
		})
	}
	return p
}

// after runs f under the lock, later.
func (k *fake) after(d time.Duration, f func()) {
	time.AfterFunc(d, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.closed {
			f()
		}
	})
}

func (k *fake) end(p *fakeProcess, e Exit) {
	if p.exit != nil {
		return
	}
	p.exit = &e
	p.sight.State = 'Z'
	for _, c := range k.procs {
		if c.sight.Parent == p.sight.PID {
			c.sight.Parent = self
			if c.exit != nil {
				k.zombies = append(k.zombies, c.sight.PID)
			}
		}
	}
	if p.sight.Parent == self {
		k.zombies = append(k.zombies, p.sight.PID)
		k.Wake()
	} else if parent := k.procs[p.sight.Parent]; parent.behave.comm == "sh" {
		delete(k.procs, p.sight.PID)
		k.end(parent, *p.exit) // a shell ends with what it runs
	}
}

// caught is what p has handlers for by now.
func (k *fake) caught(p *fakeProcess) SignalSet {
	if time.Since(p.born) < p.behave.boot {
		return 0
	}
	var set SignalSet
	if p.behave.quiet {
		set |= 1 << (unix.SIGTSTP - 1)
	}
	if p.behave.work > 0 || k.deaf(p) {
		set |= 1<<(unix.SIGTERM-1) | 1<<(unix.SIGINT-1) | 1<<(unix.SIGHUP-1) | 1<<(unix.SIGQUIT-1)
	}
	return set
}

func (k *fake) deaf(p *fakeProcess) bool {
	return p.behave.deaf || time.Since(p.born) < p.behave.daze
}

func (k *fake) name(p *fakeProcess) string {
	for q := p; q != nil; q = k.procs[q.sight.Parent] {
		if q.spec != nil {
			if q == p {
				return q.spec.Name()
			}
			return fmt.Sprintf("%s/%s", q.spec.Name(), p.sight.Comm)
		}
	}
	return p.sight.Comm
}

func (k *fake) Signal(pid int, sig unix.Signal) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if pid <= self || k.reaped[pid] {
		k.bad = append(k.bad, fmt.Sprintf("signal %s to pid %d, which is not ours or was reaped", SignalName(sig), pid))
		return unix.ESRCH
	}
	p := k.procs[pid]
	if p == nil {
		return unix.ESRCH
	}
	if p.exit != nil {
		return nil // a zombie
	}
	k.sent = append(k.sent, sent{time.Now(), pid, sig})
	k.log = append(k.log, k.name(p)+" "+SignalName(sig))
	k.hit(p, sig)
	return nil
}

func (k *fake) hit(p *fakeProcess, sig unix.Signal) {
	if p.exit != nil {
		return
	}
	switch {
	case sig == unix.SIGKILL:
		k.end(p, Exit{Status: unix.WaitStatus(unix.SIGKILL)})
	case sig == unix.SIGCONT:
		p.stopped = false
		if p.sight.State == 'T' {
			p.sight.State = 'S'
		}
	case k.caught(p).Has(sig):
		if sig == unix.SIGTSTP || k.deaf(p) {
			return
		}
		k.after(p.behave.work, func() { k.end(p, Exit{}) })
	case sig == unix.SIGTSTP, sig == unix.SIGTTIN, sig == unix.SIGTTOU, sig == unix.SIGSTOP:
		p.sight.State = 'T'
		if sig == unix.SIGTSTP {
			k.bad = append(k.bad, fmt.Sprintf("TSTP froze %s", k.name(p)))
		}
	case sig == unix.SIGWINCH, sig == unix.SIGURG, sig == unix.SIGCHLD:
	default:
		k.end(p, Exit{Status: unix.WaitStatus(sig)})
	}
}

func (k *fake) Everyone(sig unix.Signal) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.pid1 {
		return unix.EPERM
	}
	for _, p := range k.procs {
		k.hit(p, sig)
	}
	return nil
}

func (k *fake) Peek() (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.zombies) > 0 {
		return k.zombies[0], nil
	}
	for _, p := range k.procs {
		if p.sight.Parent == self {
			return 0, nil
		}
	}
	return 0, unix.ECHILD
}

func (k *fake) Reap(pid int) (Exit, []string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.Index(k.zombies, pid)
	if i < 0 {
		return Exit{}, nil, unix.ECHILD
	}
	k.zombies = slices.Delete(k.zombies, i, i+1)
	p := k.procs[pid]
	delete(k.procs, pid)
	k.reaped[pid] = true
	if p.asks {
		k.asking--
	}
	if p.spec != nil {
		k.log = append(k.log, p.spec.Name()+" gone")
	}
	return *p.exit, nil, nil
}

func (k *fake) Look(pid int) (Sight, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.procs[pid]
	if p == nil || k.noProc {
		return Sight{}, unix.ENOENT
	}
	p.sight.Caught = k.caught(p)
	return p.sight, nil
}

func (k *fake) Title(pid int) ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.procs[pid]
	if p == nil || k.noProc {
		return nil, unix.ENOENT
	}
	if p.behave.title != nil {
		return p.behave.title, nil
	}
	return []string{p.sight.Comm}, nil
}

func (k *fake) Children(pid, _ int) ([]int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.noProc {
		return nil, unix.ENOENT
	}
	if pid == 0 {
		pid = self
	}
	var out []int
	for _, p := range k.procs {
		if p.sight.Parent == pid {
			out = append(out, p.sight.PID)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (k *fake) Memory(pid int) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.procs[pid]; p != nil {
		return int64(float64(p.behave.grows) * time.Since(p.born).Seconds()), nil
	}
	return 0, unix.ENOENT
}

func (k *fake) Origin(pid int) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.procs[pid]; p != nil {
		return p.origin
	}
	return ""
}

func (k *fake) Awaits(int, unix.Signal) bool { return false }
func (k *fake) OOMKills() (int, bool)        { return k.ooms, true }
func (k *fake) Paused(int) bool              { return false }
func (k *fake) Foreground(int) error         { return nil }
func (k *fake) Suspend() bool                { return false }

// house is a supervisor in a bubble, with its fake kernel and its log.
type house struct {
	*fake
	inbox  *Inbox
	events []Event
	result Result
	done   chan struct{}
	over   context.Context // until done
	ended  time.Time
}

// inHouse runs the supervisor in a bubble while play acts on it. play may
// return early; the house is then stopped by TERM. It checks the invariants
// that hold in every run.
func inHouse(t *testing.T, c Config, behaves func(*Spec, int) behaviour, play func(*house)) *house {
	t.Helper()
	h := &house{}
	synctest.Test(t, func(t *testing.T) {
		h.done = make(chan struct{})
		h.fake = newFake(t, behaves)
		h.pid1 = c.PID1
		c.Kernel = h.fake
		if counting {
			c.Kernel = &turns{fake: h.fake}
		}
		if c.QuietFor == 0 {
			c.QuietFor = -1
		}
		h.inbox = NewInbox(h.fake)
		c.Inbox = h.inbox
		c.Log = func(e Event) { h.events = append(h.events, e) }
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var over context.CancelFunc
		h.over, over = context.WithCancel(context.Background())
		go func() {
			defer over()
			defer close(h.done)
			h.result, _ = Run(ctx, c)
			h.ended = time.Now()
		}()
		synctest.Wait()
		play(h)
		synctest.Wait()
		select {
		case <-h.done:
		default:
			h.deliver(unix.SIGTERM)
			<-h.done
		}
		h.mu.Lock()
		h.closed = true
		h.mu.Unlock()
	})
	for _, bad := range h.bad {
		t.Error(bad)
	}
	if n := len(h.procs); n > 0 {
		t.Errorf("%d processes were left behind", n)
	}
	return h
}

// term sends TERM and waits for the end; it returns how long that took.
func (h *house) term() time.Duration {
	begin := time.Now()
	h.deliver(unix.SIGTERM)
	<-h.done
	return h.ended.Sub(begin)
}

// said tells whether an event of the log holds text.
func (h *house) said(text string) bool {
	return slices.ContainsFunc(h.events, func(e Event) bool { return strings.Contains(e.Text, text) })
}

// history is the log of starts, signals and ends of one process, or of all.
func (h *house) history(name string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []string
	for _, line := range h.log {
		if name == "" {
			out = append(out, line)
		} else if rest, ok := strings.CutPrefix(line, name+" "); ok {
			out = append(out, rest)
		}
	}
	return strings.Join(out, ", ")
}

func specs(typ string, n int, edit ...func(*Spec)) []Spec {
	out := make([]Spec, n)
	for i := range out {
		out[i] = Spec{Type: typ, Slot: i + 1, Argv: []string{"app"}}
		for _, e := range edit {
			e(&out[i])
		}
	}
	return out
}

func always(b behaviour) func(*Spec, int) behaviour {
	return func(*Spec, int) behaviour { return b }
}
