package main

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// playing is a Procfile whose process is this test binary in that part.
func playing(part string) map[string]string {
	return map[string]string{
		"Procfile": "web: sh child.sh\n",
		"child.sh": childVariable + "=" + part + ` exec "$TEST_BINARY"` + "\n",
	}
}

// call connects, and gives what is answered. Nothing of it may fail.
func call(t *testing.T, network, address, word string) string {
	t.Helper()
	conn, err := net.DialTimeout(network, address, patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, word); err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(conn)
	if err != nil && word != "die" {
		t.Fatal(err)
	}
	return string(text)
}

// TestListen: two processes answer on one socket, and while none runs, because
// they crash, a caller waits and is not refused. It ends with the launcher.
func TestListen(t *testing.T) {
	asPID1AndNot(t, func(t *testing.T, pid1 bool) {
		tr := newTrial(t, playing("serve"))
		tr.pid1 = pid1
		address, _ := freeAddress(t)
		path := tr.path("app.sock")
		tr.start("run", "web=2", "--listen", "tcp://"+address+",unix:app.sock")
		tr.says("web.2 waiting -> starting")
		answered := map[string]bool{}
		tr.eventually("both answer", func() bool {
			text := call(t, "tcp", address, "who")
			pids := strings.Fields(text)
			if len(pids) != 3 || pids[0] != pids[1] {
				t.Fatalf("LISTEN_PID is not the process's own: %q", text)
			}
			answered[pids[0]] = true
			return len(answered) == 2
		})
		for range 6 {
			call(t, "tcp", address, "die")
		}
		if text := call(t, "tcp", address, "who"); text == "" || answered[strings.Fields(text)[0]] {
			t.Errorf("after the crashes: %q", text)
		}
		// The other one may be booting still, and is to end at TERM all the same.
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		tr.stop(0)
		if _, err := net.Dial("tcp", address); err == nil {
			t.Error("somebody listens still")
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("the unix socket is left")
		}
	})
}

// TestListenTakesOver: a socket whose launcher was killed is nobody's; one that
// is in use is refused before anything starts.
func TestListenTakesOver(t *testing.T) {
	tr := newTrial(t, map[string]string{"Procfile": "web: sleep 1000\n"})
	path := tr.path("app.sock")
	tr.start("run", "web", "--listen", path)
	tr.says("started")

	second := newTrial(t, playing("serve"))
	second.start("run", "web", "--listen", path)
	<-second.ended
	if code := second.cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(second.text("err"), "--listen: cannot listen on unix://") {
		t.Errorf("status %d: %s", code, second.text("err"))
	}
	tr.signal(syscall.SIGKILL)
	<-tr.ended
	tr.eventually("its child has ended with it", func() bool { return len(tr.left()) == 0 })

	third := newTrial(t, playing("serve"))
	third.start("run", "web", "--listen", path)
	third.says("started")
	if text := call(t, "unix", path, "who"); !strings.HasSuffix(text, " app.sock") {
		t.Errorf("answered: %q", text)
	}
	third.stop(0)
}

// listening is a socket as a service manager hands it over.
func listening(t *testing.T, address string) *os.File {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// TestListenFromSystemd: what a .socket unit hands to us is handed on.
func TestListenFromSystemd(t *testing.T) {
	for name, args := range map[string][]string{
		"run":  {"run", "web=2"},
		"exec": {"exec", "--", "sh", "child.sh"},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := freeAddress(t)
			file := listening(t, address)
			tr := newTrial(t, playing("serve"))
			tr.files = []*os.File{file}
			tr.before = []string{"sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=front exec "$@"`, "sh"}
			tr.start(args...)
			for range 4 {
				words := strings.Fields(call(t, "tcp", address, "who"))
				if len(words) != 3 || words[0] != words[1] || words[2] != "front" {
					t.Fatalf("answered: %q", words)
				}
			}
			tr.stop(map[string]int{"exec": 143}[name])
		})
	}
}

// TestListenAgain: a restart opens what is named new, and what is named no more
// stays open, which is said.
func TestListenAgain(t *testing.T) {
	texts := playing("serve")
	texts["launcher.toml"] = "listen = \"unix:first\"\n"
	tr := newTrial(t, texts)
	tr.start("run", "web")
	before := call(t, "unix", waitSocket(tr, "first"), "who")
	tr.write("launcher.toml", "listen = \"unix:second\"\n")
	tr.signal(syscall.SIGHUP)
	after := call(t, "unix", waitSocket(tr, "second"), "who")
	if before == after || !strings.HasSuffix(after, " second") {
		t.Errorf("answered %q, then %q", before, after)
	}
	tr.says("/first is no longer asked for; it stays open until the launcher ends")
	tr.stop(0)
	if left, _ := filepath.Glob(tr.path("*st")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// waitSocket waits until somebody listens: the file is there a moment before.
func waitSocket(tr *trial, name string) string {
	tr.t.Helper()
	tr.eventually("somebody listens at "+name, func() bool {
		conn, err := net.Dial("unix", tr.path(name))
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return tr.path(name)
}

// TestListenProgramReplaced: a process is handed its sockets although the
// launcher's own file was removed meanwhile.
func TestListenProgramReplaced(t *testing.T) {
	tr := newTrial(t, playing("serve"))
	text, err := os.ReadFile(launcherBinary)
	if err != nil {
		t.Fatal(err)
	}
	tr.binary = tr.path("launcher")
	if err := os.WriteFile(tr.binary, text, 0o755); err != nil {
		t.Fatal(err)
	}
	address, _ := freeAddress(t)
	tr.start("run", "web", "--listen", address)
	tr.says("started")
	call(t, "tcp", address, "who")
	if err := os.Remove(tr.binary); err != nil {
		t.Fatal(err)
	}
	call(t, "tcp", address, "die")
	if words := strings.Fields(call(t, "tcp", address, "who")); len(words) != 3 || words[0] != words[1] {
		t.Errorf("answered: %q", words)
	}
	tr.stop(0)
}

// TestEinhornClient: goji finds its socket as einhorn hands it over, and its
// acknowledgement makes it ready.
func TestEinhornClient(t *testing.T) {
	tr := newTrial(t, playing("einhorn"))
	address, _ := freeAddress(t)
	tr.start("run", "web=2", "--listen", address)
	tr.says("web.1 starting -> ready, READY=1")
	tr.says("web.2 starting -> ready, READY=1")
	call(t, "tcp", address, "who")
	tr.stop(0)
}
