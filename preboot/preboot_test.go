package preboot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const timeout = time.Minute

func (v Verb) String() string {
	return [...]string{"start", "replace", "retire", "stop", "pass", "prove", "abort", "done"}[v]
}

// words are the actions of a decision.
func (d Decision) words() string {
	var words []string
	for _, a := range d.Actions {
		word := a.Verb.String()
		switch a.Verb {
		case Start, Replace, Retire, Pass:
			word += fmt.Sprintf(" %d", a.Slot)
		case Stop:
			word += fmt.Sprintf(" #%d", a.ID)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

// TestOneSlot is the whole table: every state that a slot whose turn has come
// can be in, and what is done.
func TestOneSlot(t *testing.T) {
	for _, tt := range []struct {
		old   Old
		new   New
		how   string // "", "alone", "goes"
		want  string // going on
		back  string // on the way back
		waits bool   // for ReadyTimeout
	}{
		{Absent, None, "", "", "", false},
		{Absent, Booting, "", "", "", true},
		{Absent, Ready, "", "prove", "done", false},
		{Absent, Failed, "", "abort", "", false},
		{Serving, None, "", "", "", false},
		{Serving, Booting, "", "", "", true},
		{Serving, Ready, "", "retire 0", "retire 0", false},
		{Serving, Failed, "", "abort", "", false},
		{Leaving, None, "", "", "", false},
		{Leaving, Booting, "", "", "", true},
		{Leaving, Ready, "", "prove", "done", false},
		{Leaving, Failed, "", "abort", "", false},

		{Absent, None, "alone", "", "", false},
		{Absent, Booting, "alone", "", "", true},
		{Absent, Ready, "alone", "prove", "done", false},
		{Absent, Failed, "alone", "abort", "", false},
		{Serving, None, "alone", "", "", false},
		{Leaving, None, "alone", "", "", false},

		{Serving, None, "goes", "", "", false},
		{Leaving, None, "goes", "prove", "done", false},
		{Absent, None, "goes", "prove", "done", false},
	} {
		s := Slot{
			Name: "worker.1", Old: tt.old, New: tt.new, Begun: true, Since: start, ReadyTimeout: timeout,
			Alone: tt.how == "alone", Goes: tt.how == "goes",
		}
		name := fmt.Sprintf("old %d new %d %s", tt.old, tt.new, tt.how)
		d := Next(Restart{Slots: []Slot{s}}, start)
		if d.words() != tt.want {
			t.Errorf("%s: %q, want %q", name, d.words(), tt.want)
		}
		if tt.waits != d.Next.Equal(start.Add(timeout)) {
			t.Errorf("%s: asked again at %s", name, d.Next)
		}
		if d := Next(Restart{Slots: []Slot{s}, Back: true}, start); d.words() != tt.back {
			t.Errorf("%s: on the way back %q, want %q", name, d.words(), tt.back)
		}
		d, back := Next(Restart{Slots: []Slot{s}}, start.Add(timeout)), Next(Restart{Slots: []Slot{s}, Back: true}, start.Add(timeout))
		if tt.waits && (d.words() != "abort" || back.words() != "pass 0") {
			t.Errorf("%s: not ready in time: %q, on the way back %q", name, d.words(), back.words())
		}
	}
}

// TestBegin: who has a turn, and how many at once.
func TestBegin(t *testing.T) {
	waiting := func(name string) Slot { return Slot{Name: name, Type: "w", Old: Serving, Surge: 1} }
	edit := func(s Slot, f func(*Slot)) Slot { f(&s); return s }
	underway := func(name string) Slot {
		return edit(waiting(name), func(s *Slot) { s.Begun, s.New, s.Since = true, Booting, start })
	}
	over := func(name string) Slot {
		return edit(waiting(name), func(s *Slot) { s.Begun, s.New, s.Old = true, Ready, Leaving })
	}
	surge := func(n int) func(*Slot) { return func(s *Slot) { s.Surge = n } }
	alone := func(s *Slot) { s.Alone = true }
	goes := func(s *Slot) { s.Goes = true }
	for name, tt := range map[string]struct {
		slots []Slot
		back  bool
		want  string
	}{
		"one at a time":             {[]Slot{waiting("w.1"), waiting("w.2")}, false, "start 0"},
		"none while one is booting": {[]Slot{underway("w.1"), waiting("w.2")}, false, ""},
		"then the next":             {[]Slot{over("w.1"), waiting("w.2")}, false, "start 1"},
		"a surge": {
			[]Slot{edit(waiting("w.1"), surge(2)), edit(waiting("w.2"), surge(2)), edit(waiting("w.3"), surge(2))}, false, "start 0, start 1",
		},
		"old first when all others are done": {[]Slot{edit(waiting("w.1"), alone), underway("w.2")}, false, ""},
		"old first comes last":               {[]Slot{edit(waiting("w.1"), alone), waiting("w.2")}, false, "start 1"},
		"old first, one at a time": {
			[]Slot{edit(edit(waiting("w.1"), alone), surge(5)), edit(edit(waiting("w.2"), alone), surge(5))}, false, "replace 0",
		},
		"what goes, last": {[]Slot{edit(waiting("w.1"), goes), over("w.2"), underway("w.3")}, false, ""},
		"and then":        {[]Slot{edit(waiting("w.1"), goes), over("w.2")}, false, "retire 0"},
		"a new slot":      {[]Slot{{Name: "w.1"}}, false, "start 0"},
		"back: what is down at once": {
			[]Slot{{Name: "w.1"}, {Name: "w.2", Old: Leaving}, {Name: "w.3", Alone: true}, waiting("w.4")}, true, "start 0, start 1, replace 2",
		},
		"nothing to do": {nil, false, "prove"},
	} {
		if d := Next(Restart{Slots: tt.slots, Back: tt.back}, start); d.words() != tt.want {
			t.Errorf("%s: %q, want %q", name, d.words(), tt.want)
		}
	}
}

func TestMaxDraining(t *testing.T) {
	slots := []Slot{
		{Name: "w.1", Type: "w", Old: Serving, Surge: 2, MaxDraining: 2},
		{Name: "w.2", Type: "w", Old: Serving, Surge: 2, MaxDraining: 2},
	}
	drain := func(id, age int, stopped bool) Draining {
		return Draining{ID: id, Type: "w", Label: fmt.Sprint("#", id), Since: start.Add(-time.Duration(age) * time.Hour), Stopped: stopped}
	}
	other := Draining{ID: 9, Type: "x"}
	for name, tt := range map[string]struct {
		draining []Draining
		force    bool
		want     string
		waits    bool
	}{
		"none drains":                 {[]Draining{other}, false, "start 0, start 1", false},
		"room for one":                {[]Draining{drain(1, 1, false)}, false, "start 0", true},
		"no room":                     {[]Draining{drain(1, 1, false), drain(2, 2, false)}, false, "", true},
		"by force the oldest":         {[]Draining{drain(1, 1, false), drain(2, 2, false), other}, true, "stop #2", true},
		"one is on its way already":   {[]Draining{drain(1, 1, false), drain(2, 2, true)}, true, "", true},
		"more than allowed, by force": {[]Draining{drain(1, 1, false), drain(2, 3, false), drain(3, 2, false)}, true, "stop #2, stop #3", true},
	} {
		d := Next(Restart{Slots: slots, Draining: tt.draining, Force: tt.force}, start)
		if d.words() != tt.want || (d.Waits != "") != tt.waits {
			t.Errorf("%s: %q, waits %q; want %q", name, d.words(), d.Waits, tt.want)
		}
	}
	d := Next(Restart{Slots: slots, Draining: []Draining{drain(1, 1, false), drain(2, 2, false)}}, start)
	if d.Waits != "w.1 waits for #1, #2 to finish: no more than 2 of w may drain" {
		t.Error(d.Waits)
	}
	slots[0].MaxDraining, slots[1].MaxDraining = 1, 1 // fewer than the surge
	if d := Next(Restart{Slots: slots}, start); d.words() != "start 0" {
		t.Errorf("one may drain: %q", d.words())
	}
}

// TestProving is einhorn's hole.
func TestProving(t *testing.T) {
	r := Restart{Slots: []Slot{{Name: "w.1", Begun: true, New: Ready, Old: Leaving}}, Replaced: start}
	if d := Next(r, start.Add(Proving-1)); d.words() != "" || !d.Next.Equal(start.Add(Proving)) {
		t.Errorf("%q, again at %s", d.words(), d.Next)
	}
	if d := Next(r, start.Add(Proving)); d.words() != "done" {
		t.Error(d.words())
	}
	r.Slots[0].New, r.Slots[0].Why = Failed, "it fell"
	if d := Next(r, start.Add(Proving-1)); d.words() != "abort" || d.Actions[0].Why != "it fell" {
		t.Errorf("%+v", d)
	}
}

func TestUndone(t *testing.T) {
	for _, tt := range []struct {
		slot         Slot
		had, quieted bool
		want         Undo
	}{
		{Slot{Old: Serving}, true, false, Keep},
		{Slot{Old: Absent}, true, false, Keep},
		{Slot{Old: Serving}, true, true, Keep},
		{Slot{Old: Absent}, true, true, MakeUp},
		{Slot{Old: Leaving}, true, true, MakeUp},
		{Slot{}, false, true, Keep},
		{Slot{Begun: true, New: Booting}, false, false, Drop},
		{Slot{Begun: true, New: Failed, Old: Serving}, true, false, Drop},
		{Slot{Begun: true, New: Ready, Old: Serving}, true, false, Drop},
		{Slot{Begun: true, New: Ready, Old: Leaving}, true, false, MakeUp},
		{Slot{Begun: true, New: Ready, Old: Absent}, true, false, MakeUp},
		{Slot{Begun: true, New: Booting, Old: Absent}, true, false, MakeUp},
		{Slot{Begun: true, Alone: true, Old: Leaving}, true, false, MakeUp},
		{Slot{Begun: true, Goes: true, Old: Leaving}, true, false, MakeUp},
	} {
		if got := Undone(tt.slot, tt.had, tt.quieted); got != tt.want {
			t.Errorf("%+v had %v quieted %v: %d, want %d", tt.slot, tt.had, tt.quieted, got, tt.want)
		}
	}
}

func TestDrain(t *testing.T) {
	const quiet, ladder, hour = 500 * time.Millisecond, 9 * time.Second, time.Hour
	for _, tt := range []struct {
		what                 string
		hears, tells, drains bool
		limit                time.Duration
		want                 Farewell
	}{
		{"sidekiq", true, true, false, NoLimit, Farewell{true, NoLimit, NoLimit}},
		{"sidekiq, an hour", true, true, false, hour, Farewell{true, hour, hour + ladder - quiet}},
		{"sidekiq, the ladder", true, true, false, 0, Farewell{true, quiet, ladder}},
		{"rq", false, false, true, NoLimit, Farewell{false, 0, NoLimit}},
		{"puma", false, false, true, time.Minute, Farewell{false, 0, time.Minute}},
		{"puma, the ladder", false, false, true, 0, Farewell{false, 0, ladder}},
		{"resque: its stop signal is its drain", true, false, true, NoLimit, Farewell{false, 0, NoLimit}},
		{"unknown, hears nothing", false, false, false, hour, Farewell{false, 0, hour}},
		{"unknown, hears TSTP", true, false, false, NoLimit, Farewell{true, quiet, NoLimit}},
		{"unknown, hears TSTP, an hour", true, false, false, hour, Farewell{true, quiet, hour}},
		{"a limit below the ladder is the ladder", false, false, false, time.Second, Farewell{false, 0, ladder}},
	} {
		if got := Drain(tt.hears, tt.tells, tt.drains, tt.limit, quiet, ladder); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.what, got, tt.want)
		}
	}
}

// TestModelSchedules plays random restarts on nothing but values: what each
// action asks for happens some time later, or fails. No slot is ever without
// both an old process that serves and a new one that is ready, but those that go
// old first; no more are under way than the surge, and no more drain than may;
// and every restart comes to an end.
func TestModelSchedules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, surge := rapid.IntRange(1, 6).Draw(t, "slots"), rapid.IntRange(1, 4).Draw(t, "surge")
		most := rapid.IntRange(1, 8).Draw(t, "max draining")
		r := Restart{Slots: make([]Slot, n)}
		for i := range r.Slots {
			r.Slots[i] = Slot{
				Name: fmt.Sprint("w.", i+1), Type: "w", Old: Serving, Surge: surge, MaxDraining: most,
				ReadyTimeout: timeout, Alone: rapid.IntRange(0, 4).Draw(t, "alone") == 0,
			}
		}
		now := start
		for turn := 0; ; turn++ {
			if turn > 2000 {
				t.Fatalf("it does not end: %+v", r)
			}
			d := Next(r, now)
			for _, a := range d.Actions {
				if a.Verb == Abort {
					for i, s := range r.Slots {
						if u := Undone(s, true, false); u == Keep && s.Begun || u == Drop && s.Old != Serving || u == MakeUp && !s.Begun {
							t.Fatalf("slot %d %+v is undone by %d", i, s, u)
						}
					}
					return
				}
				if a.Verb == Done {
					for _, s := range r.Slots {
						if s.New != Ready {
							t.Fatalf("it is over, and %+v", s)
						}
					}
					return
				}
				carryOut(&r, a, now)
			}
			check(t, r, surge, most)
			now = now.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "seconds")) * time.Second)
			happen(t, &r, now)
		}
	})
}

