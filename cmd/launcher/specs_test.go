package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"dyno/launcher"
	"dyno/procfile"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-multierror"
)

// files makes a directory of these files and gives its real name.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// asked is a request as the command line makes it with nothing but words.
func asked(dir, command string, words ...string) request {
	return request{
		Command: command, Words: words,
		Procfile: "Procfile", Budget: 10 * time.Second, QuietFor: -1,
		Environ: []string{"PATH=/bin", "HOME=/home/app"}, Dir: dir,
	}
}

// counted adds a count as reader of flags and environment gives it.
func (r request) counted(t *testing.T, from, text string) request {
	t.Helper()
	counts, err := procfile.ParseCounts(from, text)
	if err != nil {
		t.Fatal(err)
	}
	r.Count, r.CountFrom = counts, from
	return r
}

func (r request) formed(t *testing.T, text string) request {
	t.Helper()
	counts, err := procfile.ParseFormation("--formation", text)
	if err != nil {
		t.Fatal(err)
	}
	r.Formation = &counts
	return r
}

func (r request) with(environ ...string) request {
	r.Environ = append(append([]string{}, r.Environ...), environ...)
	return r
}

// fourCores with no limit of memory.
func fourCores() procfile.Capacity { return procfile.Capacity{Cores: 4} }

func resolved(t *testing.T, r request) *generation {
	t.Helper()
	gen, err := resolveWithin(r, true, fourCores)
	if err != nil {
		t.Fatal(err)
	}
	return gen
}

// refused gives the mistakes, one a line.
func refused(t *testing.T, r request) string {
	t.Helper()
	gen, err := resolveWithin(r, true, fourCores)
	if err == nil {
		t.Fatalf("not refused: %v", names(gen))
	}
	all, ok := err.(*multierror.Error)
	if !ok {
		t.Fatalf("error of type %T: %v", err, err)
	}
	var lines []string
	for _, err := range all.Errors {
		if _, ok := err.(*procfile.Problem); !ok {
			t.Errorf("a mistake of type %T: %v", err, err)
		}
		lines = append(lines, err.Error())
	}
	if len(gen.Specs) > 0 {
		t.Error("there are specs in spite of mistakes")
	}
	return strings.Join(lines, "\n")
}

func names(gen *generation) []string {
	var all []string
	for i := range gen.Specs {
		all = append(all, gen.Specs[i].Name())
	}
	return all
}

// variables are these of a process, "-" where it has none.
func variables(spec launcher.Spec, names ...string) string {
	var all []string
	for _, name := range names {
		value, ok := environment(spec.Env).Lookup(name)
		if !ok {
			value = "-"
		}
		all = append(all, value)
	}
	return strings.Join(all, " ")
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

func TestOneWorker(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "web: serve\nworker: work --place $INDEX/$COUNT --name ${PS} 'a b'\n"})
	gen := resolved(t, asked(dir, "run", "worker=2"))
	if got := names(gen); !cmp.Equal(got, []string{"worker.1", "worker.2"}) {
		t.Fatalf("runs %v", got)
	}
	second := gen.Specs[1]
	if diff := cmp.Diff([]string{"work", "--place", "1/2", "--name", "worker.2", "a b"}, second.Argv); diff != "" {
		t.Error(diff)
	}
	if second.Dir != dir || second.Type != "worker" || second.Slot != 2 {
		t.Errorf("spec %+v", second)
	}
	want := "worker.2 1 2 8 " + strconv.Itoa(os.Getpid())
	if got := variables(second, "PS", "INDEX", "COUNT", "STOP_TIMEOUT", "WITHIN_LAUNCHER"); got != want {
		t.Errorf("environment %q, want %q", got, want)
	}
	if second.InheritStdin || second.Interactive || second.InheritFiles || gen.OneCommand || gen.Pass {
		t.Errorf("what only one process has was given to one of two: %+v", second)
	}
}

func TestArgumentsGoToEachProcess(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: work -v\nother: cd /tmp && work\n"})
	r := asked(dir, "run", "worker", "other")
	r.Args = []string{"a b", "$HOME"}
	gen := resolved(t, r)
	if diff := cmp.Diff([]string{"work", "-v", "a b", "$HOME"}, gen.Specs[0].Argv); diff != "" {
		t.Error(diff)
	}
	last := gen.Specs[len(gen.Specs)-1].Argv
	if last[0] != "sh" || last[1] != "-c" || !cmp.Equal(last[len(last)-2:], r.Args) {
		t.Errorf("through sh: %q", last)
	}
}

func TestAssignmentsOfTheLine(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: RAILS_ENV=test A=$INDEX work $RAILS_ENV\n"})
	gen := resolved(t, asked(dir, "run", "worker=1").with("RAILS_ENV=production"))
	if got := strings.Join(gen.Specs[0].Argv, " "); got != "work production" {
		t.Errorf("argv %q", got)
	}
	if got := variables(gen.Specs[0], "RAILS_ENV", "A"); got != "test 0" {
		t.Errorf("environment %q", got)
	}
}

