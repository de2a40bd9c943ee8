package launcher

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sys/unix"
)

// supervisor is the one owner of every process, pid and wait. All of it
// belongs to the goroutine that runs loop; deadlines are data (P12).
type supervisor struct {
	Config
	ctx context.Context

	processes []*process       // every slot, in the order of starting
	running   map[int]*process // by pid; a pid is here exactly while it is ours to signal
	strays    map[int]*stray   // adopted processes that are no slot's
	worked    map[string]bool  // types of which a process was ever ready
	adopted   int              // orphans reaped
	counters  Counters
	woke      time.Time // when this turn of the loop began

	seekAt   time.Time // when to look for strays; zero: no need
	lastSeek time.Time
	more     bool // the last turn left something undone

	stopping  *stopping // nil until the whole stops
	quietAll  bool      // told to be quiet: nothing is started
	settled   bool      // Settled was called
	lastAsked time.Time // when a worker last ended by a TERM not from us
	oomKills  int
	noOOM     bool
	probes    probes
	roll      *roll         // nil: no replacement is under way
	reloads   chan reloaded // brings the new generation of a restart
	stays     bool          // it was scaled: to be there with nothing to run is right
	restarts  restarts
	began     time.Time
	version   uint64    // of Status: raised by every change
	shared    Status    // the copy that this turn has given out
	weighAt   time.Time // when to look at memory; zero: never
	said      announced // to the service manager
	watchers  []Request // those who wait for another version
	lostSight bool      // there is no /proc: said once
	session   int       // our own, where the interactive child and what it starts are too
	failure   int       // the first non-zero status, where the end of all is the end
}

// stopping is the stop of everything.
type stopping struct {
	plan
	why        string
	status     int // the launcher's exit status if all goes well
	interrupts int
	killed     bool // something had to be killed
	swept      time.Time
	byItself   bool // nobody asked: all had ended
	unheard    int  // processes for which there is no quiet phase
	dismissed  bool // all slots' processes are gone, strays were told
}

// A turn of the loop starts and reaps no more than this, so that a signal
// never waits for a thousand of them.
const (
	startsPerTurn = 4 // about a millisecond each
	endsPerTurn   = 256
)

// Run runs the processes of c until they have ended or been stopped, and
// returns the exit status. Cancelling ctx stops as TERM does. It must be called
// on the goroutine that is locked to the main thread (P28, P51). The error is
// of a configuration that cannot be run.
func Run(ctx context.Context, c Config) (Result, error) {
	s, err := newSupervisor(ctx, c)
	if err != nil {
		return Result{Status: 2}, err
	}
	defer context.AfterFunc(ctx, c.Kernel.Wake)()
	defer s.probes.end()
	defer s.Flush()
	return s.loop(), nil
}

func newSupervisor(ctx context.Context, c Config) (*supervisor, error) {
	if c.Kernel == nil {
		return nil, errors.New("launcher: Config.Kernel is nil")
	}
	if c.Budget == 0 {
		c.Budget = DefaultBudget
	}
	if c.Log == nil {
		c.Log = func(Event) {}
	}
	if c.Flush == nil {
		c.Flush = func() {}
	}
	if c.Stops == nil {
		c.Stops = func() {}
	}
	for i := range c.Specs {
		if c.Ask == nil && (c.Specs[i].Ready.dials() || c.Specs[i].Live.dials()) {
			return nil, errors.New("launcher: Config.Ask is nil, and there is an http or tcp probe")
		}
	}
	s := &supervisor{
		Config:  c,
		ctx:     ctx,
		running: make(map[int]*process, len(c.Specs)),
		strays:  make(map[int]*stray),
		worked:  make(map[string]bool),
		reloads: make(chan reloaded, 1),
	}
	now := time.Now()
	s.began, s.woke = now, now
	s.counters = newCounters(c.Specs)
	s.openProbes(ctx)
	for i := range c.Specs {
		s.processes = append(s.processes, newProcess(&c.Specs[i], now))
	}
	if c.Terminal {
		s.session, _ = unix.Getsid(0)
	}
	if s.weighs() {
		s.weighAt = now.Add(memoryEvery)
	}
	n, ok := c.Kernel.OOMKills()
	s.oomKills, s.noOOM = n, !ok
	return s, nil
}

func newProcess(spec *Spec, now time.Time) *process {
	return &process{spec: spec, name: spec.Name(), state: Waiting, since: now, startAt: now}
}

