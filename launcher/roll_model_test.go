package launcher

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// release is one generation of a model's run, and how its processes fare.
type release struct {
	good bool
	behaviour
}

func drawRelease(r *rapid.T) release {
	ms := func(name string, least, most int) time.Duration {
		return time.Duration(rapid.IntRange(least, most).Draw(r, name)) * time.Millisecond
	}
	one := release{good: true, behaviour: behaviour{quiet: rapid.Bool().Draw(r, "quiet"), work: ms("work", 1, 20000)}}
	if rapid.Bool().Draw(r, "ready") {
		one.ready = ms("ready after", 1, 8000)
	}
	switch rapid.IntRange(0, 5).Draw(r, "kind") {
	case 0:
		one.good, one.up, one.code = false, ms("up", 1, 25000), 1
	case 1:
		one.good, one.err = false, unix.ENOENT
	case 2:
		one.comm, one.title = "sidekiq", []string{"sidekiq 6 app [1 of 10 busy] stopping"}
	}
	return one
}

// TestModelRestarts plays random deploys, with random commands among them. What
// must hold: no slot has two processes that are not old; no more work than were
// asked for and the surge; after an abort the old generation is what runs; all
// is gone within the budget. Where nobody else interferes: never fewer ready
// processes than there were, short of the new ones that fell.
func TestModelRestarts(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n, surge := rapid.IntRange(1, 4).Draw(r, "count"), rapid.IntRange(0, 3).Draw(r, "surge")
		limit := rapid.SampledFrom([]time.Duration{0, NoDrainLimit, 30 * time.Second}).Draw(r, "limit")
		drains, titles := rapid.Bool().Draw(r, "drains"), rapid.Bool().Draw(r, "titles")
		most := rapid.IntRange(1, 6).Draw(r, "max draining")
		calm := rapid.Bool().Draw(r, "calm")
		policy := rapid.SampledFrom([]Restart{RestartAlways, RestartAlways, RestartOnFailure, RestartNever}).Draw(r, "policy")
		asks, probes := drawProbes(r)
		probed := !calm && rapid.Bool().Draw(r, "probed")
		edit := func(s *Spec) {
			if probed {
				probes(s)
			}
			s.Rolling = Rolling{Surge: surge, DrainLimit: limit, MaxDraining: most, ReadyTimeout: 30 * time.Second}
			s.Server = Server{Drains: drains, Titles: titles}
			s.MaxMemory = 100e6
			s.Restart = policy
		}
		slot := func(dir string) func(string, int) (Spec, bool) {
			return func(typ string, slot int) (Spec, bool) {
				return specs(typ, slot, edit, func(s *Spec) { s.Dir = dir })[slot-1], true
			}
		}
		first := release{good: true, behaviour: behaviour{quiet: true, work: time.Second, ready: time.Second}}
		releases := append([]release{first}, rapid.SliceOfN(rapid.Custom(drawRelease), 4, 4).Draw(r, "releases")...)
		moments := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 6000), rapid.IntRange(0, 60000)), 1, 6).Draw(r, "moments")
		acts := rapid.SliceOfN(rapid.IntRange(0, lastAct), 6, 6).Draw(r, "acts")
		early, rest := rapid.Bool().Draw(r, "early"), rapid.IntRange(0, 40000).Draw(r, "rest")
		harmless := policy == RestartAlways && !probed
		for _, which := range acts[:len(moments)] {
			harmless = harmless && (calm || slices.Contains(harmlessActs, which))
		}
		read := 0
		var wrong []string // told outside of the bubble
		broadcast := rapid.SampledFrom([]Broadcast{BroadcastAuto, BroadcastYes}).Draw(r, "broadcast")
		c := Config{Ask: asks.ask, Broadcast: broadcast, PID1: early, Specs: specs("worker", n, edit, func(s *Spec) { s.Dir = "0" }), Slot: slot("0"), Reload: func() (Generation, error) {
			read = min(read+1, len(releases)-1)
			dir := fmt.Sprint(read)
			return Generation{Specs: specs("worker", n, edit, func(s *Spec) { s.Dir = dir }), Slot: slot(dir)}, nil
		}}
		behaves := func(s *Spec, _ int) behaviour {
			if s.Mute {
				return asks.command(s)
			}
			return releases[s.Dir[0]-'0'].behaviour
		}
		h := inHouse(t, c, behaves, func(h *house) {
			time.Sleep(15 * time.Second)
			for i, ms := range moments {
				time.Sleep(time.Duration(ms) * time.Millisecond)
				act(t, h, acts[i], calm)
				wrong = append(wrong, twins(h.ask(t, Request{})))
			}
			if early {
				time.Sleep(time.Duration(rest) * time.Millisecond)
			} else {
				wrong = append(wrong, settled(t, h, n, releases, calm, harmless, !probed && (surge > 0 || !titles))...)
			}
			if took := h.term(); took > DefaultBudget {
				wrong = append(wrong, fmt.Sprintf("the stop took %s", took))
			}
		})
		for _, what := range wrong {
			if what != "" {
				r.Fatal(what)
			}
		}
		checkEvents(r, h, n, surge, calm)
		for _, bad := range h.bad {
			r.Fatal(bad)
		}
	})
}

