package procfile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// shells are what stands as sh: dash, bash, and bash as sh, where it is in
// POSIX mode.
var shells = []struct{ path, argv0 string }{{"dash", "dash"}, {"bash", "bash"}, {"bash", "sh"}}

// show tells, NUL-separated, what a program gets: its arguments, the variables
// that the lines set, its directory.
const show = `#!/bin/dash
printf '%s\0' "$#" "$@"
for name in A B C X Y Z E TERM; do
	eval "printf '%s\0' \"$name=\${$name-unset}\""
done
pwd -P
case $1 in exit) exit $2;; esac
`

// bench is a directory to run lines in, one at a time.
type bench struct {
	dir   string // made anew in each, so that files that lines write are seen
	paths map[string]string
	path  string // PATH
}

func newBench(t testing.TB) bench {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := bench{dir: dir, paths: map[string]string{}}
	for _, name := range []string{"dash", "bash"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Fatalf("this test compares with dash and bash: %v", err)
		}
		b.paths[name] = path
	}
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"bin", "work", "work/sub"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// As root the interpreter line must hold wherever dash is.
	write("bin/show", strings.Replace(show, "/bin/dash", b.paths["dash"], 1), 0o755)
	write("work/a.txt", "", 0o644)
	write("work/env.sh", "B=sourced; export B\n", 0o644)
	b.path = filepath.Join(dir, "bin") + ":/usr/bin:/bin"
	return b
}

// result is what a user would notice of a run.
type result struct {
	output, file string
	status       int
}

func (r result) String() string {
	return fmt.Sprintf("%q, file %q, status %d", r.output, r.file, r.status)
}

// run runs argv; argv0 may differ from the program. It fails where the program
// could not be started, or was killed.
func (b bench) run(t testing.TB, program string, argv, env []string) (result, error) {
	out := filepath.Join(b.dir, "work", "out")
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	cmd := exec.Cmd{Path: program, Args: argv, Env: env, Dir: filepath.Join(b.dir, "work"), Stdout: &stdout}
	err := cmd.Run()
	if cmd.ProcessState == nil || !cmd.ProcessState.Exited() {
		return result{}, fmt.Errorf("%q: %w", argv, err)
	}
	file, _ := os.ReadFile(out)
	return result{stdout.String(), string(file), cmd.ProcessState.ExitCode()}, nil
}

// same runs two things that should do the same. A difference between shells
// is there every time; one that comes from a machine with no process or memory
// to spare, because of other tests, is gone when tried again.
func same(got, want func() (result, error)) (g, w result, err error) {
	const tries = 20
	for try := range tries {
		if try > 0 {
			time.Sleep(250 * time.Millisecond)
		}
		var errG, errW error
		g, errG = got()
		w, errW = want()
		if err = errors.Join(errG, errW); err == nil && g == w {
			break
		}
	}
	return g, w, err
}

func (b bench) environ(vars map[string]string) []string {
	env := []string{"PATH=" + b.path}
	for name, value := range vars {
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	return env
}

func (b bench) lookup(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		if name == "PATH" {
			return b.path, true
		}
		v, ok := vars[name]
		return v, ok
	}
}

// direct starts argv without a shell, as the launcher does.
func (b bench) direct(t testing.TB, argv, assignments []string, vars map[string]string) (result, error) {
	t.Helper()
	all := map[string]string{}
	maps.Copy(all, vars)
	for _, a := range assignments {
		name, value, _ := strings.Cut(a, "=")
		all[name] = value
	}
	program := filepath.Join(b.dir, "bin", argv[0])
	if argv[0] == "env" {
		var err error
		if program, err = exec.LookPath("env"); err != nil {
			t.Fatal(err)
		}
	}
	return b.run(t, program, argv, b.environ(all))
}
