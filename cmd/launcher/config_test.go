package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dyno/launcher"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// configured reads flags, environment and a launcher.toml, and resolves them
// with a Procfile of web, worker and clock.
func configured(t *testing.T, command, config string, args, environ []string, words ...string) (*settings, *generation, []string) {
	t.Helper()
	dir := files(t, map[string]string{
		"Procfile":      "web: echo $PORT\nworker: sidekiq\nclock: echo\nlined: launcher exec --index 5 -- echo\n",
		"launcher.toml": config,
		".env":          "A=all\n", "worker.env": "B=worker\n",
	})
	t.Chdir(dir)
	a := &app{name: "launcher", environ: environ}
	cmd := &cobra.Command{Use: command}
	a.addFlags(cmd, command)
	if err := cmd.Flags().Parse(args); err != nil {
		t.Fatal(err)
	}
	s, mistake := a.read(command, cmd.Flags(), words, nil)
	gen, err := resolve(s.request, true)
	return s, gen, said(together(mistake, err))
}

func said(err error) []string {
	if err == nil {
		return nil
	}
	var all []string
	for _, one := range mistakes(err) {
		all = append(all, one.Error())
	}
	return all
}

// shown is what check shows of a setting: its value and where it comes from.
func shown(s *settings, gen *generation, name string) string {
	for _, d := range append(s.decisions, gen.Decisions...) {
		if d.Name == name {
			return d.Value + " " + d.Source
		}
	}
	return ""
}

const wholeConfig = `# for all
budget = "20s"
quiet-for = 2
quiet-signal = "USR1"
restart = "on-failure"
count = 4
pty = true
index = 100

[process.worker]
count = 2
quiet-signal = "none"
index = 7
env-file = [".env", "worker.env"]
`

