package main

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"

	"dyno/internal/control"
)

// fleet is a launcher with a control socket.
type fleet struct {
	*trial
}

func newFleet(t *testing.T, args ...string) fleet {
	t.Helper()
	tr := newTrial(t, map[string]string{"Procfile": quietable})
	f := fleet{tr}
	f.start(append([]string{"run", "--socket", "s"}, args...)...)
	return f
}

// ask runs a command of the launcher's, with its status and all it wrote.
func (f fleet) ask(args ...string) (status int, text string) {
	f.t.Helper()
	status, text, err := launcherSays(f.dir, cleanEnvironment(), append(args, "--socket", "s")...)
	if err != nil {
		f.t.Fatal(err)
	}
	return status, text
}

// wants runs a command and wants its status and words.
func (f fleet) wants(status int, words string, args ...string) {
	f.t.Helper()
	if got, text := f.ask(args...); got != status || !strings.Contains(text, words) {
		f.t.Fatalf("launcher %s: status %d, want %d with %q\n%s\n%s", strings.Join(args, " "), got, status, words, text, f.text("err"))
	}
}

func (f fleet) status() control.Status {
	f.t.Helper()
	code, text := f.ask("status", "--json")
	var s control.Status
	if err := json.Unmarshal([]byte(text), &s); code != 0 || err != nil {
		f.t.Fatalf("status %d, %v: %s", code, err, text)
	}
	return s
}

func (f fleet) process(name string) control.Process {
	f.t.Helper()
	for _, p := range f.status().Processes {
		if p.Name == name {
			return p
		}
	}
	return control.Process{}
}

// TestQuietWaitResume is a preStop hook, and a deploy that is taken back.
func TestQuietWaitResume(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "worker=2")
	f.up("up.worker.1", "up.worker.2")
	before := f.process("worker.1").PID

	f.wants(1, "not drained: worker.1, worker.2", "quiet", "--wait=300ms")
	if s := f.status(); !s.Quiet || s.Processes[0].State != "quieting" {
		t.Errorf("after quiet: %+v", s)
	}
	f.write("finish", "")
	f.wants(0, "drained in ", "quiet", "--wait=20s")
	if p := f.process("worker.2"); p.State != "down" {
		t.Errorf("drained, and then: %+v", p)
	}
	_ = os.Remove(f.path("finish"))
	f.wants(0, "resumed: worker.1, worker.2", "resume")
	f.eventually("both are back", func() bool {
		p := f.process("worker.1")
		return p.PID != before && p.Ready && f.process("worker.2").Ready
	})
	if s := f.status(); s.Quiet {
		t.Error("still quiet")
	}
	f.wants(0, "stopped", "stop", "--wait")
	f.wait(0)
}

func TestStopAndRestartByName(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "worker=2")
	f.up("up.worker.1", "up.worker.2")
	one, two := f.process("worker.1").PID, f.process("worker.2").PID
	f.wants(0, "stopped", "stop", "worker.1", "--wait")
	if p := f.process("worker.1"); p.State != "down" || p.PID != 0 {
		t.Errorf("after stop: %+v", p)
	}
	if pid := f.process("worker.2").PID; pid != two {
		t.Errorf("worker.2 is %d, and was %d", pid, two)
	}
	f.wants(0, "restarted", "restart", "worker.1", "--wait=30s")
	if p := f.process("worker.1"); p.PID == 0 || p.PID == one || !p.Ready {
		t.Errorf("after restart: %+v", p)
	}
	if pid := f.process("worker.2").PID; pid != two {
		t.Errorf("worker.2 is %d, and was %d", pid, two)
	}
	f.wants(1, "can only be shorter", "stop", "--budget", "60s")
	f.stop(0)
	f.wants(1, "no launcher serves", "status")
}

// TestRestartAborted: the reason is the command's own.
func TestRestartAborted(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "worker=1")
	f.up("up.worker.1")
	f.write("Procfile", "worker: false\n")
	f.wants(1, "restart: aborted: ", "restart", "--wait=60s")
	f.eventually("the old one is back", func() bool { return f.process("worker.1").Ready })
	f.write("Procfile", "this is none\n")
	f.wants(1, "restart: ", "restart", "--wait=60s")
	f.stop(0)
}

// TestSocketOfOneCommand: in tini's place there is none, unless it is asked for.
func TestSocketOfOneCommand(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, nil)
	tr.start("exec", "--socket", "s", "--", "sleep", "1000")
	f := fleet{tr}
	f.eventually("it answers", func() bool { code, _ := f.ask("status"); return code == 0 })
	f.wants(0, "sent TERM: sleep.1", "signal", "TERM")
	f.wait(128 + int(syscall.SIGTERM))
}
