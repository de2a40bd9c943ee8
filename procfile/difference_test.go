package procfile

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
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

// run runs argv; argv0 may differ from the program.
func (b bench) run(t testing.TB, program string, argv, env []string) result {
	out := filepath.Join(b.dir, "work", "out")
	if err := os.RemoveAll(out); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	cmd := exec.Cmd{Path: program, Args: argv, Env: env, Dir: filepath.Join(b.dir, "work"), Stdout: &stdout}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatalf("%q: %v", argv, err)
	}
	file, _ := os.ReadFile(out)
	return result{stdout.String(), string(file), cmd.ProcessState.ExitCode()}
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
func (b bench) direct(t testing.TB, argv, assignments []string, vars map[string]string) result {
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

// outcome counts what a comparison came to, to see that the generator is worth
// its name.
type outcome struct{ simple, rewritten int }

// compare holds one line against the shells, and says what differs.
func (b bench) compare(t testing.TB, line string, vars map[string]string, args []string) (o outcome) {
	t.Helper()
	c, err := ParseCommand(line)
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	lookup, env := b.lookup(vars), b.environ(vars)
	argv, assignments, err := c.Argv(lookup, args)
	if err != nil {
		return o
	}
	// What the shell makes of the line as it is, with the arguments appended
	// as text, as Heroku does.
	text := line
	for _, a := range args {
		text += " '" + a + "'"
	}
	if len(args) > 0 && (strings.Contains(line, "#") || readList(line).argsAt < 0) {
		return o // appended text would be lost in a comment; "$@" says where arguments go
	}
	direct := !c.NeedsShell(lookup)
	if !direct && argv[2] == line && len(args) == 0 {
		return o // goes to sh as it is
	}
	if strings.Contains(line, "$$") || direct && argv[0] != "show" && argv[0] != "env" {
		return o // no two runs are alike; no program of that name
	}
	for _, sh := range shells {
		want := b.run(t, b.paths[sh.path], []string{sh.argv0, "-c", text}, env)
		var got result
		if direct {
			o.simple = 1
			got = b.direct(t, argv, assignments, vars)
		} else {
			o.rewritten = 1
			if len(argv) > 3 {
				argv[3] = sh.argv0 // the name in the shell's own messages
			}
			got = b.run(t, b.paths[sh.path], append([]string{sh.argv0}, argv[1:]...), env)
		}
		if got != want {
			t.Errorf("%s (%s): %q\n  with %q: %q %q\n   got %s\n  want %s", sh.path, sh.argv0, line, vars, argv, assignments, got, want)
		}
	}
	return o
}

// plainVars is an ordinary environment.
var plainVars = map[string]string{"HOME": "/home/me", "X": "one", "Y": "two words", "Z": ""}

// TestDifference holds every construct against dash, bash and bash as sh.
func TestDifference(t *testing.T) {
	b := newBench(t)
	for _, tt := range differenceLines {
		c, err := ParseCommand(tt.line)
		if err != nil {
			t.Errorf("%q: %v", tt.line, err)
			continue
		}
		rewritten, ok := Rewrite(tt.line)
		got := "sh"
		if ok {
			got = "exec"
		}
		if c.Simple {
			got = "simple"
		}
		if got != tt.want || !ok && rewritten != tt.line {
			t.Errorf("%q is %s (%s; %q), want %s", tt.line, got, c.Why, rewritten, tt.want)
		}
		if c.Simple == (c.Why != "") {
			t.Errorf("%q: simple is %v, because %q", tt.line, c.Simple, c.Why)
		}
		b.compare(t, tt.line, plainVars, nil)
		if c.Simple {
			b.compareRewritten(t, tt.line, plainVars)
		}
	}
}

// compareRewritten rewrites a simple line too, which happens when a value
// keeps it from being started without a shell.
func (b bench) compareRewritten(t *testing.T, line string, vars map[string]string) {
	t.Helper()
	rewritten, ok := Rewrite(line)
	if !ok {
		return
	}
	env := b.environ(vars)
	for _, sh := range shells {
		want := b.run(t, b.paths[sh.path], []string{sh.argv0, "-c", line}, env)
		got := b.run(t, b.paths[sh.path], []string{sh.argv0, "-c", rewritten}, env)
		if got != want {
			t.Errorf("%s (%s): %q and %q differ\n   got %s\n  want %s", sh.path, sh.argv0, rewritten, line, got, want)
		}
	}
}

// TestDifferenceGenerated does the same with generated lines and environments:
// a few hundred, or as many as DIFFERENCE says.
func TestDifferenceGenerated(t *testing.T) {
	n := 500
	if s := os.Getenv("DIFFERENCE"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	const workers = 4
	benches := make([]bench, workers)
	for i := range benches {
		benches[i] = newBench(t)
	}
	counts := make([]outcome, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				g := generator{rand.New(rand.NewPCG(uint64(i), 2))}
				line, vars := g.line(), g.vars()
				var args []string
				if g.IntN(5) == 0 {
					args = []string{"more", "of it"}
				}
				o := benches[w].compare(t, line, vars, args)
				counts[w].simple += o.simple
				counts[w].rewritten += o.rewritten
			}
		})
	}
	wg.Wait()
	var all outcome
	for _, o := range counts {
		all.simple += o.simple
		all.rewritten += o.rewritten
	}
	t.Logf("of %d lines %d were started without a shell, %d were rewritten", n, all.simple, all.rewritten)
	if all.simple < n/8 || all.rewritten < n/8 {
		t.Errorf("of %d lines %d were started without a shell, %d were rewritten: too few to tell", n, all.simple, all.rewritten)
	}
}

// TestRewriteReplacesTheShell shows what the rewrite is for: the program has
// the shell's process, so that a signal reaches it.
func TestRewriteReplacesTheShell(t *testing.T) {
	b := newBench(t)
	parent := filepath.Join(b.dir, "bin", "parent")
	if err := os.WriteFile(parent, []byte("#!"+b.paths["dash"]+"\necho $PPID\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := strconv.Itoa(os.Getpid()) + "\n"
	for _, line := range []string{"cd sub && parent", "A=1; B=$A parent", "false || parent 2>&1", "parent $((1+1))"} {
		c, err := ParseCommand(line)
		if err != nil {
			t.Fatal(err)
		}
		argv, _, err := c.Argv(b.lookup(plainVars), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, sh := range shells {
			got := b.run(t, b.paths[sh.path], append([]string{sh.argv0}, argv[1:]...), b.environ(plainVars))
			if got.output != want {
				t.Errorf("%s (%s): %q is the child of %q, want %q", sh.path, sh.argv0, argv, got.output, want)
			}
		}
	}
}

// FuzzDifference lets the fuzzer choose the line and the environment.
func FuzzDifference(f *testing.F) {
	f.Add([]byte("a line and its environment"))
	f.Add([]byte("\x00\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0"))
	b := newBench(f)
	f.Fuzz(func(t *testing.T, choices []byte) {
		g := generator{rand.New(&bytesSource{choices, rand.NewPCG(1, 2)})}
		b.compare(t, g.line(), g.vars(), nil)
	})
}
