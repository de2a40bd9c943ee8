package launcher

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dyno/internal/early/listenpid"

	"golang.org/x/sys/unix"
)

func init() {
	childModes["ack"] = acknowledge
}

// handed is a system that can do the step, by this very test binary, and one
// socket.
func handed(t *testing.T) (*System, []Socket) {
	t.Helper()
	s := newSystem(t)
	s.config.Step = "/proc/self/exe"
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Listen(fd, 16); err != nil {
		t.Fatal(err)
	}
	return s, []Socket{{FD: fd, Name: "web", Addr: "tcp://0.0.0.0:0"}}
}

// TestSocketsAreHandedOver: LISTEN_PID is the process's own, the sockets are its
// 3 and above, and in all else it is as if it had been started directly.
func TestSocketsAreHandedOver(t *testing.T) {
	s, sockets := handed(t)
	const script = `echo "$$ $LISTEN_PID $LISTEN_FDS $LISTEN_FDNAMES $0 $1" >"$OUT/told"; cat /proc/self/status >"$OUT/status"
ls /proc/self/fd >"$OUT/fds"; ulimit -n >"$OUT/limit"; umask >>"$OUT/limit"; tr '\0' ' ' </proc/$$/cmdline >"$OUT/title"; env >"$OUT/env"`
	plain, given := sh(t, script), sh(t, script)
	for _, spec := range []*Spec{plain, given} {
		spec.Argv = append(spec.Argv, "a b", "")
	}
	given.Sockets = append(sockets, sockets...)
	run(t, s, plain)
	run(t, s, given)

	told := strings.Fields(content(t, given.out("told")))
	if len(told) != 6 || told[0] != told[1] || told[2] != "2" || told[3] != "web:web" || told[4] != "a" {
		t.Errorf("told: %q", told)
	}
	if got := strings.Fields(content(t, given.out("fds"))); !slices.Equal(got, []string{"0", "1", "2", "3", "4", "5"}) {
		t.Errorf("descriptors: %v", got)
	}
	for _, file := range []string{"limit", "title"} {
		if want, got := content(t, plain.out(file)), content(t, given.out(file)); want != got {
			t.Errorf("%s: %q, directly started %q", file, got, want)
		}
	}
	for line := range strings.Lines(content(t, given.out("status"))) {
		name, mask, _ := strings.Cut(line, ":")
		if slices.Contains([]string{"SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"}, name) && strings.Trim(mask, "0\t\n") != "" {
			t.Errorf("it begins with a signal in %s", line) // whatever we were given ourselves
		}
	}
	for line := range strings.Lines(content(t, given.out("env"))) {
		name, _, _ := strings.Cut(line, "=")
		before := slices.Contains(strings.Split(content(t, plain.out("env")), "\n"), strings.TrimSpace(line))
		if !before && !strings.HasPrefix(name, "LISTEN_") && !strings.HasPrefix(name, "EINHORN_") && name != "OUT" && name != "NOTIFY_SOCKET" {
			t.Errorf("in its environment: %s", line)
		}
	}
}

// TestStepHearsNothing: a child that is in the step is nobody who hears a signal
// (P49), and what is sent to it then does what it does to any program that has
// only been executed.
func TestStepHearsNothing(t *testing.T) {
	s, sockets := handed(t)
	spec := sh(t, "")
	spec.Argv = []string{"sleep", "1000"}
	spec.Sockets = sockets
	seen := 0
	for i := range 48 {
		sig := []unix.Signal{unix.SIGTERM, unix.SIGQUIT, unix.SIGUSR2, unix.SIGUSR1, unix.SIGHUP, unix.SIGALRM}[i%6]
		pid := start(t, s, spec)
		for begin := time.Now(); time.Since(begin) < time.Duration(i%20)*100*time.Microsecond; {
			s.forget()
			title, _ := s.Title(pid) // first: it may become sleep(1) between the two, which catches nothing
			sight, err := s.Look(pid)
			if err != nil {
				t.Fatal(err)
			}
			if len(title) > 0 && title[0] == listenpid.Name {
				seen++
			}
			for _, quiet := range []unix.Signal{unix.SIGTSTP, unix.SIGTERM, unix.SIGUSR2} {
				if sight.Caught.Has(quiet) && !sight.Blocked.Has(quiet) && !Wrapper(title, sight.Comm) {
					t.Fatalf("%q seems to hear %v", title, quiet)
				}
			}
		}
		if err := s.Signal(pid, sig); err != nil {
			t.Fatal(err)
		}
		exit, _ := await(t, s, pid)
		if sig == unix.SIGQUIT && exit.Signal() == unix.SIGTERM {
			continue // sent in its place
		}
		if exit.Signal() != sig {
			t.Fatalf("%v sent at once: %v", sig, exit)
		}
	}
	if seen == 0 {
		t.Error("never seen in the step: nothing was tried")
	}
}