// loop turns until all is over. Within a turn signals come before notes, and
// these before exits (DESIGN 3).
func (s *supervisor) loop() Result {
	s.reap(time.Now()) // what ended before we looked (P1)
	for {
		now := time.Now()
		if result, over := s.over(now); over {
			return result
		}
		s.due(now)
		if result, over := s.over(now); over { // what was due may have been the last
			return result
		}
		s.Flush()
		s.answerWatchers(now)
		s.announce(now)
		s.shared = Status{}
		s.counters.Turns.add(time.Since(s.woke))
		heard := s.Kernel.Wait(s.deadline(now))
		s.more = false // only now: reap may have left something after due
		now = time.Now()
		s.woke = now
		if s.ctx.Err() != nil {
			s.stopAll(now, "cancelled")
		}
		for _, sig := range heard.Signals {
			s.signal(sig, now)
		}
		s.takeRequests(now)
		for _, note := range heard.Notes {
			if p := s.running[note.PID]; p != nil {
				s.heed(p, note, now)
			}
		}
		s.takeAnswers(now)
		select {
		case r := <-s.reloads:
			s.reloaded(r, now)
		default:
		}
		s.attend(now)
		s.reap(now)
	}
}

// due does everything whose time has come.
func (s *supervisor) due(now time.Time) {
	if !s.seekAt.IsZero() && !now.Before(s.seekAt) {
		s.seek(now)
	}
	s.startDue(now)
	for _, p := range s.processes {
		switch {
		case p.state >= Quieting && p.runs():
			s.descend(p, now)
		case p.state == Starting && !p.upAt.IsZero() && !now.Before(p.upAt):
			s.isUp(p, now)
		}
	}
	s.dismissDue(now)
	s.probesDue(now)
	s.weighDue(now)
	s.stepRoll(now)
	s.followDue(now)
	if s.stopping != nil {
		s.stopDue(now)
	}
}

// deadline is when the loop must turn again although nothing happens; zero:
// never (DESIGN 9).
func (s *supervisor) deadline(now time.Time) time.Time {
	if s.more {
		return now
	}
	at := s.seekAt
	for _, p := range s.processes {
		at = soonest(at, p.deadline())
	}
	for _, st := range s.strays {
		at = soonest(at, st.deadline())
	}
	at = soonest(soonest(at, s.rollDeadline()), s.said.watchdogAt)
	at = soonest(at, s.weighAt)
	if s.stopping != nil {
		at = soonest(at, s.stopDeadline(now))
	}
	return at
}

// reap takes the ended children away, each after it was looked up under its
// pid, which is its own for as long as it is a zombie (P4, P15).
func (s *supervisor) reap(now time.Time) {
	for range endsPerTurn {
		pid, err := s.Kernel.Peek()
		if err != nil || pid == 0 {
			return
		}
		p := s.running[pid]
		exit, notes, err := s.Kernel.Reap(pid)
		if err != nil {
			s.say(Error, nil, "cannot reap pid %d: %v", pid, err)
			return
		}
		if s.commandEnded(pid, exit, notes, now) {
			continue
		}
		if p == nil { // an orphan, not a worker (P9)
			s.adopted++
			delete(s.strays, pid)
			if s.stopping != nil {
				s.seekSoon(now)
			}
			continue
		}
		for _, text := range notes {
			s.note(p, text, 0, now)
		}
		s.ended(p, exit, now)
	}
	s.more = true
}

// over tells whether nothing is left to do, and what the run came to.
func (s *supervisor) over(now time.Time) (Result, bool) {
	if s.stopping == nil {
		if !s.allDone() {
			return Result{}, false
		}
		s.begin(now, newPlan(now, s.Budget, s.QuietFor).without(now), "all processes have ended")
		s.stopping.status, s.stopping.byItself = s.failure, true
	}
	// Whoever got no time to run until then has not killed yet, and does so first.
	inTime := now.Before(s.stopping.end) || s.stopping.swept.IsZero()
	if len(s.running) > 0 && inTime {
		return Result{}, false
	}
	_, err := s.Kernel.Peek()
	if !errors.Is(err, unix.ECHILD) && inTime {
		return Result{}, false
	}
	return s.conclude(now), true
}

// allDone tells whether every slot is down for good: the end of a run whose
// restart is never or on-failure.
func (s *supervisor) allDone() bool {
	if s.quietAll || s.stays || s.roll != nil || s.restarts.reading {
		return false
	}
	for _, p := range s.processes {
		if p.state != Down || p.next == stayDown {
			return false
		}
	}
	return true
}

// move changes the state of p and says so. It is the only place that does.
func (s *supervisor) move(p *process, to State, level Level, cause string, now time.Time) {
	e := Event{
		Time: now, Level: level, Process: p.name, PID: p.pid,
		From: p.state, To: to, Changed: true, For: now.Sub(p.since), Text: cause,
	}
	p.state, p.since = to, now
	if to >= Quieting {
		s.endProbes(p, now)
	}
	s.touch()
	s.Log(e)
}

// say logs one message, of a process or (nil) of the launcher itself.
func (s *supervisor) say(level Level, p *process, format string, args ...any) {
	e := Event{Time: time.Now(), Level: level, Text: fmt.Sprintf(format, args...)}
	if p != nil {
		e.Process, e.PID = p.name, p.pid
	}
	s.Log(e)
}

// luck is a random number of [0, 1) for the jitter.
func (s *supervisor) luck() float64 { return rand.Float64() }
