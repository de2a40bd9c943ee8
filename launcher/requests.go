package launcher

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dyno/procfile"

	"golang.org/x/sys/unix"
)

// mostWatchers bounds those who wait for a change; beyond it the oldest is
// answered at once.
const mostWatchers = 128

// takeRequests carries out what was asked since the last turn.
func (s *supervisor) takeRequests(now time.Time) {
	if s.Inbox == nil {
		return
	}
	for range mostRequests {
		select {
		case r := <-s.Inbox.requests:
			s.answer(r, now)
		default:
			return
		}
	}
	s.more = true
}

// answer carries out one request. Its reply channel has room: nobody is waited for.
func (s *supervisor) answer(r Request, now time.Time) {
	if r.Verb == AskStatus && r.Since != 0 && r.Since == s.version {
		if len(s.watchers) == mostWatchers {
			s.watchers[0].reply <- Reply{Status: s.Status(now)}
			s.watchers = slices.Delete(s.watchers, 0, 1)
		}
		s.watchers = append(s.watchers, r)
		return
	}
	reply := s.carryOut(r, now)
	reply.Status = s.Status(now)
	r.reply <- reply
}

func (s *supervisor) carryOut(r Request, now time.Time) Reply {
	switch r.Verb {
	case AskStatus:
		return Reply{}
	case AskMetrics:
		return Reply{Counters: s.counters.copied(), Jobs: s.jobs(now)}
	}
	s.touch() // it is another when this is done
	if s.stopping != nil && r.Verb != AskStop && r.Verb != AskSignal {
		return refuse("the launcher is stopping (%s), and is gone within %s", s.stopping.why, s.stopping.end.Sub(now).Round(time.Second))
	}
	targets, err := s.aim(r.Target)
	if err != "" && r.Verb != AskScale {
		return refuse("%s", err)
	}
	if r.Target != "" && (r.Verb == AskQuiet || r.Verb == AskStop) {
		s.leaveRoll(namesOf(targets), now)
		targets, _ = s.aim(r.Target)
	}
	switch r.Verb {
	case AskQuiet:
		return s.askQuiet(r.Target, targets, now)
	case AskResume:
		return s.askResume(r.Target, targets, now)
	case AskStop:
		return s.askStop(r, targets, now)
	case AskRestart:
		return s.askRestart(r, targets, now)
	case AskScale:
		return s.askScale(r.Target, r.Count, now)
	case AskSignal:
		return s.askSignal(r.Signal, targets, now)
	}
	return Reply{}
}

func refuse(format string, args ...any) Reply { return Reply{Err: fmt.Sprintf(format, args...)} }

// aim finds the slots that a NAME or TYPE means; "": all.
func (s *supervisor) aim(target string) ([]*process, string) {
	var found []*process
	var names []string
	for _, p := range s.processes {
		if p.old {
			continue
		}
		names = append(names, p.name, p.spec.Type)
		if target == "" || p.name == target || p.spec.Type == target {
			found = append(found, p)
		}
	}
	if len(found) > 0 || target == "" {
		return found, ""
	}
	if near := procfile.Suggest(target, names); near != "" {
		return nil, fmt.Sprintf("there is no process or type %q; did you mean %s?", target, near)
	}
	slices.Sort(names)
	return nil, fmt.Sprintf("there is no process or type %q; there are %s", target, strings.Join(slices.Compact(names), ", "))
}

func namesOf(processes []*process) []string {
	names := make([]string, 0, len(processes))
	for _, p := range processes {
		names = append(names, p.name)
	}
	return names
}

// askQuiet quiets; what ends after that stays down until it is resumed.
func (s *supervisor) askQuiet(target string, targets []*process, now time.Time) Reply {
	const why = "quieted by launcher quiet"
	if target == "" {
		s.beQuiet(now, why)
		return Reply{Text: "quieted", Names: namesOf(targets)}
	}
	for _, p := range targets {
		p.letFinish(stayDown)
		switch {
		case p.state == Waiting:
			s.move(p, Down, Info, why, now)
		case p.working():
			p.cause = why
			s.quietOne(p, why, now)
		}
	}
	return Reply{Text: "quieted", Names: namesOf(targets)}
}