func carryOut(r *Restart, a Action, now time.Time) {
	s := &r.Slots[a.Slot]
	switch a.Verb {
	case Start:
		s.Begun, s.New, s.Since = true, Booting, now
	case Replace:
		s.Begun, s.Old = true, Leaving
	case Retire:
		s.Old = Leaving
		r.Draining = append(r.Draining, Draining{ID: a.Slot, Type: "w", Since: now})
	case Prove:
		r.Replaced = now
	}
}

// happen has something happen to some of the processes.
func happen(t *rapid.T, r *Restart, now time.Time) {
	for i := range r.Slots {
		s := &r.Slots[i]
		if s.Alone && s.Old == Leaving {
			s.Old, s.New, s.Since = Absent, Booting, now
			continue
		}
		switch rapid.IntRange(0, 40).Draw(t, "event") {
		case 0:
			if s.New != None {
				s.New, s.Why = Failed, "it fell"
			}
		case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10:
			if s.New == Booting {
				s.New = Ready
			}
		case 11, 12, 13, 14, 15, 16:
			if s.Old == Leaving {
				s.Old = Absent
				r.Draining = slices.DeleteFunc(r.Draining, func(p Draining) bool { return p.ID == i })
			}
		}
	}
}

func check(t *rapid.T, r Restart, surge, most int) {
	beside := 0
	for _, s := range r.Slots {
		if s.Begun && !s.Alone && s.Old == Serving {
			beside++
		}
		if !s.Alone && s.Old != Serving && s.New != Ready && s.New != Failed {
			t.Fatalf("nobody serves for %+v", s)
		}
	}
	if beside > surge {
		t.Fatalf("%d beside old ones, with a surge of %d", beside, surge)
	}
	if len(r.Draining) > most {
		t.Fatalf("%d drain, of at most %d", len(r.Draining), most)
	}
}

// TestTheWayBackIsNotCrowdedOut: a slot where nothing serves is not behind one that
// waits for others to drain.
func TestTheWayBackIsNotCrowdedOut(t *testing.T) {
	slot := func(old Old) Slot {
		return Slot{Name: "worker", Type: "worker", Old: old, Surge: 1, MaxDraining: 1, ReadyTimeout: timeout}
	}
	r := Restart{Back: true, Slots: []Slot{slot(Serving), slot(Absent)}, Draining: []Draining{{ID: 7, Type: "worker", Label: "old"}}}
	d := Next(r, start)
	if got := d.words(); got != "start 1" || d.Waits == "" {
		t.Errorf("%s; it waits: %q", got, d.Waits)
	}
}
