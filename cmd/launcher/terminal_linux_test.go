package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// bash with none of the machine's own settings.
const bash = "bash --norc --noprofile"

// needProgram fails where a program is missing: no test is left out for want of
// one.
func needProgram(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%v: .ci/setup installs it on Debian", err)
		}
	}
}

// needNamespaces skips where unshare(1) may not do what flags ask for.
func needNamespaces(t *testing.T, flags ...string) {
	t.Helper()
	needProgram(t, "unshare")
	if out, err := exec.Command("unshare", slices.Concat(flags, []string{"true"})...).CombinedOutput(); err != nil {
		t.Skipf("unshare %s: %v: %s", strings.Join(flags, " "), err, out)
	}
}

// TestShellOnTerminal: `launcher exec -- bash` is a shell as any other, wherever
// the launcher stands in the tree of processes.
func TestShellOnTerminal(t *testing.T) {
	needProgram(t, "bash", "stty")
	exec := strings.Fields("launcher exec -- " + bash)
	t.Run("leads the session", func(t *testing.T) { // its group is an orphaned one
		s := openScreen(t, nil, exec...)
		isUsable(s)
		s.press("exit 7\n")
		s.exits(7)
	})
	t.Run("job of a shell", func(t *testing.T) {
		s := openScreen(t, nil, strings.Fields(bash)...)
		s.press(strings.Join(exec, " ") + "\n")
		isUsable(s)
		s.enter("suspend", `Stopped.*launcher exec`)
		s.enter("echo out$((6*7))", `^out42`)
		s.press("fg\n")
		s.enter("echo in$((6*7)) $WITHIN_LAUNCHER", `^in42 [0-9]+`)
		s.press("exit 7\n")
		s.enter("echo status$?", `^status7`)
		s.press("exit 0\n")
		s.exits(0)
	})
	t.Run("PID 1 in the session of another", func(t *testing.T) {
		unshare := strings.Fields("unshare --fork --pid --mount-proc")
		needNamespaces(t, unshare[1:]...)
		s := openScreen(t, nil, slices.Concat(unshare, []string{launcherBinary}, exec[1:])...)
		s.enter("echo parent$PPID", `^parent1\r`)
		isUsable(s)
		s.press("exit 7\n")
		s.exits(7)
	})
	t.Run("PID 1 with a session of its own", func(t *testing.T) { // as runc has it
		unshare := strings.Fields("unshare --fork --pid --mount-proc setsid --ctty")
		needNamespaces(t, unshare[1:4]...)
		s := openScreen(t, nil, slices.Concat(unshare, []string{launcherBinary}, exec[1:])...)
		s.enter("echo parent$PPID", `^parent1\r`)
		isUsable(s)
		s.press("suspend\n") // nobody could continue us: it is continued
		s.enter("echo still$((6*7))", `^still42`)
		s.press("exit 7\n")
		s.exits(7)
	})
}

// isUsable works with the shell on s.
func isUsable(s *screen) {
	s.t.Helper()
	s.enter("echo shell$((6*7))", `^shell42`)
	s.enter("stty size", `^24 80`)
	s.enter(`sh -c 'trap "stty size; exit" WINCH; echo u""p; while :; do sleep 0.02; done'`, `^up`)
	s.resize(30, 100)
	s.until(`^30 100`)

	s.press("sleep 1000\n")
	s.foreground("sleep")
	s.press(ctrlC)
	s.foreground("bash") // what is typed before is lost: Ctrl-C empties the input
	s.enter("echo status$?", `^status130`)

	s.press("sleep 1001\n")
	s.foreground("sleep")
	s.press(ctrlZ)
	s.until(`Stopped +sleep 1001`)
	s.enter("jobs", `Stopped +sleep 1001`)
	s.enter("bg; jobs", `Running +sleep 1001`)
	s.press("fg\n")
	s.foreground("sleep")
	s.press(ctrlC)
	s.foreground("bash")
	s.enter("echo status$?", `^status130`)

	s.enter("sleep 1002 & jobs", `Running +sleep 1002`)
	s.press("fg\n")
	s.foreground("sleep")
	s.press(ctrlZ)
	s.until(`Stopped +sleep 1002`)
	s.press("fg\n")
	s.foreground("sleep")
	s.press(ctrlC)
	s.foreground("bash")
	s.enter("jobs; echo done$((6*7))", `^done42`)
}

// TestSuspendedWithItsChild: Ctrl-Z stops the launcher with what it runs, so
// that the shell takes over; fg and bg bring both back.
func TestSuspendedWithItsChild(t *testing.T) {
	needProgram(t, "bash")
	s := openScreen(t, nil, strings.Fields(bash)...)
	s.press("launcher exec -- cat\n")
	cat := s.foreground("cat")
	launcher := statOf(cat).parent
	s.enter("one", `one\r\none`)
	for range 3 {
		s.press(ctrlZ)
		s.until(`Stopped +launcher exec -- cat`)
		s.foreground("bash")
		if state := procState(launcher); state != 'T' {
			t.Errorf("the launcher is in state %c, cat in %c", state, procState(cat))
		}
		s.enter("echo shell$((6*7))", `^shell42`)
		// In the background it stops again, for want of the terminal.
		s.press("bg\n")
		s.stops()
		s.press("fg\n")
		s.foreground("cat")
		s.enter("two", `two\r\ntwo`)
	}
	s.press(ctrlD)
	s.foreground("bash")
	s.enter("echo status$?", `^status0`)

	// Started in the background it waits there.
	s.press("launcher exec -- cat &\n")
	s.stops()
	s.press("fg\n")
	s.foreground("cat")
	s.enter("three", `three\r\nthree`)
	s.press(ctrlC)
	s.foreground("bash")
	s.enter("echo status$?", `^status130`)
	s.press("exit 0\n")
	s.exits(0)
}