// askResume starts fresh processes for those that are quieted or down. No
// server can be un-quieted: one that still drains leaves its slot to a fresh
// one, drains to its end and goes.
func (s *supervisor) askResume(target string, targets []*process, now time.Time) Reply {
	if target == "" {
		s.quietAll = false
	}
	var resumed []*process
	for _, p := range targets {
		p.hearsNothing = false
		switch {
		case p.state == Down:
			s.bringBack(p, now)
		case p.next == startNow && !p.working(): // a restart or replacement: a fresh one follows
			continue
		case p.state == Quieting && p.plan.kill.IsZero():
			s.replaceDraining(p, now)
		case p.working(), p.state == Waiting:
			p.next = byPolicy
			continue
		default: // it goes down; a fresh one follows
			p.next = startNow
		}
		resumed = append(resumed, p)
	}
	if len(resumed) == 0 {
		return Reply{Text: "nothing was quieted"}
	}
	return Reply{Text: "resumed", Names: namesOf(resumed)}
}

// bringBack starts a slot that was down.
func (s *supervisor) bringBack(p *process, now time.Time) {
	p.next, p.tries, p.startAt = byPolicy, tries{}, now
	s.move(p, Waiting, Info, "to be started", now)
	s.more = true
}

// replaceDraining gives the slot of a draining process to a fresh one. One that
// tells when it is drained, and has no drain limit to go by, goes then: nobody has
// asked it to end.
func (s *supervisor) replaceDraining(p *process, now time.Time) {
	s.insert(newProcess(p.spec, now))
	p.old, p.next = true, remove
	if !p.spec.Server.Titles || p.spec.DrainLimit != 0 {
		s.letGo(p, p.cause, now)
	}
	s.more = true
}

// letGo has a process drain for as long as its drain limit allows and then go.
// Where nothing tells when it is drained, it is stopped as any other.
func (s *supervisor) letGo(p *process, why string, now time.Time) {
	p.old = true
	if p.spec.Server.Titles {
		s.leave(p, why, remove, now)
		return
	}
	s.down(p, newPlan(now, s.Budget, s.QuietFor), why, remove, now)
}

// askStop stops slots, which stay down until a restart, resume or scale; or
// everything.
func (s *supervisor) askStop(r Request, targets []*process, now time.Time) Reply {
	budget := s.Budget
	if r.Budget > 0 {
		if r.Budget > s.Budget {
			return refuse("the budget can only be shorter than %s: STOP_TIMEOUT was told to the processes when they were started", s.Budget)
		}
		budget = max(r.Budget, LeastBudget)
	}
	by := newPlan(now, budget, s.quietWithin(budget))
	const why = "asked by launcher stop"
	if r.Target == "" {
		if s.stopping != nil {
			return Reply{Text: "it is stopping already", Names: namesOf(targets)}
		}
		s.begin(now, by, why)
		return Reply{Text: "stopping", Names: namesOf(targets)}
	}
	for _, p := range s.processes { // what drains for a slot is stopped with it
		if p.old && p.runs() && (p.name == r.Target || p.spec.Type == r.Target) {
			s.down(p, by, why, remove, now)
		}
	}
	for _, p := range targets {
		if p.runs() {
			s.down(p, by, why, stayDown, now)
			continue
		}
		p.next = stayDown
		s.dismissDaemons(p, now)
		if p.state == Waiting {
			s.move(p, Down, Info, why, now)
		}
	}
	return Reply{Text: "stopping", Names: namesOf(targets)}
}

// quietWithin is the quiet phase that fits a shorter budget.
func (s *supervisor) quietWithin(budget time.Duration) time.Duration {
	if budget < s.Budget {
		return -1
	}
	return s.QuietFor
}