// lastAct is the last that act knows.
const lastAct = 20

// harmlessActs take no process away for good, and quiet none.
var harmlessActs = []int{0, 1, 2, 3, 4, 6, 9, 12, 13, 15, 18, 19}

func act(t *testing.T, h *house, which int, calm bool) {
	if calm {
		which %= 5
	}
	switch which {
	case 0, 1, 2:
		h.deliver(unix.SIGHUP)
	case 3:
		h.ask(t, Request{Verb: AskRestart, Force: true})
	case 4:
		h.ask(t, Request{Verb: AskRestart, Target: "worker.1"})
	case 5:
		h.deliver(unix.SIGUSR1)
	case 6:
		h.ask(t, Request{Verb: AskResume})
	case 7:
		h.ask(t, Request{Verb: AskQuiet, Target: "worker.1"})
	case 8:
		h.ask(t, Request{Verb: AskStop, Target: "worker.1"})
	case 10:
		h.ask(t, Request{Verb: AskScale, Target: "worker", Count: 1})
	case 11:
		h.ask(t, Request{Verb: AskScale, Target: "worker", Count: 4})
	case 12: // too much memory
		h.toFirst(0, func(p *fakeProcess) { p.behave.grows = 100e6 })
	case 13:
		h.ask(t, Request{Verb: AskResume, Target: "worker.1"})
	case 14:
		h.ask(t, Request{Verb: AskQuiet, Target: "worker"})
	case 15:
		h.ask(t, Request{Verb: AskRestart, Target: "worker"})
	case 16:
		h.ask(t, Request{Verb: AskScale, Target: "worker", Count: 0})
	case 17:
		h.says("worker.1", "STATUS=drained\nSTOPPING=1", 0)
	case 18: // it leaves a daemon
		h.toFirst(0, func(p *fakeProcess) {
			h.spawn(behaviour{comm: "daemon", work: 3 * time.Second}, p.sight.PID, 0).origin = p.spec.Name()
		})
	case 19:
		h.toFirst(0, func(p *fakeProcess) { h.end(p, Exit{Status: 2 << 8, Starved: true}) })
	case 20:
		h.ask(t, Request{Verb: AskStop, Target: "worker", Budget: 3 * time.Second})
	case 9:
		h.toFirst(1, func(p *fakeProcess) { h.end(p, Exit{Status: 1 << 8}) })
	}
}

// toFirst does something to the first process of a slot, or of any (0).
func (h *house) toFirst(slot int, do func(*fakeProcess)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, pid := range slices.Sorted(maps.Keys(h.procs)) {
		if p := h.procs[pid]; p.spec != nil && (slot == 0 || p.spec.Slot == slot) {
			do(p)
			return
		}
	}
}

// twins tells of two processes that status calls the same.
func twins(reply Reply) string {
	names := map[string]bool{}
	for _, p := range reply.Status.Processes {
		if names[p.Name] {
			return fmt.Sprintf("two are called %s: %s", p.Name, reply.states())
		}
		names[p.Name] = true
	}
	return ""
}