// stops waits until the shell on s sees its only job stopped.
func (s *screen) stops() {
	s.t.Helper()
	for end := time.Now().Add(patience); ; {
		if strings.Contains(s.enter("jobs; echo said$((6*7))", `(?s).*^said42`), "Stopped") {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("the job does not stop:\n%s", s.shown())
		}
	}
}

// TestOrphanLeavesTheTerminal: a launcher in the background whose shell is gone
// does not take the terminal from the shell that has it (P48).
func TestOrphanLeavesTheTerminal(t *testing.T) {
	needProgram(t, "bash")
	s := openScreen(t, nil, strings.Fields(bash)...)
	// The inner shell has no job control, so that both are in one group, and
	// ends at once. The file says when the launcher has ended.
	s.enter("(sh -c 'launcher exec -- cat </dev/tty; echo status$? >ended' &) ; echo shell$((6*7))", `^shell42`)
	shell := s.foreground("bash")
	ended := filepath.Join(s.dir, "ended")
	for i := range 20 {
		s.enter("echo here"+strconv.Itoa(i)+"$((6*7))", `^here`+strconv.Itoa(i)+`42`)
		if s.foreground("bash") != shell {
			t.Fatalf("the shell has lost the terminal:\n%s", s.shown())
		}
	}
	if _, err := os.Stat(ended); err != nil { // it waits for a terminal it cannot have: closing the window ends it
		s.press("exit 0\n")
		s.exits(0)
		_ = s.master.Close()
	}
	s.eventually("the launcher has ended", func() bool { _, err := os.Stat(ended); return err == nil })
}

// windowWorker says when it is up, and at TERM what it got, to a file too.
const windowWorker = `worker: bash -c 'trap "echo got TERM | tee -a terms; exit" TERM; echo u""p; while :; do sleep 0.02; done'` + "\n"

// openRun is `launcher run worker` in a window, with this Procfile.
func openRun(t *testing.T, procfile, count string) *screen {
	t.Helper()
	needProgram(t, "bash")
	s := openScreen(t, []string{"COUNT=" + count}, strings.Fields(bash)...)
	s.write("Procfile", procfile)
	s.press("exec launcher run worker\n")
	return s
}

// TestRunStoppedOnTerminal: Ctrl-C and a window that is closed stop all; Ctrl-Z does
// not freeze it.
func TestRunStoppedOnTerminal(t *testing.T) {
	t.Run("Ctrl-C", func(t *testing.T) {
		s := openRun(t, windowWorker, "2")
		for range 2 {
			s.until(`^worker\.\d \| up`)
		}
		s.press(ctrlC)
		s.until(`stopping: .*INT`)
		line := s.until(`launcher: stopped in .*`)
		if strings.Contains(line, "TSTP") || !strings.Contains(line, "TERM 0.0") {
			t.Errorf("there was a quiet phase: %s", line)
		}
		s.exits(0)
	})
	t.Run("second Ctrl-C", func(t *testing.T) {
		s := openRun(t, "worker: sh -c 'trap \"echo still he\"\"re\" TERM; echo u\"\"p; while :; do sleep 0.02; done'\n", "1")
		s.until(`^worker\.1 \| up`)
		s.press(ctrlC)
		s.until(`still here`)
		begin := time.Now()
		s.press(ctrlC)
		s.exits(3)
		if took := time.Since(begin); took > 7*time.Second {
			t.Errorf("the second Ctrl-C took %s", took)
		}
	})
	t.Run("Ctrl-Z", func(t *testing.T) {
		s := openRun(t, `worker: sh -c 'echo u""p; while :; do sleep 0.02; test -e more && echo more; done'`+"\n", "1")
		s.until(`^worker\.1 \| up`)
		s.press(ctrlZ)
		s.until(`launcher: TSTP does nothing on a terminal`)
		s.write("more", "")
		s.until(`^worker\.1 \| more`)
		s.press(ctrlC)
		s.exits(0)
	})
	t.Run("window closed", func(t *testing.T) {
		s := openRun(t, windowWorker, "2")
		for range 2 {
			s.until(`^worker\.\d \| up`)
		}
		_ = s.master.Close()
		s.exits(0)
		terms, _ := os.ReadFile(filepath.Join(s.dir, "terms"))
		if strings.Count(string(terms), "got TERM") != 2 {
			t.Errorf("the workers say %q", terms)
		}
	})
}

// TestRunLeavesTheTerminal: what children may read of it, and that none takes it.
func TestRunLeavesTheTerminal(t *testing.T) {
	t.Run("a child that wants the terminal", func(t *testing.T) {
		// Alone it has the terminal as its input, but can take no control of it.
		s := openRun(t, `worker: bash -c '(exec 3</dev/tty) && echo has a tty; bash -i -c "echo inter""active"; read -r x; echo "read <$x>"; sleep 1000'`+"\n", "1")
		s.until(`interactive`)
		launcher := s.foreground("launcher")
		s.enter("a line", `read <a line>`)
		if strings.Contains(s.shown(), "has a tty") {
			t.Errorf("the child has our terminal:\n%s", s.shown())
		}
		if s.foreground("launcher") != launcher {
			t.Error("the child took the foreground")
		}
		s.press(ctrlC)
		s.exits(0)
	})
	t.Run("several children read", func(t *testing.T) {
		s := openRun(t, "worker: sh -c 'echo u\"\"p; read -r x; echo ended \"<$x>\"'\n", "2")
		for range 2 {
			s.until(`^worker\.\d \| up`)
		}
		s.press("a line\n")
		s.press(ctrlC)
		s.exits(0)
		if strings.Contains(s.shown(), "ended <") {
			t.Errorf("input came or ended:\n%s", s.shown())
		}
	})
}
