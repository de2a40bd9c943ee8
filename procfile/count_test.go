package procfile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func fixed(n int) Count { return Count{Kind: Fixed, N: n} }

func TestParseCounts(t *testing.T) {
	all := func(c Count) Counts { return Counts{All: &c} }
	for _, tt := range []struct {
		text      string
		formation bool
		want      Counts
		errs      []string
	}{
		{text: "3", want: all(fixed(3))},
		{text: " 12 ", want: all(fixed(12))},
		{text: "auto", want: all(Count{Kind: Auto})},
		{text: "50%", want: all(Count{Percent, 50})},
		{text: "worker=6,all=1", want: Counts{ByType: map[string]Count{"worker": fixed(6)}, All: all(fixed(1)).All}},
		{text: "worker=auto, web=25%", want: Counts{ByType: map[string]Count{"worker": {Kind: Auto}, "web": {Percent, 25}}}},
		{text: "all=1,worker=0", formation: true, want: Counts{ByType: map[string]Count{"worker": fixed(0)}, All: all(fixed(1)).All}},
		{text: "", errs: []string{"COUNT: no number; give a whole number from 1, auto, or a percentage of the cores like 50%"}},
		{text: "0", errs: []string{"COUNT: 0 is too few; give a whole number from 1, auto, or a percentage of the cores like 50%"}},
		{text: "0%", errs: []string{"COUNT: 0% is no process at all; give a whole number from 1, auto, or a percentage of the cores like 50%"}},
		{text: "-1", errs: []string{`COUNT: "-1" is no count; give a whole number from 1, auto, or a percentage of the cores like 50%`}},
		{text: "3.5", errs: []string{`COUNT: "3.5" is no count; give a whole number from 1, auto, or a percentage of the cores like 50%`}},
		{text: "99999999999999999999", errs: []string{`COUNT: 99999999999999999999 is too many; give a whole number from 1, auto, or a percentage of the cores like 50%`}},
		{text: "worker=0,my.web=1,3,,worker=x,a=1,a=2", errs: []string{
			"COUNT: worker=0 is too few; give a whole number from 1, auto, or a percentage of the cores like 50%",
			`COUNT: "my.web" is no process type; use letters, digits, - and _ only`,
			`COUNT: "3" is not TYPE=N; write it like all=1,worker=4`,
			"COUNT: an empty item; write it like all=1,worker=4",
			`COUNT: worker="x" is no count; give a whole number from 1, auto, or a percentage of the cores like 50%`,
			"COUNT: a is given twice; remove one of them",
		}},
		{text: "4", formation: true, errs: []string{`COUNT: "4" is not TYPE=N; write it like all=1,worker=4`}},
	} {
		parse := ParseCounts
		if tt.formation {
			parse = ParseFormation
		}
		got, err := parse("COUNT", tt.text)
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, d)
		}
		if d := cmp.Diff(tt.errs, lines(t, err)); d != "" {
			t.Errorf("%q, errors (-want +got):\n%s", tt.text, d)
		}
	}
}

func TestParseTypeArg(t *testing.T) {
	n := func(c Count) *Count { return &c }
	for _, tt := range []struct {
		arg, typ string
		n        *Count
		err      string
	}{
		{"worker", "worker", nil, ""},
		{"worker=3", "worker", n(fixed(3)), ""},
		{"worker=0", "worker", n(fixed(0)), ""},
		{"worker=auto", "worker", n(Count{Kind: Auto}), ""},
		{"worker=", "", nil, "worker=: no number; give a whole number from 0, auto, or a percentage of the cores like 50%"},
		{"bin/x", "", nil, `bin/x: "bin/x" is no process type; give a type of the Procfile, like worker or worker=3; a command goes to launcher exec`},
	} {
		typ, count, err := ParseTypeArg(tt.arg)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if typ != tt.typ || message != tt.err || !cmp.Equal(count, tt.n) {
			t.Errorf("%q: %q, %v, %v", tt.arg, typ, count, err)
		}
	}
}

func TestResolve(t *testing.T) {
	const mb = 1 << 20
	for _, tt := range []struct {
		count Count
		cores float64
		mem   int64
		want  int
	}{
		{fixed(3), 1, 0, 3},
		{fixed(0), 4, 0, 0},
		{Count{Kind: Auto}, 4, 0, 4},
		{Count{Kind: Auto}, 3.9, 0, 3},
		{Count{Kind: Auto}, 0.5, 0, 1},
		{Count{Kind: Auto}, 0, 0, 1},
		{Count{Kind: Auto}, 8, 512 * mb, 1},
		{Count{Kind: Auto}, 8, 1023 * mb, 1},
		{Count{Kind: Auto}, 8, 1024 * mb, 2},
		{Count{Kind: Auto}, 8, 100 * mb, 1},
		{Count{Kind: Auto}, 2, 1 << 62, 2},
		{Count{Percent, 50}, 8, 512 * mb, 4},
		{Count{Percent, 50}, 3, 0, 1},
		{Count{Percent, 50}, 1, 0, 1},
		{Count{Percent, 200}, 2, 0, 4},
		{Count{Percent, 30}, 10, 0, 3},
		{Count{Percent, 70}, 10, 0, 7},
	} {
		if got := tt.count.Resolve(Capacity{tt.cores, tt.mem}); got != tt.want {
			t.Errorf("%v of %v cores and %d bytes is %d, want %d", tt.count, tt.cores, tt.mem, got, tt.want)
		}
	}
}
