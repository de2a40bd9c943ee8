package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dyno/launcher"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// readArgs reads flags and environment as a command would.
func readArgs(t *testing.T, command string, args, environ []string) (*settings, []string) {
	t.Helper()
	a := &app{name: "launcher", environ: environ}
	cmd := &cobra.Command{Use: command}
	a.addFlags(cmd, command)
	if err := cmd.Flags().Parse(args); err != nil {
		t.Fatal(err)
	}
	s, err := a.read(command, cmd.Flags(), nil, nil)
	return s, said(err)
}

func TestReadPrecedence(t *testing.T) {
	tests := []struct {
		name    string
		args    []string
		environ []string
		budget  time.Duration
		from    string
	}{
		{"default", nil, nil, 10 * time.Second, "default"},
		{"environment", nil, []string{"LAUNCHER_BUDGET=20s"}, 20 * time.Second, "LAUNCHER_BUDGET"},
		{"flag", []string{"-t", "1m"}, []string{"LAUNCHER_BUDGET=20s"}, time.Minute, "flag --budget"},
		{"seconds", []string{"--budget=25"}, nil, 25 * time.Second, "flag --budget"},
		{"fraction", []string{"--budget=2.5"}, nil, 2500 * time.Millisecond, "flag --budget"},
		{"empty variable", nil, []string{"LAUNCHER_BUDGET="}, 10 * time.Second, "default"},
		{"last of two", nil, []string{"LAUNCHER_BUDGET=20", "LAUNCHER_BUDGET=30"}, 30 * time.Second, "LAUNCHER_BUDGET"},
		{"auto", []string{"-t", "auto"}, nil, 10 * time.Second, "flag --budget"},
		{"auto on Heroku", []string{"-t", "auto"}, []string{"DYNO=web.1"}, 30 * time.Second, "flag --budget"},
		{"auto in Kubernetes", []string{"-t", "auto"}, []string{"KUBERNETES_SERVICE_HOST=10.0.0.1"}, 30 * time.Second, "flag --budget"},
		{"nested", nil, []string{"LAUNCHER_BUDGET=20s", "WITHIN_LAUNCHER=1"}, 10 * time.Second, "default"},
		{"nested flag", []string{"-t5"}, []string{"WITHIN_LAUNCHER=1"}, 5 * time.Second, "flag --budget"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, said := readArgs(t, "run", test.args, test.environ)
			if said != nil {
				t.Fatal(said)
			}
			at := slices.IndexFunc(s.decisions, func(d decision) bool { return d.Name == "budget" })
			if s.Budget != test.budget || s.decisions[at].Source != test.from {
				t.Errorf("budget %s from %s, want %s from %s", s.Budget, s.decisions[at].Source, test.budget, test.from)
			}
		})
	}
}

func TestReadCount(t *testing.T) {
	s, said := readArgs(t, "run", nil, []string{"COUNT=3", "SIDEKIQ_COUNT=4", "INDEX=7"})
	if said != nil || s.Count.All == nil || s.Count.All.N != 3 || s.CountFrom != "COUNT" || s.Index != (chosen[int]{7, true}) {
		t.Errorf("COUNT=3: %+v %v", s, said)
	}
	s, said = readArgs(t, "run", nil, []string{"SIDEKIQ_COUNT=50%"})
	if said != nil || s.Count.All == nil || s.Count.All.N != 50 || s.CountFrom != "SIDEKIQ_COUNT" {
		t.Errorf("SIDEKIQ_COUNT=50%%: %+v %v", s, said)
	}
	s, said = readArgs(t, "run", []string{"-c", "worker=6,all=1"}, []string{"COUNT=3"})
	if said != nil || s.Count.ByType["worker"].N != 6 || s.CountFrom != "--count" {
		t.Errorf("-c: %+v %v", s, said)
	}
	s, said = readArgs(t, "run", nil, []string{"COUNT=3", "INDEX=2", "WITHIN_LAUNCHER=9"})
	if said != nil || s.CountFrom != "" || s.Index.Set || !s.Nested {
		t.Errorf("below a launcher COUNT and INDEX are not ours: %+v %v", s, said)
	}
}

