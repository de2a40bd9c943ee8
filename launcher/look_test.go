//go:build linux

package launcher

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() {
	childModes["hold"] = hold
	childModes["signalfd"] = awaitBySignalfd
	childModes["threads"] = forkFromTwoThreads
}

// tell writes a file for the test to find, whole or not at all.
func tell(text string) {
	path := filepath.Join(os.Getenv("OUT"), "told")
	check(os.WriteFile(path+".new", []byte(text), 0o600))
	check(os.Rename(path+".new", path))
}

// hold stays until killed: its input gives nothing.
func hold() { tellAndHold("here\n") }

func tellAndHold(text string) {
	tell(text)
	_, _ = os.Stdin.Read(make([]byte, 1))
}

func prctlGetDeathSignal(sig *int32) error {
	return unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(sig)), 0, 0, 0)
}

func TestLook(t *testing.T) {
	s := newSystem(t)
	// A name made to mislead whoever splits at blanks.
	const name = ") R 1 (x"
	spec := mode(t, "hold")
	path := spec.out(name)
	if err := os.Symlink(executablePath(t), path); err != nil {
		t.Fatal(err)
	}
	spec.Argv = []string{path, "and arguments", ""}
	pid := start(t, s, spec)
	appears(t, spec.out("told"))

	got, err := s.Look(pid)
	if err != nil {
		t.Fatal(err)
	}
	if got.PID != pid || got.Comm != name || got.Parent != os.Getpid() || got.Group != pid || got.Session != pid {
		t.Errorf("%+v", got)
	}
	if got.Threads < 2 || got.Start == 0 || !strings.ContainsRune("RSD", rune(got.State)) {
		t.Errorf("%+v", got)
	}
	again, err := s.Look(pid)
	if err != nil || again.Start != got.Start {
		t.Errorf("it began at %d, then at %d, %v", got.Start, again.Start, err)
	}
	if title, err := s.Title(pid); err != nil || !slices.Equal(title, []string{path, "and arguments"}) {
		t.Errorf("title %q, %v", title, err)
	}

	if err := s.Signal(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	ends(t, s, pid)
	if got, err := s.Look(pid); err != nil || got.State != 'Z' {
		t.Errorf("as a zombie: %+v, %v", got, err)
	}
	await(t, s, pid)
	if got, err := s.Look(pid); err == nil {
		t.Errorf("when it is gone: %+v", got)
	}
	if title, err := s.Title(pid); err == nil {
		t.Errorf("title when it is gone: %q", title)
	}
}

func TestLookAtSignals(t *testing.T) {
	s := newSystem(t)
	spec := sh(t, `trap : TERM; trap "" HUP; echo here >"$OUT/told"; read x`)
	pid := start(t, s, spec)
	appears(t, spec.out("told"))
	got, err := s.Look(pid)
	if err != nil {
		t.Fatal(err)
	}
	if got.Caught == 0 && got.Ignored == 0 {
		t.Skip("this kernel does not tell of signals")
	}
	if !got.Caught.Has(unix.SIGTERM) || got.Caught.Has(unix.SIGTSTP) || got.Caught.Has(unix.SIGHUP) {
		t.Errorf("caught %x", got.Caught)
	}
	if !got.Ignored.Has(unix.SIGHUP) || got.Ignored.Has(unix.SIGTERM) || got.Blocked.Has(unix.SIGTERM) {
		t.Errorf("ignored %x, blocked %x", got.Ignored, got.Blocked)
	}
}

func TestParseStatOfRubbish(t *testing.T) {
	for _, text := range []string{"", "1", "1 (x", "1 (x)", ")(", "1 (x) S 2 3", "1 (x) S 2 3 4 5 6 7 8 9"} {
		if got, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
}

// awaitBySignalfd takes TSTP and USR2 by a signalfd.
func awaitBySignalfd() {
	var set unix.Sigset_t
	set.Val[0] = 1<<(unix.SIGTSTP-1) | 1<<(unix.SIGUSR2-1)
	check(unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil))
	_, err := unix.Signalfd(-1, &set, unix.SFD_CLOEXEC)
	check(err)
	hold()
}

func TestAwaits(t *testing.T) {
	s := newSystem(t)
	spec := mode(t, "signalfd")
	pid := start(t, s, spec)
	appears(t, spec.out("told"))
	shown, _ := exec.Command("sh", "-c", "cat /proc/"+strconv.Itoa(pid)+"/fdinfo/*").Output()
	if !strings.Contains(string(shown), "sigmask") {
		t.Skip("this kernel does not tell of signalfd")
	}
	if !s.Awaits(pid, unix.SIGTSTP) || !s.Awaits(pid, unix.SIGUSR2) {
		t.Error("TSTP and USR2 are awaited")
	}
	if s.Awaits(pid, unix.SIGTERM) || s.Awaits(pid, unix.SIGTTIN) || s.Awaits(os.Getpid(), unix.SIGTSTP) {
		t.Error("and nothing else")
	}
}

// forkFromTwoThreads starts a child on the main thread and on another, which
// stays.
func forkFromTwoThreads() {
	pids := make(chan int)
	fork := func() {
		runtime.LockOSThread()
		cmd := exec.Command("sh", "-c", "read x")
		cmd.Stdin = os.Stdin
		check(cmd.Start())
		pids <- cmd.Process.Pid
		select {}
	}
	go fork()
	go fork()
	tellAndHold(fmt.Sprintln(<-pids, <-pids))
}

func TestChildrenOfEveryThread(t *testing.T) {
	s := newSystem(t)
	spec := mode(t, "threads")
	pid := start(t, s, spec)
	want := numbers(strings.Fields(appears(t, spec.out("told"))))
	defer func() {
		for _, pid := range want {
			_ = s.Signal(pid, unix.SIGKILL)
		}
	}()
	slices.Sort(want)
	ways := []bool{false}
	if s.proc.hasChildren() {
		ways = append(ways, true)
	}
	for _, files := range ways {
		s.proc.children = files
		s.forget()
		got, err := s.Children(pid, 0)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("by children files %v: %v, %v, want %v", files, got, err, want)
		}
		if ours, err := s.Children(0, 0); err != nil || !slices.Contains(ours, pid) {
			t.Errorf("by children files %v: our own are %v, %v, want %d", files, ours, err, pid)
		}
		if none, err := s.Children(want[0], 0); err != nil || len(none) != 0 {
			t.Errorf("by children files %v: of one that has none: %v, %v", files, none, err)
		}
	}
}