func TestAloneItHasStdin(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: work\nconsole: irb\n"})
	for _, c := range []struct {
		command            string
		words              []string
		stdin, interactive bool
		inherit            bool
	}{
		{"run", []string{"worker=1"}, true, false, false},
		{"run", []string{"worker=2"}, false, false, false},
		{"run", []string{"worker=1", "console"}, false, false, false},
		{"run", []string{"console"}, true, true, false},
		{"exec", []string{"bash"}, true, true, true},
	} {
		r := asked(dir, c.command, c.words...)
		r.Terminal = true
		spec := resolved(t, r).Specs[0]
		if spec.InheritStdin != c.stdin || spec.Interactive != c.interactive || spec.InheritFiles != c.inherit {
			t.Errorf("%s %v: stdin %v, interactive %v, files %v", c.command, c.words, spec.InheritStdin, spec.Interactive, spec.InheritFiles)
		}
		r.Terminal = false
		if resolved(t, r).Specs[0].Interactive {
			t.Errorf("%s %v: interactive without a terminal", c.command, c.words)
		}
	}
}

func TestExec(t *testing.T) {
	dir := files(t, nil)
	gen := resolved(t, asked(dir, "exec", "/opt/my app/serve.sh", "$HOME", "*"))
	spec := gen.Specs[0]
	if diff := cmp.Diff([]string{"/opt/my app/serve.sh", "$HOME", "*"}, spec.Argv); diff != "" {
		t.Error(diff)
	}
	if spec.Name() != "serve-sh.1" || !gen.OneCommand || !gen.Pass || spec.Restart != launcher.RestartNever {
		t.Errorf("%s: one %v, pass %v, restart %s", spec.Name(), gen.OneCommand, gen.Pass, spec.Restart)
	}
	gen = resolved(t, asked(dir, "exec", "bundle", "exec", "sidekiq", "-t", "5"))
	if gen.Pass || !gen.OneCommand || gen.Specs[0].Name() != "sidekiq.1" || gen.Specs[0].Server.Name != "sidekiq" {
		t.Errorf("%s: pass %v, one %v", gen.Specs[0].Name(), gen.Pass, gen.OneCommand)
	}
	gen = resolved(t, asked(dir, "exec", "serve").counted(t, "--count", "3"))
	if len(gen.Specs) != 3 || gen.OneCommand || gen.Pass || gen.Specs[0].Restart != launcher.RestartAlways {
		t.Errorf("three: %v, one %v, pass %v", names(gen), gen.OneCommand, gen.Pass)
	}
	contains(t, refused(t, asked(dir, "exec")), "no command")
	contains(t, refused(t, asked(dir, "exec", "")), "no command")
}

func TestSignalsOfSettings(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: work\n"})
	r := asked(dir, "run", "worker=1")
	r.QuietSignal, r.StopSignal = launcher.NoSignal, 3
	spec := resolved(t, r).Specs[0]
	if spec.QuietSignal != launcher.NoSignal || spec.StopSignal != 3 {
		t.Errorf("quiet %d, stop %d", spec.QuietSignal, spec.StopSignal)
	}
}

func TestAGenerationHasTheDirectoryOfItsTime(t *testing.T) {
	dir := files(t, map[string]string{"a/Procfile": "worker: old\n", "b/Procfile": "worker: new\n"})
	link := filepath.Join(dir, "current")
	point := func(to string) {
		t.Helper()
		os.Remove(link)
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	r := asked(link, "run", "worker=1").with("PWD=" + link)
	point("a")
	old := resolved(t, r).Specs[0]
	point("b")
	after := resolved(t, r).Specs[0]
	if old.Dir != filepath.Join(dir, "a") || old.Argv[0] != "old" || variables(old, "PWD") != old.Dir {
		t.Errorf("before: %s in %s, PWD %s", old.Argv, old.Dir, variables(old, "PWD"))
	}
	if after.Dir != filepath.Join(dir, "b") || after.Argv[0] != "new" || variables(after, "PWD") != after.Dir {
		t.Errorf("after: %s in %s, PWD %s", after.Argv, after.Dir, variables(after, "PWD"))
	}
	if got := variables(resolved(t, asked(link, "run", "worker=1")).Specs[0], "PWD"); got != "-" {
		t.Errorf("PWD %s where there was none", got)
	}
	contains(t, refused(t, asked(filepath.Join(dir, "gone"), "run", "worker")), "the working directory", "gone")
}

func TestAllMistakesAtOnce(t *testing.T) {
	dir := files(t, map[string]string{
		"Procfile": "worker: sidekiq -d\nweb serve\nworker: again\nempty:\n",
		"one.env":  "A=1\nB C=2\n",
	})
	r := asked(dir, "run", "worker=1")
	r.EnvFiles, r.EnvFilesGiven = []string{"one.env", "gone.env"}, true
	got := refused(t, r)
	contains(t, got, "one.env:2: ", "gone.env: ", "Procfile:1: worker: sidekiq with -d", "Procfile:2: ", "Procfile:3: ", "Procfile:4: ")
	for line := range strings.SplitSeq(got, "\n") {
		if !strings.Contains(line, "; ") {
			t.Errorf("no remedy: %s", line)
		}
	}
}
