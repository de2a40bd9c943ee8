package procfile

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-multierror"
)

// lines are the errors of err, one a line.
func lines(t testing.TB, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var all *multierror.Error
	if !errors.As(err, &all) {
		t.Fatalf("%v is a %T", err, err)
	}
	var out []string
	for _, e := range all.Errors {
		var p *Problem
		if !errors.As(e, &p) {
			t.Fatalf("%v is a %T", e, e)
		}
		if p.What == "" || p.Remedy == "" {
			t.Errorf("%+v says too little", p)
		}
		out = append(out, e.Error())
	}
	return out
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		want       []Entry
		errs       []string
	}{
		{name: "empty"},
		{name: "plain", text: "web: bundle exec puma\nworker: sidekiq\n", want: []Entry{{"web", "bundle exec puma", 1}, {"worker", "sidekiq", 2}}},
		{name: "no newline at the end", text: "web: puma", want: []Entry{{"web", "puma", 1}}},
		{name: "comments and blank lines", text: "# one\n\n  # two\nweb: puma # kept for the shell\n \t\n", want: []Entry{{"web", "puma # kept for the shell", 4}}},
		{name: "a comment is not continued", text: "# one \\\nweb: puma", want: []Entry{{"web", "puma", 2}}},
		{name: "CRLF and a byte order mark", text: "\ufeffweb: puma\r\nworker: sidekiq \\\r\n  -t 8\r\n", want: []Entry{{"web", "puma", 1}, {"worker", "sidekiq   -t 8", 2}}},
		{name: "blanks", text: "  web:puma  \nworker:\t sidekiq\t\n", want: []Entry{{"web", "puma", 1}, {"worker", "sidekiq", 2}}},
		{name: "colons in the command", text: "web: a:b http://x:1", want: []Entry{{"web", "a:b http://x:1", 1}}},
		{name: "every letter of a type", text: "Web-1_x: puma", want: []Entry{{"Web-1_x", "puma", 1}}},
		{name: "continued twice", text: "web: a \\\n b\\\nc\nw: x", want: []Entry{{"web", "a  bc", 1}, {"w", "x", 4}}},
		{name: "an escaped backslash continues nothing", text: "web: a \\\\\nw: x", want: []Entry{{"web", `a \\`, 1}, {"w", "x", 2}}},
		{name: "continued by nothing", text: "web: a \\\n\nw: x", want: []Entry{{"web", "a", 1}, {"w", "x", 3}}},
		{
			name: "a duplicate", text: "web: a\nw: b\nweb: c", want: []Entry{{"web", "a", 1}, {"w", "b", 2}},
			errs: []string{"Procfile:3: web: is defined a second time, first on line 1; rename or remove one of them"},
		},
		{
			name: "empty commands", text: "web:\nw:  # nothing\n",
			errs: []string{
				"Procfile:1: web: has no command; write web: COMMAND, or remove the line",
				"Procfile:2: w: has no command; write w: COMMAND, or remove the line",
			},
		},
		{
			name: "junk, all at once", text: "worker bundle exec x\nok: y\n: z\nmy.web: a\nweb : b\nwörker: c\nuse http://x\njunk\n", want: []Entry{{"ok", "y", 2}},
			errs: []string{
				`Procfile:1: "worker bundle exec x" is not TYPE: COMMAND; write worker: bundle exec x`,
				"Procfile:3: no process type before the colon; write TYPE: COMMAND",
				`Procfile:4: "my.web" is no process type; use letters, digits, - and _ only`,
				"Procfile:5: a blank before the colon; write web: without it",
				`Procfile:6: "wörker" is no process type; use letters, digits, - and _ only`,
				`Procfile:7: "use http://x" is not TYPE: COMMAND; write TYPE: COMMAND`,
				`Procfile:8: "junk" is not TYPE: COMMAND; write TYPE: COMMAND`,
			},
		},
		{
			name: "a backslash at the end", text: "web: a \\", want: []Entry{{"web", "a", 1}},
			errs: []string{"Procfile:1: ends in a backslash, and no line follows; remove the backslash"},
		},
		{
			name: "blanks after a backslash", text: "web: a \\  \n b\n", want: []Entry{{"web", "a  b", 1}},
			errs: []string{"Procfile:1: has blanks after the backslash at its end; remove the blanks, so that the next line continues it"},
		},
		{name: "NUL", text: "web: a\nw: b\x00", errs: []string{"Procfile:2: holds a NUL byte; save it as plain text"}},
		{name: "UTF-16", text: "\xff\xfew\x00", errs: []string{"Procfile:1: is UTF-16; save it as UTF-8"}},
		{
			name: "old line ends", text: "web: a\rw: b", want: []Entry{{"web", "a w: b", 1}},
			errs: []string{"Procfile:1: holds a carriage return in the middle; end lines with a newline"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse("Procfile", []byte(tt.text))
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("entries (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.errs, lines(t, err)); d != "" {
				t.Errorf("errors (-want +got):\n%s", d)
			}
		})
	}
}

func TestProblem(t *testing.T) {
	for _, tt := range []struct {
		p    Problem
		want string
	}{
		{Problem{File: "Procfile", Line: 3, Setting: "web", What: "w", Remedy: "r"}, "Procfile:3: web: w; r"},
		{Problem{File: ".env", What: "w", Remedy: "r"}, ".env: w; r"},
		{Problem{Setting: "COUNT", What: "w", Remedy: "r"}, "COUNT: w; r"},
		{Problem{What: "w"}, "w"},
	} {
		if got := tt.p.Error(); got != tt.want {
			t.Errorf("%+v is %q, want %q", tt.p, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("web: puma\nworker: sidekiq \\\n -t 8\n# x\n\nweb: again\r\njunk\nx.y: z\n:")
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := Parse("Procfile", []byte(text))
		count := strings.Count(text, "\n") + 1
		seen := map[string]bool{}
		last := 0
		for _, e := range entries {
			if !validType(e.Type) || e.Command == "" || strings.ContainsAny(e.Command, "\n\r\x00") || e.Command != strings.TrimSpace(e.Command) {
				t.Errorf("entry %+v", e)
			}
			if e.Line <= last || e.Line > count || seen[e.Type] {
				t.Errorf("entry %+v after line %d of %d", e, last, count)
			}
			last, seen[e.Type] = e.Line, true
			if _, err := ParseCommand(e.Command); err != nil {
				t.Errorf("%q is an entry and no command: %v", e.Command, err)
			}
		}
		for _, line := range lines(t, err) {
			if !strings.HasPrefix(line, "Procfile:") || strings.Contains(line, "\n") {
				t.Errorf("error %q", line)
			}
		}
	})
}
