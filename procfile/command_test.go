package procfile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseCommandFails(t *testing.T) {
	for _, line := range []string{"", " \t", "# only a comment", "a\x00b"} {
		if c, err := ParseCommand(line); err == nil || c.Simple {
			t.Errorf("%q: %+v, %v", line, c, err)
		}
	}
}

func TestArgv(t *testing.T) {
	type vars = map[string]string
	tests := []struct {
		line        string
		vars        vars
		args        []string
		argv        []string
		assignments []string
		err         bool
	}{
		{line: "bundle exec sidekiq -t $STOP_TIMEOUT", vars: vars{"STOP_TIMEOUT": "8"}, argv: []string{"bundle", "exec", "sidekiq", "-t", "8"}},
		{line: "A=1 B=$A$X app", vars: vars{"X": "2"}, argv: []string{"app"}, assignments: []string{"A=1", "B=12"}},
		{line: "exec app", args: []string{"a b", "$X"}, argv: []string{"app", "a b", "$X"}},

		// Values that only a shell can expand.
		{line: "app $X", vars: vars{"X": "*"}, argv: []string{"sh", "-c", "exec app $X"}},
		{line: "app $X", vars: vars{"X": `a\b`}, argv: []string{"sh", "-c", "exec app $X"}},
		{line: `app "$X"`, vars: vars{"X": `*\`}, argv: []string{"app", `*\`}},
		{line: "app a$X", vars: vars{"X": " b"}, argv: []string{"sh", "-c", "exec app a$X"}},
		{line: "app $TERM", argv: []string{"sh", "-c", "exec app $TERM"}},
		{line: "app ~/x", argv: []string{"sh", "-c", "exec app ~/x"}},
		{line: "app ~/x", vars: vars{"HOME": "/root"}, argv: []string{"app", "/root/x"}},
		{line: "HOME=/x app ~/x", vars: vars{"HOME": "/root"}, argv: []string{"sh", "-c", "HOME=/x exec app ~/x"}},

		// Environments that change what a shell does.
		{line: "app a", vars: vars{"IFS": ","}, argv: []string{"sh", "-c", "exec app a"}},
		{line: "app a", vars: vars{"PATH": ""}, argv: []string{"sh", "-c", "exec app a"}},
		{line: "./app a", vars: vars{"PATH": ""}, argv: []string{"./app", "a"}},
		{line: "app a", vars: vars{"BASH_FUNC_app%%": "() { :; }"}, argv: []string{"sh", "-c", "app a"}},
		{line: "true; app a", vars: vars{"BASH_FUNC_true%%": "() { :; }"}, argv: []string{"sh", "-c", "true; app a"}},
		{line: "true; app a", vars: vars{"BASH_ENV": "/x"}, argv: []string{"sh", "-c", "true; app a"}},
		{line: "app a", vars: vars{"SHELLOPTS": "noexec"}, argv: []string{"sh", "-c", "app a"}},

		// Arguments of the launcher's, appended.
		{line: "cd x && app a > log # why", args: []string{"b c"}, argv: []string{"sh", "-c", `cd x && exec app a "$@" > log # why`, "sh", "b c"}},
		{line: "app a | app b", args: []string{"c"}, argv: []string{"sh", "-c", `app a | app b "$@"`, "sh", "c"}},
		{line: "echo a", args: []string{"b"}, argv: []string{"sh", "-c", `echo a "$@"`, "sh", "b"}},
		{line: `app "$@" z; true`, args: []string{"b"}, argv: []string{"sh", "-c", `app "$@" z; true`, "sh", "b"}},
		{line: "app a &", args: []string{"b"}, err: true},
		{line: "(app a)", args: []string{"b"}, err: true},
		{line: "app; A=1", args: []string{"b"}, err: true},
		{line: "set -- x; app a", args: []string{"b"}, err: true},
		{line: "app 'open", args: []string{"b"}, err: true},
		{line: `cd x && app \`, args: []string{"b"}, err: true},
		{line: "app 'open", argv: []string{"sh", "-c", "app 'open"}},
	}
	for _, tt := range tests {
		c, err := ParseCommand(tt.line)
		if err != nil {
			t.Errorf("%q: %v", tt.line, err)
			continue
		}
		lookup := func(name string) (string, bool) {
			v, ok := tt.vars[name]
			if !ok && name == "PATH" {
				return "/bin", true
			}
			return v, ok
		}
		argv, assignments, err := c.Argv(lookup, tt.args)
		if (err != nil) != tt.err || !cmp.Equal(argv, tt.argv) || !cmp.Equal(assignments, tt.assignments) {
			t.Errorf("%q with %v: %q, %q, %v; want %q, %q", tt.line, tt.vars, argv, assignments, err, tt.argv, tt.assignments)
		}
		if tt.argv != nil && c.NeedsShell(lookup) != (tt.argv[0] == "sh") {
			t.Errorf("%q: needs a shell: %v (%s)", tt.line, c.NeedsShell(lookup), c.WhyShell(lookup))
		}
	}
}

func TestWhy(t *testing.T) {
	for line, want := range map[string]string{
		"app":          "",
		"a | b":        "it is a pipeline",
		"a && b":       "it is a list of commands",
		"app > log":    "it redirects",
		"app *.rb":     "it uses the glob character *",
		"echo a":       "echo is a word of the shell",
		"app $(x)":     "it uses the output of a command",
		"app &":        "it goes to the background",
		"app $$":       "it uses $$",
		"app 'open":    "it is no plain POSIX shell",
		"(app)":        "it is a compound command",
		"$APP":         "its first word is not literal",
		"PATH=/x app":  "the shell itself heeds $PATH",
		"app ${X:-~y}": "it has a default that shells read differently",
	} {
		c, err := ParseCommand(line)
		if err != nil || c.Why != want {
			t.Errorf("%q: %q (%v), want %q", line, c.Why, err, want)
		}
	}
}

func TestWords(t *testing.T) {
	for line, want := range map[string][]string{
		"bundle exec sidekiq -t 8":                       {"bundle", "exec", "sidekiq", "-t", "8"},
		"cd x && RAILS_ENV=a exec puma -p $PORT 'a b' &": {"puma", "-p", "$PORT", "a b"},
		`nginx -g "daemon off;" a\ b > log`:              {"nginx", "-g", "daemon off;", "a b"},
		"celery -n w$INDEX@%h ${X:-y}":                   {"celery", "-n", "w$INDEX@%h", "${X:-y}"},
		"app 'open":                                      nil,
		"(app)":                                          nil,
	} {
		c, err := ParseCommand(line)
		if got := c.Words(); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%q: %q (%v), want %q", line, got, err, want)
		}
	}
}

// outside are the characters of a line that stand outside quotes, comments and
// ${…}: a reading of its own, to hold the parser's against.
func outside(line string) string {
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\':
			i++
		case c == '\'':
			i += 1 + strings.IndexByte(line[i+1:], '\'')
		case c == '"':
			for i++; i < len(line) && line[i] != '"'; i++ {
				if line[i] == '\\' {
					i++
				}
			}
		case c == '$' && strings.HasPrefix(line[i:], "${"):
			i += strings.IndexByte(line[i:], '}')
		case c == '#' && (i == 0 || strings.IndexByte(" \t;", line[i-1]) >= 0):
			return b.String()
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func FuzzCommand(f *testing.F) {
	for _, tt := range differenceLines {
		f.Add(tt.line)
	}
	f.Add("launcher exec -t 30s -- sidekiq")
	f.Add("A=1 launcher run - worker=2 --pty x -- y")
	f.Fuzz(func(t *testing.T, line string) {
		c, err := ParseCommand(line)
		Uses(line, "PORT")
		Unwrap(line)
		c.Words()
		rewritten, ok := Rewrite(line)
		if ok {
			before, after, _ := cutInsertion(rewritten, line)
			if !ok || before+after != line || !strings.HasPrefix(rewritten[len(before):], "exec ") {
				t.Errorf("%q became %q", line, rewritten)
			}
			if strings.ContainsAny(outside(line), "\n") || strings.Contains(line, "trap ") && !strings.ContainsAny(line, `'"#\`) && strings.HasPrefix(line, "trap ") {
				t.Errorf("%q was rewritten", line)
			}
			if again, twice := Rewrite(rewritten); twice {
				t.Errorf("%q was rewritten to %q", rewritten, again)
			}
		} else if rewritten != line {
			t.Errorf("%q became %q", line, rewritten)
		}
		if err != nil {
			return
		}
		vars := func(string) (string, bool) { return "/v", true }
		plain := func(name string) (string, bool) {
			if name == "PATH" || name == "HOME" {
				return "/v", true
			}
			return "", false
		}
		if !c.Simple {
			if argv, assignments, err := c.Argv(vars, nil); err != nil || len(argv) != 3 || argv[0] != "sh" || assignments != nil {
				t.Errorf("%q: %q, %q, %v", line, argv, assignments, err)
			}
			return
		}
		if out := outside(line); strings.ContainsAny(strings.TrimRight(out, "; \t"), "|&<>()`*?[{};\n") && !strings.Contains(line, "${") {
			t.Errorf("%q is simple, with %q outside quotes", line, out)
		}
		argv, assignments, err := c.Argv(plain, []string{"last"})
		if err != nil || len(argv) < 2 || argv[0] == "" || argv[len(argv)-1] != "last" {
			t.Errorf("%q: %q, %v", line, argv, err)
		}
		for _, a := range assignments {
			if name, _, ok := strings.Cut(a, "="); !ok || !validName(name) {
				t.Errorf("%q: assignment %q", line, a)
			}
		}
	})
}

// cutInsertion finds where "exec " was put in.
func cutInsertion(long, short string) (before, after string, ok bool) {
	const inserted = "exec "
	for i := 0; i+len(inserted) <= len(long); i++ {
		if long[i:i+len(inserted)] == inserted && long[:i]+long[i+len(inserted):] == short {
			return long[:i], long[i+len(inserted):], true
		}
	}
	return "", "", false
}
