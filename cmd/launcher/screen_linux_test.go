package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Keys as a terminal sends them.
const (
	ctrlC = "\x03"
	ctrlD = "\x04"
	ctrlZ = "\x1a"
)

// screen is a pseudo-terminal with a program that leads a session on it, as a
// terminal's window has.
type screen struct {
	t      *testing.T
	dir    string // its working directory, and HOME
	cmd    *exec.Cmd
	master *os.File
	ended  chan struct{}
	drawn  chan struct{} // closed once nothing more can come

	sync.Mutex
	text string // what is not yet matched
	all  string
}

// openScreen runs words on a terminal of 24 lines and 80 columns. "launcher" on
// PATH is the one under test. env is added to what a login shell would have.
func openScreen(t *testing.T, env []string, words ...string) *screen {
	t.Helper()
	bin := filepath.Dir(launcherBinary)
	if words[0] == "launcher" {
		words[0] = launcherBinary
	}
	s := &screen{t: t, dir: t.TempDir(), ended: make(chan struct{}), drawn: make(chan struct{})}
	s.cmd = exec.Command(words[0], words[1:]...)
	s.cmd.Dir = s.dir
	s.cmd.Env = append([]string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + s.dir, "TERM=dumb", "LC_ALL=C", "PS1=> ", "HISTFILE=", "NO_COLOR=1",
	}, env...)
	master, err := pty.StartWithAttrs(s.cmd, &pty.Winsize{Rows: 24, Cols: 80}, &syscall.SysProcAttr{Setsid: true, Setctty: true})
	if err != nil {
		t.Skip("no pseudo-terminal: ", err)
	}
	s.master = interruptible(t, master)
	go s.read()
	go func() {
		_ = s.cmd.Wait()
		close(s.ended)
	}()
	t.Cleanup(s.close)
	return s
}

// interruptible replaces a file by one whose Close ends a Read that is under way.
func interruptible(t *testing.T, f *os.File) *os.File {
	t.Helper()
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), f.Name())
}

// write writes a file where the program runs.
func (s *screen) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) read() {
	defer close(s.drawn)
	buf := make([]byte, 4096)
	for {
		n, err := s.master.Read(buf)
		s.Lock()
		s.text += string(buf[:n])
		s.all += string(buf[:n])
		s.Unlock()
		if err != nil {
			return
		}
	}
}

// close closes the window. What hangs on is killed.
func (s *screen) close() {
	_ = s.master.Close()
	select {
	case <-s.ended:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

// until waits for what the programs draw after the last match.
func (s *screen) until(pattern string) string {
	s.t.Helper()
	want := regexp.MustCompile("(?m)" + pattern)
	var found string
	s.eventually(pattern+" on the screen", func() bool {
		closed := isClosed(s.drawn)
		s.Lock()
		defer s.Unlock()
		at := want.FindStringIndex(s.text)
		if at == nil {
			if closed {
				s.t.Fatalf("all has ended (%v) with no %s on the screen:\n%s", s.cmd.ProcessState, pattern, s.all)
			}
			return false
		}
		found, s.text = s.text[at[0]:at[1]], s.text[at[1]:]
		return true
	})
	return found
}

// eventually waits for what must come to be.
func (s *screen) eventually(what string, is func() bool) {
	s.t.Helper()
	if !within(patience, is) {
		s.t.Fatalf("never: %s; the screen:\n%s", what, s.shown())
	}
}

func (s *screen) shown() string {
	s.Lock()
	defer s.Unlock()
	return s.all
}

// press types keys.
func (s *screen) press(keys string) {
	s.t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Fatalf("typing %q: %v; the screen:\n%s", keys, err, s.shown())
	}
}

// enter types a line, and waits for what it draws.
func (s *screen) enter(line, pattern string) string {
	s.t.Helper()
	s.press(line + "\n")
	return s.until(pattern)
}

func (s *screen) resize(rows, columns uint16) {
	s.t.Helper()
	if err := pty.Setsize(s.master, &pty.Winsize{Rows: rows, Cols: columns}); err != nil {
		s.t.Fatal(err)
	}
}

// foreground waits until a program of this name leads the terminal's foreground
// group, and returns its pid: from then on keys such as Ctrl-C are its own.
func (s *screen) foreground(comm string) int {
	s.t.Helper()
	var group int
	s.eventually(comm+" in the foreground", func() bool {
		raw, err := s.master.SyscallConn()
		if err != nil {
			return false
		}
		_ = raw.Control(func(fd uintptr) { group, err = unix.IoctlGetInt(int(fd), unix.TIOCGPGRP) })
		return err == nil && procStatus(group)["Name"] == comm
	})
	return group
}

// exits waits for the program's end and its exit status, 128+N for a signal.
func (s *screen) exits(status int) {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("does not end; the screen:\n%s", s.shown())
	}
	if got := shellStatus(s.cmd.ProcessState); got != status {
		s.t.Fatalf("ended with %d, want %d; the screen:\n%s", got, status, s.shown())
	}
}
