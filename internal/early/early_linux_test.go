package early

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary plays the launcher: role says which part.
const roleVariable = "EARLY_TEST_ROLE"

// given are the dispositions and the mask that the launcher of these tests is
// started with.
var (
	givenIgnored = []os.Signal{
		syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP,
		syscall.SIGUSR1, syscall.SIGTTOU, syscall.SIGXCPU, syscall.Signal(40),
	}
	givenBlocked = []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGUSR2, syscall.Signal(41)}
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "outer":
		outer()
	case "launcher":
		launcher()
	case "reader":
		reader()
	case "pipe":
		pipe()
	default:
		os.Exit(m.Run())
	}
}

// outer becomes the launcher with signals ignored and blocked.
func outer() {
	signal.Ignore(givenIgnored...)
	var mask unix.Sigset_t
	for _, sig := range givenBlocked {
		mask.Val[(sig-1)/64] |= 1 << ((sig - 1) % 64)
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &mask, nil); err != nil {
		fail(err)
	}
	_ = os.Setenv(roleVariable, "launcher") // of two in the environment the first would count
	fail(syscall.Exec("/proc/self/exe", []string{"launcher"}, os.Environ()))
}

// launcher starts a child as the real one does, from the main thread.
func launcher() {
	fmt.Printf("IgnoredHUP: %v\nIgnoredINT: %v\nMainThread: %v\n", IgnoredHUP, IgnoredINT, unix.Gettid() == os.Getpid())
	All()
	ClearMask()
	pid, err := syscall.ForkExec("/bin/cat", []string{"cat", "/proc/self/status"}, &syscall.ProcAttr{Files: []uintptr{0, 1, 2}})
	if err != nil {
		fail(err)
	}
	var status syscall.WaitStatus
	for {
		if _, err = syscall.Wait4(pid, &status, 0, nil); !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	os.Exit(status.ExitStatus())
}

// reader reads no signal before its standard input ends, and then says which it
// got by each channel.
func reader() {
	All()
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	for _, c := range []struct {
		name string
		from <-chan os.Signal
	}{{"urgent", Urgent}, {"urgent", Urgent}, {"children", Children}, {"others", Others}} {
		select {
		case sig := <-c.from:
			fmt.Printf("%s %d\n", c.name, sig.(syscall.Signal))
		case <-time.After(30 * time.Second):
			fmt.Printf("%s nothing\n", c.name)
		}
	}
	for len(Others) > 0 {
		fmt.Printf("others %d\n", (<-Others).(syscall.Signal))
	}
}

// pipe writes to a standard output that nobody reads any more.
func pipe() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	if _, err := os.Stdout.WriteString("anybody there?\n"); errors.Is(err, syscall.EPIPE) {
		os.Exit(7)
	}
	os.Exit(8)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func play(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// started is play, with the pipes that it reads and writes.
func started(t *testing.T, role string) (cmd *exec.Cmd, stdin io.WriteCloser, stdout io.ReadCloser) {
	t.Helper()
	cmd = play(t, role)
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	return cmd, stdin, stdout
}

// TestChildGetsDefaults: whatever we were given, a child gets default
// dispositions and an empty mask (P44), and we know of HUP and INT.
func TestChildGetsDefaults(t *testing.T) {
	out, err := play(t, "outer").Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(line, ":")
		got[name] = strings.TrimSpace(value)
	}
	for name, want := range map[string]string{
		"IgnoredHUP": "true", "IgnoredINT": "true", "MainThread": "true",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	for _, name := range []string{"SigIgn", "SigBlk"} {
		mask, err := strconv.ParseUint(got[name], 16, 64)
		if err != nil {
			t.Fatalf("%s of the child: %v", name, err)
		}
		if mask &^= kept(name); mask != 0 {
			t.Errorf("%s of the child is %016x, want nothing", name, mask)
		}
	}
}

// kept are the signals of the C library, 32 to 34, that Go does not let a program
// handle: an ignored one of those, if we were started so, stays.
func kept(name string) uint64 {
	if name == "SigIgn" {
		return 1<<31 | 1<<32 | 1<<33
	}
	return 0
}

// TestBurstLosesNoTerm: neither a burst of CHLD nor one of others keeps TERM or
// INT from being read, and CHLD still says "look" (P24).
func TestBurstLosesNoTerm(t *testing.T) {
	cmd, stdin, stdout := started(t, "reader")
	defer time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }).Stop()
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	for range 500 {
		for _, sig := range []syscall.Signal{syscall.SIGCHLD, syscall.SIGUSR1, syscall.SIGWINCH, syscall.SIGURG, syscall.SIGPIPE} {
			send(t, cmd, sig)
		}
	}
	send(t, cmd, syscall.SIGTERM)
	send(t, cmd, syscall.SIGINT)
	_ = stdin.Close()
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, rest)
	}
	for _, want := range []string{"urgent 15\n", "urgent 2\n", "children 17\n", "others "} {
		if !bytes.Contains(rest, []byte(want)) {
			t.Errorf("no %q in %q", want, rest)
		}
	}
	for _, never := range []string{"others 13\n", "others 23\n", "others 17\n"} {
		if bytes.Contains(rest, []byte(never)) {
			t.Errorf("%q was delivered", never)
		}
	}
}

func send(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// TestRealTimeSignals: those a service manager may send are read, not died of.
func TestRealTimeSignals(t *testing.T) {
	All()
	for len(Others) > 0 {
		<-Others
	}
	if err := syscall.Kill(os.Getpid(), syscall.Signal(37)); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(30 * time.Second)
	for {
		select {
		case sig := <-Others:
			if sig == syscall.Signal(37) {
				return
			}
		case <-deadline:
			t.Fatal("RTMIN+3 was not delivered")
		}
	}
}

// TestClosedOutput: a log reader that has gone away is an error of the write, not
// our death (P26).
func TestClosedOutput(t *testing.T) {
	cmd, stdin, stdout := started(t, "pipe")
	_ = stdout.Close()
	_ = stdin.Close()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("%v, want exit status 7: EPIPE", cmd.ProcessState)
	}
}