func TestReadValues(t *testing.T) {
	s, said := readArgs(t, "run", []string{
		"--quiet-for", "1s", "--quiet-signal", "usr1", "--stop-signal", "SIGQUIT", "--restart", "on-failure",
		"--broadcast", "no", "--log", "JSON", "--pty", "-e", "a.env, b.env", "-f", "P", "--listen", "none", "--socket", "none",
		"--health", "off",
	}, []string{"DYNO=worker.1"})
	if said != nil {
		t.Fatal(said)
	}
	got := []any{
		s.QuietFor, s.QuietSignal, s.StopSignal, s.Restart,
		s.Broadcast, s.Log, s.PTY, s.EnvFiles, s.EnvFilesGiven, s.Procfile, s.ListenNone,
	}
	want := []any{
		time.Second, unix.SIGUSR1, unix.SIGQUIT,
		chosen[launcher.Restart]{launcher.RestartOnFailure, true},
		launcher.BroadcastNo, "json", true,
		[]string{"a.env", "b.env"},
		true, "P", true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	s, said = readArgs(t, "exec", []string{"--quiet-signal", "none"}, []string{"LAUNCHER_PTY=off", "DYNO=worker.1"})
	if said != nil || s.QuietSignal != launcher.NoSignal || s.PTY || s.QuietFor >= 0 || s.Broadcast != launcher.BroadcastYes {
		t.Errorf("%+v %v", s, said)
	}
}

// TestRefusedIsNotDecided: what was refused is not told as what it came to.
func TestRefusedIsNotDecided(t *testing.T) {
	s, said := readArgs(t, "run", []string{"--budget", "1s", "--quiet-for", "9s", "--count", "0"}, []string{"LAUNCHER_LOG=jsn"})
	if len(said) != 4 {
		t.Errorf("said %q", said)
	}
	for _, d := range s.decisions {
		if d.Source != "default" && d.Name != "STOP_TIMEOUT" {
			t.Errorf("%v", d)
		}
	}
	if s.QuietFor >= 0 {
		t.Errorf("quiet for %s", s.QuietFor)
	}
}

// TestSources: a setting's source is the one of flag and variables that it came from.
func TestSources(t *testing.T) {
	s, said := readArgs(t, "start", []string{"--restart", "never"}, []string{"LAUNCHER_RESTART=always", "INDEX=3", "LAUNCHER_FORMATION=x=2", "LAUNCHER_STOP_SIGNAL=QUIT"})
	if said != nil {
		t.Fatal(said)
	}
	s.Dir, s.Procfile = files(t, map[string]string{"Procfile": "x: work\n"}), "Procfile"
	gen := resolved(t, s.request)
	for name, want := range map[string]string{"restart": "--restart", "index": "INDEX", "count": "LAUNCHER_FORMATION", "stop signal": "LAUNCHER_STOP_SIGNAL"} {
		if _, source := decided(gen, "x: "+name); source != want {
			t.Errorf("%s from %q, want %q", name, source, want)
		}
	}
	s.Dir = files(t, map[string]string{"Procfile": "y: work\n"})
	contains(t, refused(t, s.request), `LAUNCHER_FORMATION: "x" is no process type`)
}

func TestNestedSaysWhatItDoesNotTake(t *testing.T) {
	s, said := readArgs(t, "run", nil, []string{"WITHIN_LAUNCHER=7", "LAUNCHER_BUDGET=20s", "LAUNCHER_LOG=", "COUNT=3"})
	if said != nil || len(s.warnings) != 1 || !strings.Contains(s.warnings[0], "LAUNCHER_BUDGET is not taken") {
		t.Errorf("%q, %q", said, s.warnings)
	}
}

// TestReadMistakes: each value is refused by name, and nothing else is.
func TestReadMistakes(t *testing.T) {
	tests := []struct{ flag, value, want string }{
		{"budget", "1999ms", "too short"},
		{"budget", "-5s", "no duration"},
		{"budget", "ten", "no duration"},
		{"budget", "10 s", "no duration"},
		{"budget", "9999999999999", "no duration"},
		{"budget", "", "empty"},
		{"quiet-for", "8600ms", "less than a second"},
		{"quiet-for", "-1s", "no duration"},
		{"quiet-signal", "STOP", "STOP"},
		{"quiet-signal", "TERM", "TERM"},
		{"stop-signal", "CONT", "ends no process"},
		{"stop-signal", "none", "none"},
		{"stop-signal", "99", "99"},
		{"stop-signal", "FOO", "; write it like TERM"},
		{"restart", "on_failure", "did you mean on-failure?"},
		{"broadcast", "y", "auto, yes, no"},
		{"log", "perfix", "did you mean prefix?"},
		{"pty", "maybe", "maybe"},
		{"count", "0", "too few"},
		{"count", "many", "no count"},
		{"index", "-1", "no index"},
		{"env-file", "a,,b", "empty file name"},
		{"max-memory", "NaN", "no size"},
		{"max-memory", "-1m", "no size"},
		{"memory-guard", "0", "no percentage"},
		{"health", ":$PORT", "and PORT is \"\""},
		{"health", "[::1", "no address"},
		{"ready", "http://127.0.0.1:{PORT}/up,failures=0", "whole number"},
		{"ready", "http://", "no probe"},
		{"ready", "exec:", "no probe"},
		{"ready", "http://127.0.0.1:{PORT}/up,period=5s,timeout=1s,failures=3,successes=1,delay=10s", ""},
		{"ready", "http://[::1]:{PORT}", ""},
		{"ready", "http://localhost/up?a=b%2Cc", ""},
		{"ready", "http://user:word@127.0.0.1/", "no probe"},
		{"ready", "http://127.0.0.1:0/", "no probe"},
		{"ready", "http:127.0.0.1", "no probe"},
		{"ready", "https://127.0.0.1/up", "use exec:curl -kf https://127.0.0.1/up"},
		{"ready", "tcp://127.0.0.1:{PORT}", ""},
		{"ready", "tcp://127.0.0.1", "no probe"},
		{"ready", "tcp:127.0.0.1:80", "no probe"},
		{"ready", "tcp://:80", "no probe"},
		{"ready", "tcp://127.0.0.1:1,perriod=2s", "did you mean period?"},
		{"ready", "tcp://127.0.0.1:1,period=1ms", "too short"},
		{"ready", "tcp://127.0.0.1:1,timeout=0s", "too short"},
		{"ready", "tcp://127.0.0.1:1,delay=soon", "no duration"},
		{"ready", "exec:test -f /tmp/a,b", ""},
		{"ready", "exec:test -f /tmp/a,b,period=1s,failures=x", "failures=x"},
		{"ready", "up", "no probe"},
		{"ready", "up:soon", "no duration"},
		{"ready", "up:10s", ""},
		{"ready", "up:10s,period=1s", "takes no options"},
		{"ready", "notify", ""},
		{"ready", "notify,timeout=1s", "takes no options"},
		{"ready", "notify:", "no probe"},
		{"ready", "default", ""},
		{"ready", "off", "no probe"},
		{"live", "off", ""},
		{"live", "notify", ""},
		{"live", "notify,timeout=1m", ""},
		{"live", "notify,period=1s", "notify takes no period"},
		{"live", "up:10s", "up says nothing"},
		{"live", "tcp://127.0.0.1:1,successes=2", "always 1"},
		{"live", "tcp://127.0.0.1:1,successes=1", ""},
		{"max-surge", "-1", "too few"},
		{"max-draining", "0", "too few"},
		{"drain-limit", "none", ""},
		{"socket", "/run/x", ""},
		{"listen", "off", ""},
	}
	for _, test := range tests {
		t.Run(test.flag+"="+test.value, func(t *testing.T) {
			_, said := readArgs(t, "run", []string{"--" + test.flag + "=" + test.value}, nil)
			switch {
			case test.want == "" && said == nil:
			case len(said) != 1 || test.want == "":
				t.Errorf("said %q, want one mistake", said)
			case !strings.HasPrefix(said[0], "--"+test.flag+": ") || !strings.Contains(said[0], test.want):
				t.Errorf("said %q, want --%s and %q", said[0], test.flag, test.want)
			}
		})
	}
}

func TestReadUnknownVariables(t *testing.T) {
	_, said := readArgs(t, "run", nil, []string{"LAUNCHER_PROCFIEL=x", "LAUNCHER_GRACE=30s", "LAUNCHED=1", "LAUNCHER_ZZZZZZ=1"})
	want := []string{
		"LAUNCHER_PROCFIEL: unknown setting; did you mean LAUNCHER_PROCFILE?",
		"LAUNCHER_ZZZZZZ: unknown setting; unset it, or see launcher help run for the settings",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Error(diff)
	}
	// A Service called launcher puts these into every pod of its namespace.
	_, said = readArgs(t, "run", nil, []string{
		"KUBERNETES_SERVICE_HOST=10.0.0.1", "LAUNCHER_SERVICE_HOST=10.0.0.2", "LAUNCHER_SERVICE_PORT=80",
		"LAUNCHER_PORT=tcp://10.0.0.2:80", "LAUNCHER_PORT_80_TCP=tcp://10.0.0.2:80", "LAUNCHER_PORT_80_TCP_ADDR=10.0.0.2",
		"LAUNCHER_WEB_SERVICE_PORT_HTTP=80", "LAUNCHER_WEB_PORT=tcp://10.0.0.3:80",
	})
	if said != nil {
		t.Errorf("a Service's variables are refused: %q", said)
	}
}

// TestTable: no flag, letter or variable stands for two settings, and what
// help and completion need is there.
func TestTable(t *testing.T) {
	seen := map[string]string{}
	claim := func(what, flag string) {
		if other := seen[what]; other != "" {
			t.Errorf("%s is %s and %s", what, other, flag)
		}
		seen[what] = flag
	}
	for _, s := range table() {
		claim("--"+s.flag, s.flag)
		if s.short != "" {
			claim("-"+s.short, s.flag)
		}
		for _, name := range s.env {
			claim(name, s.flag)
		}
		if s.on == "" || s.group == "" || s.parse == nil || len(s.env) == 0 {
			t.Errorf("--%s is not complete", s.flag)
		}
		if s.help == "" || s.def == "" {
			t.Errorf("--%s has no help", s.flag)
		}
	}
}

// TestWordsAreTaken: what completion offers is right.
func TestWordsAreTaken(t *testing.T) {
	for _, one := range table() {
		for _, word := range one.words {
			command := strings.Fields(one.on)[0]
			if _, said := readArgs(t, command, []string{"--" + one.flag + "=" + word}, nil); said != nil {
				t.Errorf("--%s is offered %s, and refuses it: %q", one.flag, word, said)
			}
		}
	}
}
