package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// markVariable is in the environment of everything that a trial starts.
const markVariable = "PROCESS_TEST_MARK"

// trialBudget is the least that the launcher takes; lateBy is how much later it
// may be on a machine that has other things to do.
const (
	trialBudget = 2 * time.Second
	lateBy      = time.Second
)

// trial is one run of the real launcher in a directory of its own.
type trial struct {
	t      *testing.T
	dir    string
	mark   string
	pid1   bool
	stdout *os.File   // default: the file out
	stderr *os.File   // default: the file err
	before []string   // what execs the launcher: a shell with signals ignored
	files  []*os.File // descriptors 3 and above
	binary string     // default: launcherBinary

	cmd   *exec.Cmd
	pid   int // the launcher's, as we see it
	ended chan struct{}
}

var trials atomic.Int64

// newTrial writes the files of a trial: a Procfile and the scripts that it runs.
func newTrial(t *testing.T, texts map[string]string) *trial {
	t.Helper()
	tr := &trial{t: t, dir: t.TempDir(), mark: fmt.Sprintf("%d.%d", os.Getpid(), trials.Add(1))}
	for name, text := range texts {
		tr.write(name, text)
	}
	return tr
}

func (tr *trial) write(name, text string) {
	tr.t.Helper()
	if err := os.WriteFile(tr.path(name), []byte(text), 0o644); err != nil {
		tr.t.Fatal(err)
	}
}

func (tr *trial) path(name string) string { return filepath.Join(tr.dir, name) }

// text is what a file holds; "" where there is none.
func (tr *trial) text(name string) string {
	text, _ := os.ReadFile(tr.path(name))
	return string(text)
}

func (tr *trial) exists(name string) bool {
	_, err := os.Stat(tr.path(name))
	return err == nil
}

// start starts the launcher, and returns as soon as it has been executed.
func (tr *trial) start(args ...string) *trial {
	tr.t.Helper()
	binary := cmp.Or(tr.binary, launcherBinary)
	words := slices.Concat(tr.before, []string{binary}, args)
	if tr.pid1 {
		words = slices.Concat(unshared, words)
	}
	tr.startWords(binary, words)
	return tr
}

func (tr *trial) startWords(program string, words []string) {
	tr.t.Helper()
	tr.cmd = exec.Command(words[0], words[1:]...)
	tr.cmd.Dir = tr.dir
	tr.cmd.Env = append(cleanEnvironment(), markVariable+"="+tr.mark, "TEST_BINARY="+testBinary())
	out, err := os.Create(tr.path("out"))
	if err != nil {
		tr.t.Fatal(err)
	}
	defer out.Close()
	errors, err := os.Create(tr.path("err"))
	if err != nil {
		tr.t.Fatal(err)
	}
	defer errors.Close()
	tr.cmd.Stdout, tr.cmd.Stderr, tr.cmd.ExtraFiles = out, errors, tr.files
	if tr.stdout != nil {
		tr.cmd.Stdout = tr.stdout
	}
	if tr.stderr != nil {
		tr.cmd.Stderr = tr.stderr
	}
	// No controlling terminal, also where a person runs the tests on one.
	tr.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := tr.cmd.Start(); err != nil {
		tr.t.Fatal(err)
	}
	tr.ended = make(chan struct{})
	go func() {
		_ = tr.cmd.Wait()
		close(tr.ended)
	}()
	tr.t.Cleanup(tr.clear)
	tr.pid = tr.cmd.Process.Pid
	if tr.pid1 || tr.before != nil {
		tr.pid = tr.awaitExec(program)
	}
}

// awaitExec finds the process that has become the program, without a pause: the
// moment matters.
func (tr *trial) awaitExec(program string) int {
	tr.t.Helper()
	program, err := filepath.EvalSymlinks(program)
	if err != nil {
		tr.t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < patience; runtime.Gosched() {
		at := []int{tr.cmd.Process.Pid} // and none of its children, which look the same until they execute
		if tr.pid1 {
			at = procChildren(tr.cmd.Process.Pid) // of unshare(1)
		}
		for _, pid := range at {
			if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); exe == program {
				return pid
			}
		}
		select {
		case <-tr.ended:
			tr.t.Fatalf("%s: %v\n%s", program, tr.cmd.ProcessState, tr.text("err"))
		default:
		}
	}
	tr.t.Fatalf("%s was not executed\n%s", program, tr.text("err"))
	return 0
}

var testBinary = sync.OnceValue(func() string {
	path, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return path
})

// cleanEnvironment has nothing in it that is a setting.
func cleanEnvironment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=/", "LAUNCHER_BUDGET=" + trialBudget.String()}
}

