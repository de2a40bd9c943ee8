package procfile

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnwrap(t *testing.T) {
	for _, tt := range []struct {
		line string
		want Wrapped
		ok   bool
	}{
		{"launcher exec -- sidekiq -t 8", Wrapped{Line: "sidekiq -t 8"}, true},
		{"launcher exec sidekiq -t 8", Wrapped{Line: "sidekiq -t 8"}, true},
		{"exec /usr/local/bin/launcher exec --budget 30s -c4 --pty --quiet-for=1s -t '5 s' -- 'my app' $PORT > log", Wrapped{
			Line: "'my app' $PORT > log", Flags: []string{"--budget", "30s", "-c4", "--pty", "--quiet-for=1s", "-t", "5 s"},
		}, true},
		{"A=1 B='x y' launcherctl exec -- app", Wrapped{Line: "A=1 B='x y' app"}, true},
		{"launcher exec -- echo hi", Wrapped{Line: "exec echo hi"}, true},
		{"launcher exec -- A=1 hi", Wrapped{Line: "exec A=1 hi"}, true},
		{"launcher exec -- $APP hi", Wrapped{Line: "$APP hi"}, true},
		{"launcher exec -- launcher exec -- app", Wrapped{Line: "launcher exec -- app"}, true},
		{"launcher run worker", Wrapped{Runs: []string{"worker"}}, true},
		{"launcher run -c 3 worker=2 --pty web --log json -- clock", Wrapped{Runs: []string{"worker", "web"}}, true},
		{"cd x; launcher run worker", Wrapped{}, false},
		{"launcher run worker && true", Wrapped{Runs: []string{"worker"}}, true},
		{"exec bin/launcher run worker", Wrapped{Runs: []string{"worker"}}, true},
		{"launcher run - --unknown x", Wrapped{Runs: []string{"x"}}, true},
		{"launcher run", Wrapped{}, true},
		{"launcher start -m all=2", Wrapped{Starts: true}, true},

		{"launcher exec", Wrapped{Wrong: "no command"}, true},
		{"launcher exec -c 2 --", Wrapped{Wrong: "no command"}, true},
		{"launcher exec -- -x", Wrapped{}, false},
		{"launcher exec -c 2 --unknown=1 $x", Wrapped{Wrong: "unknown flag --unknown=1", Flag: "--unknown=1"}, true},
		{"launcher exec -q x", Wrapped{Wrong: "unknown flag -q", Flag: "-q"}, true},
		{"launcher exec -c", Wrapped{Wrong: "flag needs an argument: -c"}, true},
		{"launcher exec --unknown x && y", Wrapped{}, false},
		{"launcher exec -c $N app", Wrapped{}, false},
		{"launcher exec -- a && b", Wrapped{}, false},
		{"launcher exec -- a | b", Wrapped{}, false},
		{"launcher exec -- a &", Wrapped{}, false},
		{"> log launcher exec -- a", Wrapped{}, false},
		{"launcher check", Wrapped{}, false},
		{"launcher", Wrapped{}, false},
		{"mylauncher exec -- a", Wrapped{}, false},
		{"bundle exec launcher run worker", Wrapped{}, false},
		{"sidekiq", Wrapped{}, false},
		{"launcher exec 'open", Wrapped{}, false},
	} {
		got, ok := Unwrap(tt.line)
		if d := cmp.Diff(tt.want, got); ok != tt.ok || d != "" {
			t.Errorf("%q: %v (-want +got)\n%s", tt.line, ok, d)
		}
	}
}

func TestLaunched(t *testing.T) {
	for line, want := range map[string]bool{
		"launcher exec puma":                  true,
		"launcher exec -c ${N:-2} -- sidekiq": true,
		"A=1 exec bin/launcherctl run worker": true,
		"launcher exec puma && true":          true,
		"puma":                                false,
		"bundle exec launcher exec puma":      false,
		"launcher check":                      false,
		"launcher $VERB puma":                 false,
		"echo launcher exec":                  false,
	} {
		if got := Launched(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestUses(t *testing.T) {
	for line, want := range map[string]bool{
		"puma -p $PORT":            true,
		"puma -p ${PORT}":          true,
		"puma -p ${PORT:-3000}":    true,
		`puma -p "$PORT"`:          true,
		"puma -p \"it's $PORT\"":   true,
		"puma 'a' -p $PORT":        true,
		"puma -p $((PORT + 1))":    true,
		"puma -p $(($PORT+1)) x":   true,
		"puma -p ${#PORT}":         true,
		"puma a#$PORT":             true,
		"puma \\\\$PORT":           true,
		"puma tcp://0:$PORT/x":     true,
		"puma -p $PORTS":           false,
		"puma -p ${PORT_X}":        false,
		"puma -p $MYPORT":          false,
		"puma -p PORT":             false,
		"puma -p '$PORT'":          false,
		`puma -p \$PORT`:           false,
		"puma # $PORT":             false,
		"# $PORT":                  false,
		"puma $((1 + 2)) PORT":     false,
		"puma 'open $PORT":         false,
		"puma $":                   false,
		"puma \\":                  false,
		"puma 3000":                false,
		"PORT=3 puma":              false,
		"puma # x\nfoo -p ${PORT}": true,
	} {
		if got := Uses(line, "PORT"); got != want {
			t.Errorf("%q uses $PORT: %v, want %v", line, got, want)
		}
	}
}
