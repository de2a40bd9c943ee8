package main

import (
	"debug/elf"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// simple is a worker that says that it is up and ends at TERM.
const simple = `w: sh -c 'trap "exit 0" TERM; echo "up, uid $(id -u)"; while :; do sleep 0.05; done'` + "\n"

// openTrial is a trial with this Procfile, whose directory and launcher every user
// can reach.
func openTrial(t *testing.T, procfile string) *trial {
	t.Helper()
	tr := newTrial(t, map[string]string{"Procfile": procfile})
	for _, dir := range []string{filepath.Dir(launcherBinary), filepath.Dir(tr.dir)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(tr.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return tr
}

// after starts the launcher in the process of a shell that has run script.
func (tr *trial) after(script string, args ...string) *trial {
	tr.t.Helper()
	words := append([]string{"sh", "-ec", script + "\n" + `exec "$0" "$@"`, launcherBinary}, args...)
	tr.startWords(launcherBinary, words)
	return tr
}

// mounted is after with mounts of its own.
func (tr *trial) mounted(script string, args ...string) *trial {
	tr.t.Helper()
	needRoot(tr.t)
	flags := []string{"--mount", "--propagation", "private"}
	needNamespaces(tr.t, flags...)
	if out, err := exec.Command("unshare", append(flags, "sh", "-ec", script)...).CombinedOutput(); err != nil {
		tr.t.Skipf("%s: %v: %s", script, err, out)
	}
	words := append([]string{"unshare", "--mount", "--propagation", "private", "sh", "-ec", script + "\n" + `exec "$0" "$@"`, launcherBinary}, args...)
	tr.startWords(launcherBinary, words)
	return tr
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
}

// prints waits until the workers have printed text n times.
func (tr *trial) prints(text string, n int) {
	tr.t.Helper()
	tr.eventually(fmt.Sprintf("%d times %q on standard output", n, text), func() bool {
		return strings.Count(tr.text("out"), text) >= n
	})
}

// rests wants next to no work of the launcher in a second.
func (tr *trial) rests() {
	tr.t.Helper()
	before := statOf(tr.pid).cpu
	time.Sleep(time.Second) // in which it is measured
	if used := statOf(tr.pid).cpu - before; used > 600*time.Millisecond {
		tr.t.Errorf("%s of CPU time used in a second\n%s", used, tr.text("err"))
	}
}

func TestFullDisk(t *testing.T) {
	const chatty = `w: sh -c 'trap "echo got TERM >term; exit 0" TERM; while :; do echo a line; echo another >&2; sleep 0.01; done'` + "\n"
	for _, mode := range []string{"prefix", "raw", "json"} {
		t.Run(mode, func(t *testing.T) {
			tr := openTrial(t, chatty)
			tr.after("exec >/dev/full", "run", "w=2", "--log", mode)
			tr.says("another")
			tr.rests()
			tr.stop(0)
			if !tr.exists("term") {
				t.Error("no TERM came")
			}
		})
	}
	t.Run("both", func(t *testing.T) {
		tr := openTrial(t, chatty+"up: touch up\n")
		tr.after("exec >/dev/full 2>&1", "run", "w", "up", "--log", "prefix")
		tr.up("up")
		tr.rests()
		tr.stop(0)
	})
	t.Run("and free again", func(t *testing.T) {
		// The children hold the tmpfs: what they see is what we see by their root.
		tr := openTrial(t, chatty)
		tr.mounted("mount -t tmpfs -o size=16k none /mnt; dd if=/dev/zero of=/mnt/full bs=1k count=64 2>/dev/null || :; exec >/mnt/out",
			"run", "w=2", "--log", "prefix")
		tr.says("no space left")
		if err := os.Remove(fmt.Sprintf("/proc/%d/root/mnt/full", tr.pid)); err != nil {
			t.Fatal(err)
		}
		tr.says("works again")
		tr.stop(0)
	})
}

func TestMounts(t *testing.T) {
	for _, c := range []struct{ name, script, says string }{
		{"no proc", "mount -t tmpfs none /proc", ""},
		{"hidepid", "mount -t proc -o hidepid=2 none /proc", ""},
		{"no place for sockets", "for d in /tmp /run /dev/shm; do test ! -d $d || mount -t tmpfs -o ro none $d; done; cd /mnt", "no process gets a NOTIFY_SOCKET"},
		{"read-only root", "mount -o remount,ro,bind / / || { mount --bind / /; mount -o remount,ro,bind /; }; mount -t tmpfs -o ro none /run; cd /mnt", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := openTrial(t, simple)
			// What /tmp hides is in a place of its own.
			if err := copyFile(launcherBinary, tr.path("launcher")); err != nil {
				t.Fatal(err)
			}
			script := "mount --bind " + tr.dir + " /mnt\n" + c.script + "\n" + `set -- "$@"; test "$0" = sh || exec /mnt/launcher "$@"`
			tr.mounted(script, "run", "w=2", "-f", "/mnt/Procfile")
			tr.prints("up", 2)
			if c.says != "" {
				tr.says(c.says)
			}
			tr.rests()
			tr.stop(0)
		})
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}

// needStatic skips where the test binary needs libraries, as with the race
// detector.
func needStatic(t *testing.T) {
	t.Helper()
	f, err := elf.Open(testBinary())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			t.Skip("the test binary is not static: CGO_ENABLED=0")
		}
	}
}

func TestNoShell(t *testing.T) {
	needRoot(t)
	needStatic(t)
	needProgram(t, "chroot")
	tr := openTrial(t, "w: "+childVariable+"=shellless /child\nshell: echo $HOME | cat\n")
	for from, to := range map[string]string{launcherBinary: "launcher", testBinary(): "child"} {
		if err := copyFile(from, tr.path(to)); err != nil {
			t.Fatal(err)
		}
	}
	tr.startWords(launcherBinary, []string{"chroot", tr.dir, "/launcher", "run", "w=2"})
	tr.prints("up", 2)
	tr.stop(0)
	// What needs the shell that is missing fails, and says what is missing.
	tr.startWords(launcherBinary, []string{"chroot", tr.dir, "/launcher", "run", "shell", "--restart", "never"})
	tr.wait(127)
	if text := tr.text("err"); !strings.Contains(text, "sh") || !strings.Contains(text, "no such file") {
		t.Errorf("it says %q", text)
	}
}

func TestOtherUsers(t *testing.T) {
	needRoot(t)
	needStatic(t)
	needProgram(t, "setpriv")
	const user = "setpriv --reuid 1000 --regid 1000 --clear-groups "
	child := func(t *testing.T, before string) *trial {
		tr := openTrial(t, "w: "+before+"env "+childVariable+"=shellless ./child\n")
		if err := copyFile(testBinary(), tr.path("child")); err != nil {
			t.Fatal(err)
		}
		return tr
	}
	t.Run("launcher", func(t *testing.T) {
		tr := child(t, "")
		tr.after(`exec `+user+`"$0" "$@"`, "run", "w=2")
		tr.prints("up, uid 1000, asked: <nil>", 2)
		tr.says("READY=1")
		tr.stop(0)
	})
	t.Run("children", func(t *testing.T) {
		tr := child(t, user)
		tr.start("run", "w=2")
		tr.prints("up, uid 1000, asked: <nil>", 2)
		tr.says("READY=1")
		tr.stop(0)
	})
	t.Run("children of root, launcher not", func(t *testing.T) { // they cannot be signalled: said, and in time
		tr := child(t, "")
		if err := os.Chmod(tr.path("child"), 0o755|os.ModeSetuid); err != nil {
			t.Fatal(err)
		}
		tr.after(`exec `+user+`"$0" "$@"`, "run", "w")
		tr.eventually("it is up", func() bool { return strings.Contains(tr.text("out"), "up, uid") })
		if !strings.Contains(tr.text("out"), "up, uid 0") {
			t.Skip("set-user-ID has no effect in ", tr.dir)
		}
		begin := time.Now()
		tr.signal(syscall.SIGTERM)
		tr.awaitEnd()
		took, code, text := time.Since(begin), tr.cmd.ProcessState.ExitCode(), tr.text("err")
		if took > trialBudget+lateBy || code != 3 || !strings.Contains(text, "left behind: w.1") || !strings.Contains(text, "operation not permitted") {
			t.Errorf("after %s with %d:\n%s", took, code, text)
		}
	})
}

func TestOddStarts(t *testing.T) {
	t.Run("closed descriptors", func(t *testing.T) {
		tr := openTrial(t, `w: sh -c 'ls -l /proc/$$/fd >fds.$PS; trap "exit 0" TERM; touch up.$PS; while :; do sleep 0.05; done'`+"\n")
		tr.after("exec <&- >&- 2>&-", "run", "w=2", "--log", "prefix")
		tr.up("up.w.1", "up.w.2")
		tr.rests()
		tr.stop(0)
	})
	t.Run("deleted directory", func(t *testing.T) {
		tr := openTrial(t, simple)
		tr.after("mkdir gone; cd gone; rm -r ../gone", "run", "w", "-f", tr.path("Procfile"))
		tr.wait(2)
		if text := tr.text("err"); !strings.Contains(text, "working directory") {
			t.Errorf("it says %q", text)
		}
	})
	t.Run("directory deleted later", func(t *testing.T) { // what runs goes on; a new one is said to have no place
		tr := openTrial(t, simple)
		tr.after("mkdir work; cd work", "run", "w", "-f", tr.path("Procfile"))
		tr.prints("up", 1)
		if err := os.Remove(tr.path("work")); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(tr.workers()[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		tr.says("/work: no such file or directory")
		if err := os.Mkdir(tr.path("work"), 0o755); err != nil {
			t.Fatal(err)
		}
		tr.prints("up", 2)
		tr.stop(0)
	})
	t.Run("exec of what is no program", func(t *testing.T) {
		for words, status := range map[string]int{"/": 126, "./Procfile": 126, "./nothing": 127, "nothing-at-all": 127, "./Procfile/below": 126} {
			tr := openTrial(t, simple)
			tr.start("exec", "--", words)
			tr.wait(status)
			if text := tr.text("err"); !strings.Contains(text, strings.TrimPrefix(words, "./")) || strings.Count(text, "\n") != 1 {
				t.Errorf("%s: it says %q", words, text)
			}
		}
	})
}
