//go:build linux

// Bench measures what the launcher costs, beside a C program that does only the
// work itself and beside the peers that are on PATH. Each figure is the median of
// several runs, taken in turn so that a busy machine disturbs all alike. It ends
// with 1 where the launcher is over a limit.
//
//	go run ./bench [-launcher PATH] [-row NAME] [-quick]
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// bench is one run of the driver.
type bench struct {
	launcher string // path of the binary
	self     string // path of ours, which is also the loop in Go
	dir      string // everything that is written
	child    string // bench/c, compiled
	loop     string
	orphans  string
	runs     int // behind each median
	quick    bool
	over     int // limits that were not kept
	serial   int // of directories
}

// rows in the order in which they are printed.
var rows = []struct {
	name    string
	measure func(*bench) error
}{
	{"memory", (*bench).memory},
	{"start", (*bench).starting},
	{"idle", (*bench).idle},
	{"stop", (*bench).stopping},
	{"crash", (*bench).crash},
	{"output", (*bench).output},
	{"orphans", (*bench).reaping},
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == goLoopWord {
		os.Exit(goLoop(os.Args[2:]))
	}
	launcher := flag.String("launcher", "build/launcher", "the binary to measure")
	only := flag.String("row", "", "only this row: memory, start, idle, stop, crash, output or orphans; several with commas")
	quick := flag.Bool("quick", false, "fewer and smaller runs: a look, not a measurement")
	flag.Parse()
	b := &bench{quick: *quick, runs: 9}
	if *quick {
		b.runs = 3
	}
	if err := b.run(*launcher, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if b.over > 0 {
		fmt.Printf("\n%d over the limit\n", b.over)
		os.Exit(1)
	}
}

func (b *bench) run(launcher, only string) error {
	runtime.LockOSThread()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.dir = dir
	if b.launcher, err = filepath.Abs(launcher); err != nil {
		return err
	}
	if _, err := os.Stat(b.launcher); err != nil {
		return fmt.Errorf("%w (make build)", err)
	}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if err := b.compile(); err != nil {
		return err
	}
	known := false
	for _, r := range rows {
		if only != "" && !strings.Contains(","+only+",", ","+r.name+",") {
			continue
		}
		known = true
		if err := r.measure(b); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	if !known {
		return fmt.Errorf("no row %q", only)
	}
	return nil
}

// compile builds the C programs, which are linked statically so that no time of
// theirs goes into a dynamic linker.
func (b *bench) compile() error {
	source := "bench/c"
	if _, err := os.Stat(source); err != nil {
		source = "c"
	}
	for name, path := range map[string]*string{"child": &b.child, "loop": &b.loop, "orphans": &b.orphans} {
		*path = filepath.Join(b.dir, "bench"+name)
		out, err := exec.Command("gcc", "-O2", "-static", "-o", *path, filepath.Join(source, name+".c")).CombinedOutput()
		if err != nil {
			return fmt.Errorf("gcc %s.c: %w\n%s", name, err, out)
		}
	}
	return nil
}