// clear ends what a trial that failed has left.
func (tr *trial) clear() {
	_ = tr.cmd.Process.Kill()
	within(patience, func() bool {
		left := tr.left()
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return len(left) == 0
	})
	<-tr.ended
}

// left are the processes with the trial's mark, without zombies.
func (tr *trial) left() []int {
	return slices.DeleteFunc(allPIDs(), func(pid int) bool { return !carries(pid, markVariable+"="+tr.mark) })
}

// workers are the pids of those of the launcher's children that run, by what
// /proc says.
func (tr *trial) workers() []int {
	return slices.DeleteFunc(procChildren(tr.pid), func(pid int) bool { return !runs(pid) })
}

// zombies are the launcher's children that have ended and were not reaped.
func (tr *trial) zombies() []int {
	return slices.DeleteFunc(procChildren(tr.pid), func(pid int) bool { return procState(pid) != 'Z' })
}

// asleep are the workers that have become sleep(1).
func (tr *trial) asleep() []int {
	return slices.DeleteFunc(tr.workers(), func(pid int) bool { return procStatus(pid)["Name"] != "sleep" })
}

func (tr *trial) signal(sig syscall.Signal) {
	tr.t.Helper()
	if err := syscall.Kill(tr.pid, sig); err != nil {
		tr.t.Fatalf("%v: %v\n%s", sig, err, tr.text("err"))
	}
}

// eventually waits for what must come.
func (tr *trial) eventually(what string, ask func() bool) {
	tr.t.Helper()
	if !within(patience, ask) {
		tr.t.Fatalf("waited in vain: %s\n%s", what, tr.text("err"))
	}
}

// says waits until the launcher has said it.
func (tr *trial) says(text string) {
	tr.t.Helper()
	tr.eventually(fmt.Sprintf("it says %q", text), func() bool { return strings.Contains(tr.text("err"), text) })
}

// up waits until the files are there with which children say that they are.
func (tr *trial) up(names ...string) {
	tr.t.Helper()
	for _, name := range names {
		tr.eventually(name, func() bool { return tr.exists(name) })
	}
}

// stop sends TERM and wants this exit status, within the budget.
func (tr *trial) stop(status int) {
	tr.t.Helper()
	begin := time.Now()
	tr.signal(syscall.SIGTERM)
	tr.wait(status)
	tr.inTime(begin)
}

// inTime wants the stop that began then to have taken no longer than the budget.
func (tr *trial) inTime(begin time.Time) {
	tr.t.Helper()
	if late := time.Since(begin) - trialBudget; late > lateBy {
		tr.t.Errorf("%s later than the budget\n%s", late, tr.text("err"))
	}
}

// wait wants this exit status, and nothing left at that moment.
func (tr *trial) wait(status int) {
	tr.t.Helper()
	tr.awaitEnd()
	if code := tr.cmd.ProcessState.ExitCode(); code != status {
		tr.t.Errorf("%v, want exit status %d\n%s", tr.cmd.ProcessState, status, tr.text("err"))
	}
	tr.nothingLeft()
}

// awaitEnd waits until the launcher has ended.
func (tr *trial) awaitEnd() {
	tr.t.Helper()
	select {
	case <-tr.ended:
	case <-time.After(patience):
		tr.t.Fatalf("it does not end\n%s", tr.text("err"))
	}
}

func (tr *trial) nothingLeft() {
	tr.t.Helper()
	for _, pid := range tr.left() {
		if title := procTitle(pid); title != "" {
			tr.t.Errorf("left running: %d %q\n%s", pid, title, tr.text("err"))
		}
	}
}

// asPID1AndNot runs body as PID 1 of a namespace, and not.
func asPID1AndNot(t *testing.T, body func(t *testing.T, pid1 bool)) {
	t.Run("subreaper", func(t *testing.T) { body(t, false) })
	t.Run("pid1", func(t *testing.T) {
		needPIDNamespace(t)
		body(t, true)
	})
}

// unshared are the words before a command that make it PID 1 of a namespace.
var unshared = []string{"unshare", "--fork", "--pid", "--mount-proc", "--kill-child=KILL"}

func needPIDNamespace(t *testing.T) {
	t.Helper()
	needNamespaces(t, unshared[1:]...)
}

// unreadPipe is a pipe that nobody reads; gone closes the reader's end at once.
func unreadPipe(t *testing.T, gone bool) *os.File {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	r, w := os.NewFile(uintptr(fds[0]), "unread"), os.NewFile(uintptr(fds[1]), "pipe")
	t.Cleanup(func() { _ = r.Close(); _ = w.Close() })
	if gone {
		_ = r.Close()
	}
	return w
}