func TestConfigPrecedence(t *testing.T) {
	tests := []struct {
		name    string
		command string
		args    []string
		environ []string
		words   []string
		want    map[string]string
	}{
		{
			"file", "run", nil, nil,
			[]string{"worker", "clock", "lined"},
			map[string]string{
				"budget": "20s launcher.toml:2", "quiet-for": "2 launcher.toml:3", "pty": "true launcher.toml:7",
				"config": "launcher.toml default", "STOP_TIMEOUT": "15 budget and quiet-for",
				"worker: count": "2 launcher.toml:11", "clock: count": "4 launcher.toml:6",
				"worker: quiet signal": "none launcher.toml:12", "clock: quiet signal": "USR1 launcher.toml:4",
				"worker: restart": "on-failure launcher.toml:5",
				"worker: index":   "7 launcher.toml:13", "clock: index": "100 launcher.toml:8",
				"worker: env-file": ".env,worker.env launcher.toml:14", "worker: stop signal": "TERM known of sidekiq",
				"lined: index": "5 --index in Procfile:4",
			},
		},
		{
			"environment", "run", nil,
			[]string{"LAUNCHER_BUDGET=15", "COUNT=3", "LAUNCHER_QUIET_SIGNAL=USR2", "INDEX=9", "LAUNCHER_RESTART=never"},
			[]string{"worker", "clock"},
			map[string]string{
				"budget": "15 LAUNCHER_BUDGET", "worker: count": "3 COUNT", "clock: count": "3 COUNT",
				"worker: quiet signal": "USR2 LAUNCHER_QUIET_SIGNAL",
				"worker: index":        "9 INDEX", "worker: restart": "never LAUNCHER_RESTART",
			},
		},
		{
			"flags", "run",
			[]string{"--budget=15", "-c", "5", "--quiet-signal=TSTP", "--env-file=.env"},
			[]string{"LAUNCHER_BUDGET=16", "COUNT=3"},
			[]string{"worker", "clock=1"},
			map[string]string{
				"budget": "15 flag --budget", "worker: count": "5 --count", "clock: count": "1 argument clock=1",
				"worker: quiet signal": "TSTP --quiet-signal", "worker: env-file": "",
			},
		},
		{
			"start takes no bare number", "start", nil, nil, nil,
			map[string]string{"worker: count": "2 launcher.toml:11", "clock: count": "1 default"},
		},
		{
			"formation beats the file", "start",
			[]string{"-m", "all=1"},
			nil, nil,
			map[string]string{"worker: count": "1 --formation"},
		},
		{
			"nested", "run", nil,
			[]string{"WITHIN_LAUNCHER=1", "LAUNCHER_CONFIG=launcher.toml"},
			[]string{"clock"},
			map[string]string{"budget": "10s default", "config": "none default", "clock: count": "1 default"},
		},
		{
			"nested with a flag", "run",
			[]string{"--config=launcher.toml"},
			[]string{"WITHIN_LAUNCHER=1"},
			[]string{"clock"},
			map[string]string{"budget": "20s launcher.toml:2", "config": "launcher.toml flag --config"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, gen, wrong := configured(t, test.command, wholeConfig, test.args, test.environ, test.words...)
			if wrong != nil {
				t.Fatal(wrong)
			}
			for name, want := range test.want {
				if got := shown(s, gen, name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// TestConfigReachesProcesses: what check shows is what the processes get.
func TestConfigReachesProcesses(t *testing.T) {
	s, gen, wrong := configured(t, "run", wholeConfig, nil, nil, "worker", "clock=1")
	if wrong != nil || s.Budget != 20*time.Second || s.QuietFor != 2*time.Second || !s.PTY || len(gen.Specs) != 3 {
		t.Fatalf("%v %+v", wrong, s)
	}
	worker, clock := gen.Specs[1], gen.Specs[2]
	got := []any{
		worker.Name(), worker.QuietSignal, lookup(worker.Env, "INDEX"), lookup(worker.Env, "A"), lookup(worker.Env, "B"), worker.Restart,
		clock.Name(), clock.QuietSignal, lookup(clock.Env, "INDEX"), lookup(clock.Env, "A"), lookup(clock.Env, "B"),
	}
	want := []any{
		"worker.2", launcher.NoSignal, "8", "all", "worker", launcher.RestartOnFailure,
		"clock.1", unix.SIGUSR1, "100", "all", "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// listen = "none" lets one type share $PORT.
	for config, fails := range map[string]bool{"": true, "[process.web]\nlisten = \"none\"\n": false, "listen = \"none\"\n": false} {
		if _, _, wrong := configured(t, "run", config, nil, nil, "web=2"); (wrong != nil) != fails {
			t.Errorf("web=2 with %q: %q", config, wrong)
		}
	}
}

// TestConfigMistakes: each with file, line and what to do.
func TestConfigMistakes(t *testing.T) {
	tests := []struct {
		config string
		want   []string // after launcher.toml:
	}{
		{`bugdet = "3s"`, []string{"1: bugdet: unknown setting; did you mean budget?"}},
		{`quiet_for = "3s"`, []string{"1: quiet_for: unknown setting; did you mean quiet-for?"}},
		{`LAUNCHER_BUDGET = 3`, []string{"1: LAUNCHER_BUDGET: unknown setting; did you mean budget?"}},
		{`zzzzzzzz = 3`, []string{"1: zzzzzzzz: unknown setting; the settings are the long flags"}},
		{`config = "x"`, []string{"1: config: is no setting of the file itself"}},
		{"\n\nbudget = 1", []string{"3: budget: 1s is too short; give at least 2s"}},
		{`budget = ""`, []string{"1: budget: an empty value"}},
		{"budget = 3\nquiet-for = 8", []string{"2: quiet-for: 8s leaves less than a second"}},
		{`budget = true`, []string{`1: budget: true, where it takes a number or a text; write it like budget = "10s"`}},
		{`budget = ["3s"]`, []string{"1: budget: a list, where"}},
		{`log = 3`, []string{`1: log: the number 3, where it takes a text; write it like log = "prefix"`}},
		{`log = "perfix"`, []string{`1: log: unknown value "perfix"; did you mean prefix?`}},
		{`restart = 2020-01-01`, []string{"1: restart: a date, where"}},
		{`env-file = ["a", 3]`, []string{"1: env-file: a list that holds other things than texts"}},
		{`count = 0`, []string{"1: count: "}},
		{`count = "wrker=3"`, []string{`1: "wrker" is no process type of Procfile; did you mean worker?`}},
		{"count = 1\ncount = 2", []string{"2: count: is set a second time, first on line 1"}},
		{`health = "7433"`, []string{"1: health: \"7433\" is no address"}},
		{`worker = 3`, []string{"1: worker: unknown setting"}},
		{"[worker]\ncount = 3", []string{"1: [worker]: unknown table; what is for one process type stands in [process.worker]"}},
		{`worker.count = 3`, []string{"1: worker.count: unknown setting; what is for one process type stands in [process.TYPE]"}},
		{"[proces.worker]\ncount = 3", []string{"1: [proces.worker]: unknown table; did you mean [process.worker]?"}},
		{"[count]\nworker = 3", []string{"1: [count]: unknown table; it takes one value: count = 3"}},
		{"[[process.worker]]\ncount = 3", []string{"1: [[process.worker]]: is a list of tables; write [process.worker]"}},
		{"[process.worker.env]\nA = 3", []string{"1: [process.worker.env]: unknown table; write [process.worker]"}},
		{"[process]\ncount = 3", []string{"2: process.count: is no table"}},
		{`process = 3`, []string{"1: process: is no table"}},
		{"[process.wroker]", []string{`1: [process.wroker]: "wroker" is no process type of Procfile; did you mean worker?`}},
		{"[process.worker]\nindx = 3", []string{"2: process.worker.indx: unknown setting; did you mean index?"}},
		{"[process.worker]\nbudget = 3", []string{"2: process.worker.budget: is a setting of the whole launcher, not of one process type; put it at the top"}},
		{"[process.worker]\ncount = \"worker=3\"", []string{`2: process.worker.count: "worker=3" names process types`}},
		{"[process.worker]\nready = \"notify\"", nil},
		{"live = \"https://127.0.0.1\"", []string{"1: live: there are no https probes; use exec:curl -kf https://127.0.0.1, or the plain port where there is one"}},
		{"[process.worker]\nquiet-signal = \"KILL\"", []string{"2: process.worker.quiet-signal: KILL tells nobody"}},
		{"[process.worker]\n[process.worker]", []string{"2: [process.worker]: stands there a second time, first on line 1"}},
		{"budget = 20\n[process.worker\ncount = 3", []string{"2: is no TOML: "}},
		{"budget = ", []string{"1: is no TOML: "}},
		{"bugdet = 3\n\nlog = 3\n[process.worker]\nbudget = 2\n= 3", []string{"1: bugdet", "3: log", "5: process.worker.budget", "6: is no TOML"}},
	}
	for _, test := range tests {
		t.Run(test.config, func(t *testing.T) {
			_, _, wrong := configured(t, "run", test.config, nil, nil, "worker=1")
			if len(wrong) != len(test.want) {
				t.Fatalf("said %q, want %q", wrong, test.want)
			}
			for i, want := range test.want {
				if !strings.HasPrefix(wrong[i], "launcher.toml:"+want) {
					t.Errorf("said %q, want %q", wrong[i], want)
				}
			}
		})
	}
}

// TestConfigRefusedIsNotDecided: what was refused is not told as what it came to.
func TestConfigRefusedIsNotDecided(t *testing.T) {
	s, gen, wrong := configured(t, "run", "budget = 3\nquiet-for = 8\nlog = \"jsn\"\n", nil, nil, "worker=1")
	if len(wrong) != 2 || s.QuietFor >= 0 {
		t.Errorf("quiet for %s, said %q", s.QuietFor, wrong)
	}
	for name, want := range map[string]string{"budget": "3 launcher.toml:1", "quiet-for": "500ms default", "log": "raw default"} {
		if got := shown(s, gen, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestConfigForms: the ways TOML has to write the same.
func TestConfigForms(t *testing.T) {
	for _, config := range []string{
		"\ufeff[process.worker]\r\ncount = 3\r\n",
		"process.worker.count = 3",
		"[process]\nworker.count = '3'",
		"process = { worker = { count = 3 } }",
		"[process]\nworker = { count = 3 } # three",
		"[process.\"worker\"]\n\"count\" = \"\"\"3\"\"\"",
	} {
		_, gen, wrong := configured(t, "run", config, nil, nil, "worker")
		if wrong != nil || len(gen.Specs) != 3 {
			t.Errorf("%q: %d processes, %q", config, len(gen.Specs), wrong)
		}
	}
}

// TestConfigShared: one file is for run, start and exec; what one of them does
// not take does not disturb it.
func TestConfigShared(t *testing.T) {
	config := "formation = \"clock=2\"\nprocfile = \"Procfile\"\ncount = 3\n[process.worker]\nindex = 4\n"
	for command, want := range map[string]int{"run": 3, "exec": 1} {
		if _, gen, wrong := configured(t, command, config, nil, nil, "clock"); wrong != nil || len(gen.Specs) != want {
			t.Errorf("%s: %d processes, %q", command, len(gen.Specs), wrong)
		}
	}
	if _, gen, wrong := configured(t, "start", config, nil, nil); wrong != nil || len(gen.Specs) != 2 {
		t.Errorf("start: %d processes, %q", len(gen.Specs), wrong)
	}
}

// TestConfigMissing: a file that was asked for has to be there.
func TestConfigMissing(t *testing.T) {
	for _, environ := range [][]string{{"LAUNCHER_CONFIG=missing.toml"}, {"LAUNCHER_CONFIG=."}} {
		_, _, wrong := configured(t, "run", "", nil, environ, "clock")
		if len(wrong) != 1 || !strings.Contains(wrong[0], "cannot read the settings") {
			t.Errorf("%s: said %q", environ, wrong)
		}
	}
}

// TestConfigAgain: a restart reads the file as it is then.
func TestConfigAgain(t *testing.T) {
	s, gen, wrong := configured(t, "run", wholeConfig, nil, []string{"LAUNCHER_RESTART=never"}, "worker")
	if wrong != nil || len(gen.Specs) != 2 {
		t.Fatal(wrong)
	}
	rewrite := func(text string) {
		if err := os.WriteFile(filepath.Join(s.Dir, "launcher.toml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	rewrite("budget = 30\nrestart = \"always\"\n[process.worker]\ncount = 3\n")
	next, err := s.resolveAgain()
	if err != nil || len(next.Specs) != 3 || lookup(next.Specs[0].Env, "INDEX") != "0" || lookup(next.Specs[0].Env, "STOP_TIMEOUT") != "15" ||
		next.Specs[0].QuietSignal != 0 || next.Specs[0].Restart != launcher.RestartNever {
		t.Errorf("%v %+v", err, next.Specs)
	}
	want := []string{"launcher.toml:1: budget: is changed", "launcher.toml: pty: is changed", "launcher.toml: quiet-for: is changed"}
	for i, text := range want {
		if i >= len(next.Warnings) || !strings.HasPrefix(next.Warnings[i], text) {
			t.Errorf("said %q, want %q", next.Warnings, want)
			break
		}
	}
	rewrite("bugdet = 3\n[process.wroker]\n")
	if _, err := s.resolveAgain(); len(said(err)) != 2 {
		t.Errorf("said %q, want two mistakes", said(err))
	}
	if err := os.Remove(filepath.Join(s.Dir, "launcher.toml")); err != nil {
		t.Fatal(err)
	}
	if next, err := s.resolveAgain(); err != nil || next.Specs[0].QuietSignal != 0 {
		t.Errorf("without the file: %v", err)
	}
}

// TestReadmeConfig: the launcher.toml that the README shows is one, of its own
// Procfile.
func TestReadmeConfig(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```toml\n")
	config, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("the README shows no launcher.toml")
	}
	s, gen, wrong := configured(t, "start", config, nil, nil)
	if wrong != nil || s.Budget != 30*time.Second || len(gen.Specs) != 7 {
		t.Errorf("%d processes, budget %s, said %q", len(gen.Specs), s.Budget, wrong)
	}
}
