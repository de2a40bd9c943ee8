package procfile

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

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
		if direct {
			o.simple = 1
		} else {
			o.rewritten = 1
			if len(argv) > 3 {
				argv[3] = sh.argv0 // the name in the shell's own messages
			}
		}
		got, want, err := same(func() (result, error) {
			if direct {
				return b.direct(t, argv, assignments, vars)
			}
			return b.run(t, b.paths[sh.path], append([]string{sh.argv0}, argv[1:]...), env)
		}, func() (result, error) {
			return b.run(t, b.paths[sh.path], []string{sh.argv0, "-c", text}, env)
		})
		if err != nil {
			t.Errorf("%q: %v", line, err)
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
		got, want, err := same(func() (result, error) {
			return b.run(t, b.paths[sh.path], []string{sh.argv0, "-c", rewritten}, env)
		}, func() (result, error) {
			return b.run(t, b.paths[sh.path], []string{sh.argv0, "-c", line}, env)
		})
		if err != nil || got != want {
			t.Errorf("%s (%s): %q and %q differ\n   got %s\n  want %s", sh.path, sh.argv0, rewritten, line, got, want)
		}
	}
}

// TestDifferenceGenerated does the same with generated lines and environments:
// a few hundred, or as many as DIFFERENCE says.
func TestDifferenceGenerated(t *testing.T) {
	n := 300
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
			got, _, err := same(func() (result, error) {
				return b.run(t, b.paths[sh.path], append([]string{sh.argv0}, argv[1:]...), b.environ(plainVars))
			}, func() (result, error) { return result{output: want}, nil })
			if err != nil || got.output != want {
				t.Errorf("%s (%s): %q is the child of %q, want %q (%v)", sh.path, sh.argv0, argv, got.output, want, err)
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