// askRestart replaces processes one at a time; those that are down are started.
func (s *supervisor) askRestart(r Request, targets []*process, now time.Time) Reply {
	if r.Force && s.roll != nil && !s.roll.back && s.roll.waits != "" {
		s.roll.force, s.more = true, true
		return Reply{Text: "the oldest that drain are stopped for the restart that is under way"}
	}
	if r.Target == "" {
		text := "restarting"
		if s.underway() {
			text = "restarting, once the restart that is under way is over"
		}
		s.reload(now, r.Force)
		return Reply{Text: text, Names: namesOf(targets)}
	}
	if why := s.refuseRestart(now); why != "" {
		return refuse("%s", why)
	}
	s.restarts.asked++
	one := &roll{slot: s.Slot, force: r.Force}
	for _, p := range targets {
		one.steps = append(one.steps, stepOf(p, p.spec))
	}
	s.beginRoll(one)
	return Reply{Text: "restarting", Names: namesOf(targets)}
}

// askScale brings a type to n processes: new slots from the generation that
// runs, or the highest slots away, each quieted, drained and stopped.
func (s *supervisor) askScale(typ string, n int, now time.Time) Reply {
	var slots []*process
	for _, p := range s.processes {
		if p.spec.Type == typ && !p.old {
			slots = append(slots, p)
		}
	}
	if s.underway() {
		return refuse("a restart is under way; scale when it is over")
	}
	if n < 0 || n > procfile.MostProcesses {
		return refuse("%s=%d: a count is 0 or more, and at most %d", typ, n, procfile.MostProcesses)
	}
	if n > len(slots) {
		return s.scaleUp(typ, slots, n, now)
	}
	s.stays = true
	away := slots[n:]
	for _, p := range slices.Backward(away) {
		s.takeAway(p, now)
	}
	return Reply{Text: fmt.Sprintf("%s has %d processes", typ, n), Names: namesOf(away)}
}

func (s *supervisor) scaleUp(typ string, slots []*process, n int, now time.Time) Reply {
	have := make(map[int]bool)
	for _, p := range slots {
		have[p.spec.Slot] = true
	}
	if s.Slot == nil {
		return refuse("%s cannot be scaled up here", typ)
	}
	if s.quietAll { // nothing is started until a restart or resume (DESIGN 3)
		return refuse("all is quiet; launcher resume, then scale")
	}
	var fresh []*process
	for slot := 1; len(slots)+len(fresh) < n; slot++ {
		if have[slot] {
			continue
		}
		spec, ok := s.Slot(typ, slot)
		if !ok {
			return refuse("there is no process type %q here", typ)
		}
		fresh = append(fresh, newProcess(&spec, now))
	}
	s.processes = append(slices.Clone(s.processes), fresh...)
	s.touch()
	s.more = true
	s.say(Warn, nil, "%s is scaled to %d, beyond its COUNT: INDEX is no longer unique over the fleet", typ, n)
	return Reply{Text: fmt.Sprintf("%s has %d processes", typ, n), Names: namesOf(fresh)}
}

// takeAway removes a slot: its process is quieted, drains, and is stopped.
func (s *supervisor) takeAway(p *process, now time.Time) {
	const why = "scaled down"
	s.leaveRoll([]string{p.name}, now) // its replacement, if that is under way
	if !p.runs() {
		s.dismissDaemons(p, now)
		s.move(p, Down, Info, why, now)
		s.drop(p)
		return
	}
	s.letGo(p, why, now)
}

// askSignal sends a signal to the processes themselves, wrappers looked through.
func (s *supervisor) askSignal(sig unix.Signal, targets []*process, now time.Time) Reply {
	var got []*process
	for _, p := range targets {
		switch {
		case !p.runs():
		case sig == unix.SIGCONT && p.state == Quieting: // P46; it gets one with its stop signal
		default:
			s.send(p, s.stopTargets(p, sig, now), sig)
			p.told = sig
			got = append(got, p)
		}
	}
	if len(got) == 0 {
		return refuse("no process runs that could get %s", SignalName(sig))
	}
	return Reply{Text: "sent " + SignalName(sig), Names: namesOf(got)}
}
