package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// serverTurns bounds how many real servers boot and run side by side; go test's own
// -parallel may be lower.
var serverTurns = make(chan struct{}, 4)

// takeTurn waits until fewer than four others run, until the end of the test.
func takeTurn(t *testing.T) {
	serverTurns <- struct{}{}
	t.Cleanup(func() { <-serverTurns })
}

// deployment is an app in a directory of its own, with the environment that
// everything of this test is started with.
type deployment struct {
	dir   string // short, for it holds the sockets
	mark  string // in the environment of all that the launcher starts
	redis string // its socket, once startRedis was called
	env   []string
}

// deploy copies an app of testdata/servers.
func deploy(t *testing.T, app string, needs ...string) *deployment {
	t.Helper()
	dir, err := os.MkdirTemp("", "srv")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	// Debian's servers want Debian's interpreters: nobody's python3 or ruby may
	// stand before those. Only node may be anywhere.
	path := "/usr/sbin:/usr/bin:/sbin:/bin"
	for _, program := range needs {
		if onDebian(program) {
			continue
		}
		found, err := exec.LookPath(program)
		if err != nil {
			t.Fatalf("%s is not installed: .ci/setup does it on Debian", program)
		}
		path += ":" + filepath.Dir(found)
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "servers", app))); err != nil {
		t.Fatal(err)
	}
	mark := fmt.Sprintf("%s-%d", filepath.Base(dir), os.Getpid())
	return &deployment{dir: dir, mark: mark, env: []string{
		"PATH=" + path, "HOME=" + dir, "LANG=C.UTF-8", "SERVER_TEST=" + mark, "PYTHONDONTWRITEBYTECODE=1",
		"STATE=" + dir, "SOCKET=" + filepath.Join(dir, "web.sock"),
	}}
}

func onDebian(program string) bool {
	for _, dir := range []string{"/usr/bin", "/usr/sbin"} {
		if _, err := os.Stat(filepath.Join(dir, program)); err == nil {
			return true
		}
	}
	return false
}

// launched is a launcher that runs.
type launched struct {
	d    *deployment
	pid  int
	log  *transcript
	done chan struct{} // closed when it has ended
	exit int           // then: its status
}

// transcript gathers what the launcher and its children print.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// launch starts the launcher in the deployment's directory. What it printed is
// shown when the test fails; what it left is killed when the test ends.
func (d *deployment) launch(t *testing.T, args ...string) *launched {
	t.Helper()
	return d.run(t, exec.Command(launcherBinary, args...))
}

// run is launch, of a command that becomes the launcher.
func (d *deployment) run(t *testing.T, cmd *exec.Cmd) *launched {
	t.Helper()
	l := &launched{d: d, log: &transcript{}, done: make(chan struct{})}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = d.dir, d.env, l.log, l.log
	// A survivor that holds the pipe is for nothingLeft to tell, not for Wait to wait for.
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.pid = cmd.Process.Pid
	go func() {
		defer close(l.done)
		err := cmd.Wait()
		l.exit = cmd.ProcessState.ExitCode()
		if err != nil && !errors.As(err, new(*exec.ExitError)) {
			fmt.Fprintf(l.log, "[test: wait: %v]\n", err)
		}
	}()
	t.Cleanup(func() {
		var below []seenProcess
		select {
		case <-l.done: // its pid may be another's by now
		default:
			below = l.tree()
		}
		for _, p := range d.survivors(below) {
			unix.Kill(p.pid, unix.SIGKILL)
		}
		<-l.done
		if t.Failed() {
			t.Logf("%s printed:\n%s", strings.Join(cmd.Args, " "), l.log)
		}
	})
	return l
}

// poll asks until the answer is yes. It fails at once if the launcher has ended.
func (l *launched) poll(t *testing.T, limit time.Duration, what string, ask func() (bool, string)) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; {
		yes, tell := ask()
		if yes {
			return
		}
		select {
		case <-l.done:
			t.Fatalf("not so: %s: the launcher has ended with %d (%s)", what, l.exit, tell)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("not so after %s: %s (%s)", limit, what, tell)
		}
	}
}

func (l *launched) signal(t *testing.T, sig unix.Signal) {
	t.Helper()
	if err := unix.Kill(l.pid, sig); err != nil {
		t.Fatalf("%v to the launcher: %v", sig, err)
	}
}

// broadcast sends TERM to the launcher and to all below it, as Heroku does.
func (l *launched) broadcast() {
	for _, p := range l.tree() {
		unix.Kill(p.pid, unix.SIGTERM)
	}
}

// wait returns the launcher's status.
func (l *launched) wait(t *testing.T, limit time.Duration) int {
	t.Helper()
	select {
	case <-l.done:
		return l.exit
	case <-time.After(limit):
		t.Fatalf("the launcher still runs %s later", limit)
		return -1
	}
}

// saysSignal: the launcher's own lines, which are not a child's, tell the signal.
func (l *launched) saysSignal(t *testing.T, name string) {
	t.Helper()
	if !regexp.MustCompile(`\b` + name + ` \d+\.\d+ ?s`).MatchString(l.log.String()) {
		t.Errorf("no %s with its time in what the launcher printed", name)
	}
}

// seenProcess is a pid that cannot be mistaken for a later process of that number.
type seenProcess struct {
	pid   int
	start string // field 22 of /proc/PID/stat
}

// tree is the launcher and all its descendants as they are now.
func (l *launched) tree() []seenProcess {
	all, below := map[int]seenProcess{}, map[int][]int{}
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if parent, start, ok := stat(pid); ok {
			all[pid] = seenProcess{pid, start}
			below[parent] = append(below[parent], pid)
		}
	}
	var out []seenProcess
	for queue := []int{l.pid}; len(queue) > 0; queue = queue[1:] {
		if p, ok := all[queue[0]]; ok {
			out = append(out, p)
		}
		queue = append(queue, below[queue[0]]...)
	}
	return out
}

// stat reads a process's parent and start time; zombies count as gone.
func stat(pid int) (parent int, start string, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, "", false
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return 0, "", false
	}
	parent, _ = strconv.Atoi(fields[1])
	return parent, fields[19], true
}

// survivors are the processes that were seen, that carry the mark, or that work
// in the deployment's directory (Ruby and nginx write their titles over their
// environment).
func (d *deployment) survivors(seen []seenProcess) []seenProcess {
	var out []seenProcess
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		_, start, ok := stat(pid)
		p := seenProcess{pid, start}
		if !ok {
			continue
		}
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		if slices.Contains(seen, p) || cwd == d.dir || bytes.Contains(environ, []byte("SERVER_TEST="+d.mark)) {
			out = append(out, p)
		}
	}
	return out
}

// nothingLeft is asked after the launcher's exit: not a moment later, for it
// goes last of all.
func (l *launched) nothingLeft(t *testing.T, seen []seenProcess) {
	t.Helper()
	for _, p := range l.d.survivors(seen) {
		title, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.pid))
		t.Errorf("left running: %d %q", p.pid, bytes.ReplaceAll(title, []byte{0}, []byte{' '}))
	}
}
