package main

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOrphans: two thousand are adopted and reaped, and the exits of workers are
// not lost among them.
func TestOrphans(t *testing.T) {
	asPID1AndNot(t, func(t *testing.T, pid1 bool) {
		tr := newTrial(t, map[string]string{
			"Procfile":   "orphans: sh orphans.sh\nexits: sh exits.sh",
			"orphans.sh": `i=0; while [ $i -lt 1000 ]; do (: &); i=$((i+1)); done; echo >done.$PS; exec sleep 1000`,
			"exits.sh":   `echo $PS >>runs.$PS; [ $(wc -l <runs.$PS) -ge 4 ] || exit 7; echo >up.$PS; exec sleep 1000`,
		})
		tr.pid1 = pid1
		tr.start("run", "orphans=2", "exits=5")
		tr.up("done.orphans.1", "done.orphans.2")
		for slot := 1; slot <= 5; slot++ {
			tr.up(fmt.Sprintf("up.exits.%d", slot))
		}
		tr.eventually("no zombie is left", func() bool { return len(tr.zombies()) == 0 })
		tr.eventually("only the seven run", func() bool { return len(tr.workers()) == 7 })
		if got := strings.Count(tr.text("err"), "ended by itself, status 7"); got != 15 {
			t.Errorf("%d exits were told of, want 15\n%s", got, tr.text("err"))
		}
		tr.stop(0)
	})
}

// TestExecStatus: exec of one process ends as that does.
func TestExecStatus(t *testing.T) {
	asPID1AndNot(t, func(t *testing.T, pid1 bool) {
		for _, row := range []struct {
			command []string
			status  int
		}{
			{[]string{"true"}, 0},
			{[]string{"sh", "-c", "exit 7"}, 7},
			{[]string{"sh", "-c", "exit 255"}, 255},
			{[]string{"sh", "-c", "kill -KILL $$"}, 128 + 9},
			{[]string{"sh", "-c", "kill -TERM $$"}, 128 + 15},
			{[]string{"./text"}, 126},
			{[]string{"./nothing"}, 127},
			{[]string{"no-such-program"}, 127},
		} {
			tr := newTrial(t, map[string]string{"text": "not a program"})
			tr.pid1 = pid1
			words := append([]string{launcherBinary, "exec", "--"}, row.command...)
			if pid1 {
				words = slices.Concat(unshared, words)
			}
			cmd := exec.Command(words[0], words[1:]...)
			cmd.Dir, cmd.Env = tr.dir, cleanEnvironment()
			out, _ := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != row.status {
				t.Errorf("exec -- %q: status %d, want %d\n%s", row.command, got, row.status, out)
			}
		}
	})
}

// TestExecLeavesNoDaemon: what the command left behind is told to end, and the
// status is the command's own.
func TestExecLeavesNoDaemon(t *testing.T) {
	asPID1AndNot(t, func(t *testing.T, pid1 bool) {
		tr := newTrial(t, map[string]string{
			"command.sh": `(setsid sh daemon.sh &); until [ -e up ]; do sleep 0.01; done; exit 4`,
			"daemon.sh":  `trap 'echo >got; exit 0' TERM; echo >up; while :; do sleep 0.05; done`,
		})
		tr.pid1 = pid1
		tr.start("exec", "--", "sh", "command.sh")
		tr.wait(4)
		if !tr.exists("got") {
			t.Errorf("the daemon got no TERM\n%s", tr.text("err"))
		}
	})
}

// TestNested: a launcher below a launcher gets one TERM and passes one on.
func TestNested(t *testing.T) {
	tr := newTrial(t, map[string]string{
		"Procfile":  "worker: sh nested.sh",
		"nested.sh": "exec " + launcherBinary + " exec -- sh inner.sh",
		"inner.sh":  `trap 'echo TERM >>terms; exit 0' TERM; echo >>starts; echo >up; while :; do sleep 0.05; done`,
	})
	tr.start("run", "worker=1")
	tr.up("up")
	tr.stop(0)
	if got := tr.text("terms"); got != "TERM\n" {
		t.Errorf("it got %q, want one TERM\n%s", got, tr.text("err"))
	}
	if got := tr.text("starts"); got != "\n" {
		t.Errorf("it was started %d times, want once\n%s", len(got), tr.text("err"))
	}
}

// TestNone: of no process nothing is waited for.
func TestNone(t *testing.T) {
	asPID1AndNot(t, func(t *testing.T, pid1 bool) {
		tr := newTrial(t, map[string]string{"Procfile": "worker: sh child.sh\nclock: sh child.sh", "child.sh": `echo >up.$PS; exec sleep 1000`})
		tr.pid1 = pid1
		tr.start("run", "worker=0", "clock=1")
		tr.up("up.clock.1")
		tr.stop(0)
		if tr.exists("up.worker.1") {
			t.Error("a worker was started")
		}
	})
}

// TestThreeHundred: as many are started, each once, and stopped.
func TestThreeHundred(t *testing.T) {
	tr := newTrial(t, map[string]string{"Procfile": "worker: sleep 1000"})
	tr.start("run", "--budget", "10s", "worker=300")
	tr.eventually("300 run", func() bool { return len(tr.workers()) == 300 })
	if got := len(tr.left()); got != 301 {
		t.Errorf("the test sees %d processes, want 301", got)
	}
	tr.signal(syscall.SIGTERM)
	tr.wait(0)
	if got := strings.Count(tr.text("err"), "-> starting"); got != 300 {
		t.Errorf("%d starts, want 300", got)
	}
}

// TestChaosKills: workers that get KILL at random moments always come back.
func TestChaosKills(t *testing.T) {
	const count, kills = 4, 12
	seed := uint64(20261121)
	if chaos() {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	luck := rand.New(rand.NewPCG(seed, 1))
	tr := newTrial(t, map[string]string{"Procfile": "worker: sleep 1000"})
	tr.start("run", fmt.Sprintf("worker=%d", count))
	all := func() bool { return len(tr.workers()) == count }
	tr.eventually("all run", all)
	for range kills {
		// A random moment, of a start, an end, a wait or none of these.
		time.Sleep(time.Duration(luck.IntN(400)) * time.Millisecond)
		if running := tr.workers(); len(running) > 0 {
			_ = syscall.Kill(running[luck.IntN(len(running))], syscall.SIGKILL)
		}
	}
	tr.eventually("all run again", all)
	tr.eventually("all are known to run", func() bool {
		return strings.Count(tr.text("err"), "-> starting")-strings.Count(tr.text("err"), "-> waiting") == count
	})
	tr.stop(0)
}
