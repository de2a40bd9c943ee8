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
		if !isClosed(l.done) { // else its pid may be another's by now
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
	tell := ""
	came := within(limit, func() (yes bool) {
		if yes, tell = ask(); !yes && isClosed(l.done) {
			t.Fatalf("not so: %s: the launcher has ended with %d (%s)", what, l.exit, tell)
		}
		return yes
	})
	if !came {
		t.Fatalf("not so after %s: %s (%s)", limit, what, tell)
	}
}

// says waits until the launcher's log has text, n times.
func (l *launched) says(t *testing.T, text string, n int) {
	t.Helper()
	l.poll(t, time.Minute, fmt.Sprintf("it says %q", text), func() (bool, string) {
		found := strings.Count(l.log.String(), text)
		return found >= n, fmt.Sprintf("%d of %d times", found, n)
	})
}

// pidIn is the pid in the log's last line that holds text.
func (l *launched) pidIn(t *testing.T, text string) int {
	t.Helper()
	all := regexp.MustCompile(regexp.QuoteMeta(text)+`.*, pid (\d+)`).FindAllStringSubmatch(l.log.String(), -1)
	if len(all) == 0 {
		t.Fatalf("no pid with %q", text)
	}
	pid := 0
	fmt.Sscan(all[len(all)-1][1], &pid)
	return pid
}

// client runs a client command on the deployment's launcher, and returns what it
// printed and its status.
func (d *deployment) client(t *testing.T, args ...string) (string, int) {
	t.Helper()
	status, text, err := launcherSays(d.dir, d.env, append(args, "--socket", d.control())...)
	if err != nil {
		t.Fatal(err)
	}
	return text, status
}

func (d *deployment) control() string { return filepath.Join(d.dir, "control.sock") }

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

// stop sends TERM, and wants status 0 in that time and nothing left.
func (l *launched) stop(t *testing.T, limit time.Duration) {
	t.Helper()
	seen := l.tree()
	l.signal(t, unix.SIGTERM)
	l.ends(t, limit, seen)
}

// ends wants the end of a launcher that was told to stop: status 0 in that time,
// and nothing left of what was seen running.
func (l *launched) ends(t *testing.T, limit time.Duration, seen []seenProcess) {
	t.Helper()
	select {
	case <-l.done:
	case <-time.After(limit):
		t.Fatalf("the launcher still runs %s later", limit)
	}
	if l.exit != 0 {
		t.Errorf("the launcher's status is %d, not 0", l.exit)
	}
	l.nothingLeft(t, seen)
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
	for _, pid := range allPIDs() {
		if runs(pid) {
			stat := statOf(pid)
			all[pid] = seenProcess{pid, stat.start}
			below[stat.parent] = append(below[stat.parent], pid)
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

// survivors are the processes that were seen, that carry the mark, or that work
// in the deployment's directory (Ruby and nginx write their titles over their
// environment).
func (d *deployment) survivors(seen []seenProcess) []seenProcess {
	var out []seenProcess
	for _, pid := range allPIDs() {
		p := seenProcess{pid, statOf(pid).start}
		cwd, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
		if runs(pid) && (slices.Contains(seen, p) || cwd == d.dir || carries(pid, "SERVER_TEST="+d.mark)) {
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
		t.Errorf("left running: %d %q", p.pid, procTitle(p.pid))
	}
}