// procfs writes a /proc of its own.
func procfs(t *testing.T, files map[string]string) *System {
	t.Helper()
	s := &System{}
	s.proc.root = t.TempDir()
	for name, text := range files {
		path := filepath.Join(s.proc.root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, text, 0o644)
	}
	return s
}

func TestChildrenFiles(t *testing.T) {
	var many strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&many, "%d ", 10000+n)
	}
	s := procfs(t, map[string]string{
		"self/task/7/children": "42 ",
		"42/task/42/children":  "50 51 ",
		"42/task/43/children":  "",
		"42/task/44/children":  "52 ",
		"42/cmdline":           "sidekiq 6.4.1 app [0 of 10 busy]\x00\x00\x00",
		"43/task/43/children":  many.String(),
	})
	if got, err := s.Children(0, 0); err != nil || !slices.Equal(got, []int{42}) {
		t.Errorf("our own: %v, %v", got, err)
	}
	got, err := s.Children(42, 0)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, []int{50, 51, 52}) {
		t.Errorf("of 42: %v, %v", got, err)
	}
	if got, err := s.Children(43, 0); err != nil || len(got) != 5000 || got[4999] != 14999 {
		t.Errorf("of 43: %d, %v", len(got), err)
	}
	if got, err := s.Children(44, 0); err == nil {
		t.Errorf("of one that is gone: %v", got)
	}
	if got, err := s.Title(42); err != nil || !slices.Equal(got, []string{"sidekiq 6.4.1 app [0 of 10 busy]"}) {
		t.Errorf("title: %q, %v", got, err)
	}
}

func TestNoProc(t *testing.T) {
	s := procfs(t, nil)
	if _, err := s.Look(os.Getpid()); err == nil {
		t.Error("look")
	}
	if _, err := s.Title(os.Getpid()); err == nil {
		t.Error("title")
	}
	if _, err := s.Children(0, 0); err == nil {
		t.Error("children")
	}
	if s.Awaits(os.Getpid(), unix.SIGTERM) {
		t.Error("awaits")
	}
}

func BenchmarkLook(b *testing.B) {
	s := &System{}
	s.proc.root = "/proc"
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Look(os.Getpid()); err != nil {
			b.Fatal(err)
		}
	}
}