// TestStepErrors: what cannot be executed is a failed start where that is known
// before the step, and else ends as a shell's child would.
func TestStepErrors(t *testing.T) {
	s, sockets := handed(t)
	dir := t.TempDir()
	write(t, dir+"/plain", "exit 0\n", 0o644)
	write(t, dir+"/script", "exit $#\n", 0o755)
	write(t, dir+"/nointerpreter", "#!/no/such/interpreter\n", 0o755)
	write(t, dir+"/garbage", "\x7fELF\x00\x00garbage", 0o755)
	for name, test := range map[string]struct {
		argv []string
		dir  string
		want error
		code int
	}{
		"not in PATH":     {[]string{"nosuch"}, "", unix.ENOENT, 0},
		"not there":       {[]string{"./nosuch"}, dir, unix.ENOENT, 0},
		"not executable":  {[]string{"./plain"}, dir, unix.EACCES, 0},
		"a directory":     {[]string{dir}, "", unix.EACCES, 0},
		"no directory":    {[]string{"true"}, dir + "/none", unix.ENOENT, 0},
		"no #!":           {[]string{"./script", "1", "2", "3"}, dir, nil, 3},
		"no interpreter":  {[]string{"./nointerpreter"}, dir, nil, 127},
		"another machine": {[]string{"./garbage"}, dir, nil, 126},
	} {
		spec := sh(t, "")
		spec.Argv, spec.Dir, spec.Sockets = test.argv, test.dir, sockets
		pid, err := s.Start(spec)
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
		if err != nil {
			continue
		}
		if exit, _ := await(t, s, pid); exit.Code() != test.code {
			t.Errorf("%s ended with %d, want %d", name, exit.Code(), test.code)
		}
	}
	// Our own program is not there.
	s.config.Step = dir + "/nosuch"
	spec := sh(t, "exit 0")
	spec.Sockets = sockets
	if _, err := s.Start(spec); !errors.Is(err, unix.ENOENT) || !strings.Contains(err.Error(), "LISTEN_PID") {
		t.Errorf("with no program for the step: %v", err)
	}
}

// acknowledge says to einhorn's socket what $SAY holds, a byte at a time.
func acknowledge() {
	conn, err := net.Dial("unix", os.Getenv("EINHORN_SOCK_PATH"))
	check(err)
	for _, b := range []byte(os.Getenv("SAY")) {
		_, err = conn.Write([]byte{b})
		check(err)
	}
	conn.Close()
	time.Sleep(time.Hour) // its end would bring the notes too
}

// TestAcknowledgement: worker:ack counts as READY=1 of the slot's process,
// whoever of its tree sends it, and of nobody else.
func TestAcknowledgement(t *testing.T) {
	s, sockets := handed(t)
	speak := func(say string, words ...string) int {
		spec := mode(t, "ack")
		spec.Sockets = sockets
		spec.Env = append(spec.Env, "SAY="+say)
		spec.Argv = append(words, spec.Argv...)
		return start(t, s, spec)
	}
	const ack = `{"command":"worker:ack","pid":1}` + "\n"
	nonsense := speak("hello\n")
	direct := speak(ack)
	behind := speak("---%0Acommand: worker:ack%0A\n", "sh", "-c", `"$0"; exit`)

	// A stranger, and some that say nothing.
	path := s.acks.path
	var silent []net.Conn
	for range mostAcks + 10 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		silent = append(silent, conn)
	}
	_, _ = silent[len(silent)-1].Write([]byte(ack))

	heard := map[int]int{}
	for end := time.Now().Add(patience); (heard[direct] == 0 || heard[behind] == 0) && time.Now().Before(end); {
		for _, note := range s.Wait(end).Notes {
			if note.Text != "READY=1" {
				t.Errorf("note %q", note.Text)
			}
			heard[note.PID]++
		}
	}
	if len(heard) != 2 || heard[direct] != 1 || heard[behind] != 1 {
		t.Errorf("READY=1 of %v, want of %d and %d and nobody else (%d spoke nonsense)", heard, direct, behind, nonsense)
	}
	if n := len(s.acks.callers); n > mostAcks {
		t.Errorf("%d connections are kept", n)
	}
	for _, conn := range silent {
		conn.Close()
	}
	for range 100 { // nothing is left that would wake us again and again
		s.Wait(time.Now().Add(time.Millisecond))
	}
	if n := len(s.acks.callers); n > 0 {
		t.Errorf("%d connections are kept although they are closed", n)
	}
}

// TestInheritedBesideSockets: a socket's number is its own.
func TestInheritedBesideSockets(t *testing.T) {
	given, err := unix.Dup(2)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(given)
	s, sockets := handed(t)
	spec := sh(t, `ls -l /proc/$$/fd >"$OUT/fds"`)
	spec.InheritFiles = true
	spec.Sockets = sockets
	s.inherited = []int{3, given}
	if given == 3 {
		s.inherited = []int{3}
	}
	run(t, s, spec)
	text := content(t, spec.out("fds"))
	if !strings.Contains(text, " 3 -> socket:") {
		t.Errorf("3 is no socket:\n%s", text)
	}
	if given != 3 && !strings.Contains(text, fmt.Sprintf(" %s -> ", strconv.Itoa(given))) {
		t.Errorf("%d was not passed on:\n%s", given, text)
	}
}
