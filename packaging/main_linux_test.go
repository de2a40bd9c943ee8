package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// made is what `make package release` makes, once for all tests.
var made string

const (
	testVersion = "v1.2.3"
	testNumber  = "1.2.3"
)

func TestMain(m *testing.M) { os.Exit(withMade(m)) }

func withMade(m *testing.M) int {
	dir, err := os.MkdirTemp("", "launcher-packaging-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	made = filepath.Join(dir, "made")
	if out, err := makeAll(made); err != nil {
		fmt.Fprintf(os.Stderr, "make package release: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// makeAll calls make as a user does, whatever make has called us.
func makeAll(out string) ([]byte, error) {
	cmd := exec.Command("make", "package", "release", "VERSION="+testVersion, "OUT="+out)
	cmd.Dir = ".."
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "MAKE") && !strings.HasPrefix(e, "MFLAGS=") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	return cmd.CombinedOutput()
}

// result is what came of a script.
type result struct {
	out, err string
	status   int
}

// call runs a program with this environment and no other.
func call(t *testing.T, dir string, env []string, argv ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, slices.Clone(env), &out, &errs
	if env == nil {
		cmd.Env = []string{}
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func (r result) want(t *testing.T, status int) result {
	t.Helper()
	if r.status != status {
		t.Fatalf("exit status %d, want %d\n%s%s", r.status, status, r.out, r.err)
	}
	return r
}

func (r result) wantIn(t *testing.T, stream, text string) {
	t.Helper()
	if !strings.Contains(stream, text) {
		t.Errorf("%q is not in\n%s%s", text, r.out, r.err)
	}
}

// onlyUname is a PATH with the one program that the scripts need, which says
// this machine; with "" the real one.
func onlyUname(t *testing.T, machine string) string {
	t.Helper()
	dir := t.TempDir()
	if machine == "" {
		real, err := exec.LookPath("uname")
		must(t, err)
		must(t, os.Symlink(real, filepath.Join(dir, "uname")))
	} else {
		must(t, os.WriteFile(filepath.Join(dir, "uname"), []byte("#!/bin/sh\necho "+machine+"\n"), 0o755))
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	must(t, err)
	return string(text)
}

func write(t *testing.T, text string, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, []byte(text), 0o644))
}

// buildpackDir is a copy of the packaged buildpack, at a path with blanks and
// quotes. Its files are links to those of one that is unpacked once.
func buildpackDir(t *testing.T) string {
	t.Helper()
	once := filepath.Join(filepath.Dir(made), "unpacked")
	if _, err := os.Stat(once); err != nil {
		unpacked(t, once)
	}
	dir := filepath.Join(t.TempDir(), "bp's dir $HOME")
	if out, err := exec.Command("cp", "-al", once, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// unpacked is the .tgz as Heroku unpacks it: with both binaries.
func unpacked(t *testing.T, dir string) string {
	t.Helper()
	must(t, os.MkdirAll(dir, 0o755))
	tgz := filepath.Join(made, "package", "launcher-buildpack-"+testVersion+".tgz")
	if out, err := exec.Command("tar", "-xzf", tgz, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// listing is what a directory holds: mode and path, and where links go.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	must(t, filepath.Walk(dir, func(name string, info os.FileInfo, err error) error {
		if err != nil || name == dir {
			return err
		}
		line := info.Mode().String() + " " + strings.TrimPrefix(name, dir+"/")
		if info.Mode()&os.ModeSymlink != 0 {
			to, err := os.Readlink(name)
			must(t, err)
			line += " -> " + to
		}
		all = append(all, line)
		return nil
	}))
	return all
}

// contents are all files of a directory, by path.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, line := range listing(t, dir) {
		mode, name, _ := strings.Cut(line, " ")
		if mode[0] == '-' {
			all[line] = read(t, dir, name)
		} else {
			all[line] = ""
		}
	}
	return all
}

func sameContents(t *testing.T, a, b map[string]string) {
	t.Helper()
	for name, text := range a {
		if other, ok := b[name]; !ok || other != text {
			t.Errorf("%s is not the same twice", name)
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d files, then %d", len(a), len(b))
	}
}

var machine = map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