// settled waits until everything is over that was begun, and tells what is wrong
// then. harmless: nobody was told to be quiet or to go. ends: no restart waits for one that never drains, or is never well.
func settled(t *testing.T, h *house, n int, releases []release, calm, harmless, ends bool) []string {
	time.Sleep(15 * time.Minute) // of 4 slots each may drain for 40 s, twice
	now := h.ask(t, Request{})
	wrong := []string{stuck(now)}
	if calm {
		wrong = append(wrong, mixed(now, releases))
	}
	if calm || harmless {
		wrong = append(wrong, missing(now, n))
	}
	if harmless && ends {
		wrong = append(wrong, unready(now, releases))
	}
	if ends {
		wrong = append(wrong, unended(now))
	}
	return wrong
}

// missing tells of slots that are gone though nobody took them away.
func missing(reply Reply, n int) string {
	have := 0
	for _, p := range reply.Status.Processes {
		if !p.Old {
			have++
		}
	}
	if have == n || reply.Status.PID == 0 { // it is over
		return ""
	}
	return fmt.Sprintf("%d of %d slots: %s; %s", have, n, reply.states(), reply.Status.Restart)
}

// unready tells of slots of a good generation where nothing is ready.
func unready(reply Reply, releases []release) string {
	for _, p := range reply.Status.Processes {
		if !p.Old && p.State != Ready && releases[p.Dir[0]-'0'].good {
			return fmt.Sprintf("%s is not ready: %s; %s", p.Name, dirs(reply), reply.Status.Restart)
		}
	}
	return ""
}

// stuck tells of a process that nothing will move on.
func stuck(reply Reply) string {
	for _, p := range reply.Status.Processes {
		late := reply.Status.Time.Sub(p.Since) > 5*time.Minute
		if p.State == Waiting && p.NextStart.Before(reply.Status.Time) || p.State == Killed && late {
			return fmt.Sprintf("%s is stuck: %s", p.Name, reply.states())
		}
		if p.Old && p.State < Quieting && !strings.HasPrefix(reply.Status.Restart, "re") {
			return fmt.Sprintf("%s is there for good: %s", p.Name, reply.states())
		}
	}
	return ""
}

// unended tells of a restart, or a replacement, that goes on and on.
func unended(reply Reply) string {
	if words := reply.Status.Restart; strings.HasPrefix(words, "re") && !strings.Contains(words, "waits for") {
		return fmt.Sprintf("after 15 minutes: %s; %s", words, reply.states())
	}
	return ""
}

// mixed tells of more than one generation after an abort, or of one that is good
// and is not ready.
func mixed(reply Reply, releases []release) string {
	if !strings.HasPrefix(reply.Status.Restart, "aborted") {
		return ""
	}
	dir := ""
	for _, p := range reply.Status.Processes {
		if p.Old {
			continue
		}
		if dir == "" {
			dir = p.Dir
		}
		if p.Dir != dir || p.State != Ready && releases[dir[0]-'0'].good {
			return fmt.Sprintf("after an abort (%s): %s", reply.Status.Restart, dirs(reply))
		}
	}
	return ""
}

// checkEvents reads the log of a run up to its stop.
func checkEvents(r *rapid.T, h *house, n, surge int, calm bool) {
	var count [Killed + 1]int // processes in each state
	fell, all := 0, false
	for _, e := range h.events {
		if strings.HasPrefix(e.Text, "stopping:") {
			return
		}
		if !e.Changed {
			continue
		}
		if e.From == Ready && e.To < Starting {
			fell++ // by itself
		}
		count[e.From]--
		count[e.To]++
		working, ready := count[Starting]+count[Ready], count[Ready]
		all = all || ready == n
		most := n + surge
		if !calm { // it may be scaled
			most = max(n, 4) + surge
		}
		if working > most {
			r.Fatalf("%d work at %s, asked for %d and a surge of %d", working, e.Time, n, surge)
		}
		if calm && all && ready < n-fell-max(0, 1-surge) {
			r.Fatalf("%d are ready at %s, of %d, and %d fell", ready, e.Time, n, fell)
		}
	}
}
