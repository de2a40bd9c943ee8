package launcher

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"dyno/internal/notify"

	"golang.org/x/sys/unix"
)

// patience is for what must happen, however slow the machine is.
const patience = 30 * time.Second

// resettable are the signals that a test must catch, as internal/early does,
// for its children to start with their default action.
var resettable = []os.Signal{
	unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU,
	unix.SIGWINCH, unix.SIGCONT, unix.SIGALRM, unix.SIGPIPE,
}

// channels catches signals as internal/early does.
func channels() (KernelConfig, func()) {
	urgent, others, children := make(chan os.Signal, 64), make(chan os.Signal, 64), make(chan os.Signal, 1)
	signal.Notify(urgent, unix.SIGTERM, unix.SIGINT)
	signal.Notify(others, resettable...)
	signal.Notify(children, unix.SIGCHLD)
	return KernelConfig{Urgent: urgent, Others: others, Children: children}, func() {
		signal.Stop(urgent)
		signal.Stop(others)
		signal.Stop(children)
	}
}

func newSystem(t *testing.T) *System {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &unix.Sigset_t{}, nil); err != nil {
		t.Fatal(err)
	}
	config, stop := channels()
	t.Cleanup(stop)
	dir, err := notify.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	config.Notify = dir
	s, err := NewKernel(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	t.Cleanup(sweep)
	return s
}

// sweep ends all children of the test process, adopted ones included, so that
// none turns up in the next test. No test with processes may be parallel.
func sweep() {
	s := &System{}
	s.proc.root = "/proc"
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		s.forget()
		children, _ := s.Children(0, 0)
		for _, pid := range children {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		for {
			pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
			if err == unix.ECHILD {
				return
			}
			if pid <= 0 && err != unix.EINTR {
				break
			}
		}
	}
}

// ends waits until pid is a zombie and leaves it one. It hears no notes.
func ends(t *testing.T, s *System, pid int) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		got, err := s.Peek()
		if err != nil {
			t.Fatalf("peek: %v", err)
		}
		if got == pid {
			return
		}
		if got != 0 {
			_, _, _ = s.Reap(got) // else it would be named for ever (P4)
		}
	}
	t.Fatalf("pid %d did not end", pid)
}

// sh is the spec of a shell command that finds its test's directory in $OUT.
func sh(t *testing.T, script string) *Spec {
	t.Helper()
	return &Spec{
		Type: "sh", Slot: 1,
		Argv: []string{"sh", "-c", script},
		Env:  []string{"PATH=" + os.Getenv("PATH"), "OUT=" + t.TempDir()},
	}
}

// mode is the spec of this test binary as a child.
func mode(t *testing.T, name string) *Spec {
	t.Helper()
	spec := sh(t, "")
	spec.Argv = []string{executablePath(t)}
	spec.Env = append(spec.Env, childEnv+"="+name)
	return spec
}

func executablePath(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *Spec) out(name string) string {
	for _, entry := range s.Env {
		if dir, ok := strings.CutPrefix(entry, "OUT="); ok {
			return filepath.Join(dir, name)
		}
	}
	return ""
}

func start(t *testing.T, s *System, spec *Spec) int {
	t.Helper()
	pid, err := s.Start(spec)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return pid
}

// await waits for the end of pid and reaps whatever else ends.
func await(t *testing.T, s *System, pid int) (Exit, []string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		got, err := s.Peek()
		if err != nil {
			t.Fatalf("peek: %v", err)
		}
		if got == 0 {
			s.Wait(end)
			continue
		}
		exit, notes, err := s.Reap(got)
		if err != nil {
			t.Fatalf("reap: %v", err)
		}
		if got == pid {
			return exit, notes
		}
	}
	t.Fatalf("pid %d did not end", pid)
	return Exit{}, nil
}

// run starts spec and expects it to end well.
func run(t *testing.T, s *System, spec *Spec) {
	t.Helper()
	if exit, _ := await(t, s, start(t, s, spec)); exit.Code() != 0 {
		t.Fatalf("%q ended with %v", spec.Argv, exit.Code())
	}
}

// appears waits for a file that a child writes and renames into place, or fully
// writes before its next, and gives its content.
func appears(t *testing.T, path string) string {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil && strings.HasSuffix(string(text), "\n") {
			return string(text)
		}
	}
	t.Fatalf("%s was not written", path)
	return ""
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string, perm os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), perm); err != nil {
		t.Fatal(err)
	}
	return path
}

func send(t *testing.T, path, text string) {
	t.Helper()
	conn, err := net.Dial("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// rerun is this test binary as an ordinary child of the test.
func rerun(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	t.Cleanup(sweep)
	cmd := exec.Command(executablePath(t))
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

func expectOK(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.Output()
	if err != nil || string(out) != "ok\n" {
		t.Errorf("%v, it says: %s", err, out)
	}
}

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}
