package main

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestExecProbes: a process is ready when its command says so, goes on while it
// is not, and is replaced alone for its live probe, with what that said.
func TestExecProbes(t *testing.T) {
	asPID1AndNot(t, func(t *testing.T, pid1 bool) {
		tr := newTrial(t, map[string]string{"Procfile": "a: sleep 1000\nb: sleep 1000\n"})
		tr.pid1 = pid1
		tr.start("run", "a", "b",
			"--ready", "exec:test -f $PS.ready || { echo no file; exit 3; },period=100ms,failures=2,timeout=20s",
			"--live", "exec:cat {INDEX}.$PS.dead && echo gone >&2 && exit 1 || true,period=100ms,failures=2,timeout=20s")
		tr.says("b.1 waiting -> starting")
		tr.write("a.1.ready", "")
		tr.says("a.1 starting -> ready, exec:test -f $PS.ready")
		if strings.Contains(tr.text("err"), "b.1 starting -> ready") {
			t.Error("b.1 is ready")
		}
		tr.write("b.1.ready", "")
		tr.says("b.1 starting -> ready")
		if err := unix.Unlink(tr.path("a.1.ready")); err != nil {
			t.Fatal(err)
		}
		tr.says("a.1 is not ready any more: exec:test -f $PS.ready || { echo no file; exit 3; } failed 2 times: status 3: no file")
		tr.write("a.1.ready", "")
		tr.says("a.1 is ready again")
		tr.stop(0)
	})
}

// TestLiveExecProbe: the one that is dead is replaced, and the other goes on.
func TestLiveExecProbe(t *testing.T) {
	tr := newTrial(t, map[string]string{"Procfile": "a: sleep 1000\nb: sleep 1000\n"})
	tr.start("run", "a", "b", "--ready", "up:0s", "--live", "exec:! cat $PS.dead,period=100ms,failures=2,timeout=20s")
	tr.says("b.1 starting -> ready")
	tr.write("b.1.dead", "it hangs\n")
	tr.says("b.1 is replaced: its live probe exec:! cat $PS.dead failed 2 times: status 1: it hangs")
	_ = unix.Unlink(tr.path("b.1.dead"))
	tr.eventually("b.1 is started again", func() bool { return strings.Count(tr.text("err"), "b.1 waiting -> starting") == 2 })
	tr.stop(0)
	if strings.Count(tr.text("err"), "a.1 waiting -> starting") != 1 {
		t.Errorf("a.1 was touched:\n%s", tr.text("err"))
	}
	if strings.Contains(tr.text("out"), "it hangs") {
		t.Error("what the probe printed is in the output")
	}
}

// TestExecProbeLeavesNothing: a probe that floods and does not end is killed with
// all that it started, daemons too, and holds nobody up.
func TestExecProbeLeavesNothing(t *testing.T) {
	tr := newTrial(t, map[string]string{
		"Procfile": "a: sleep 1000\n",
		"probe.sh": "setsid sleep 999 & sleep 998 & echo >begun; exec yes flood\n",
	})
	tr.start("run", "a", "--ready", "exec:sh probe.sh,period=10s,timeout=300ms,failures=1")
	tr.up("begun")
	// The launcher answers meanwhile.
	tr.eventually("all of the probe has gone", func() bool {
		left := tr.left()
		return len(left) == 2 // the launcher and a.1
	})
	tr.stop(0)
	if text := tr.text("out"); text != "" {
		t.Errorf("the output is %.100q", text)
	}
}

// TestExecProbeThatStartsADaemon: one for each question would pile up.
func TestExecProbeThatStartsADaemon(t *testing.T) {
	tr := newTrial(t, map[string]string{
		"Procfile": "a: sleep 1000\n",
		"probe.sh": "rm -f up; setsid sh -c ': >up; exec sleep 999' >/dev/null 2>&1 &\nuntil test -e up; do sleep 0.01; done; echo >>asked\n",
	})
	tr.start("run", "a", "--ready", "exec:sh probe.sh,period=100ms,timeout=20s,successes=1000")
	tr.eventually("it was asked ten times", func() bool { return len(tr.text("asked")) >= 10 })
	tr.eventually("the daemons have gone", func() bool {
		return len(tr.left()) <= 5 // the launcher, a.1, and the last question
	})
	tr.stop(0)
}

// TestWatchdogOfAProcess: WATCHDOG_USEC is told, and one that says nothing is
// replaced.
func TestWatchdogOfAProcess(t *testing.T) {
	tr := newTrial(t, map[string]string{
		"Procfile": "a: sh a.sh\n",
		"a.sh": `echo $WATCHDOG_USEC >usec; exec env ` + childVariable + `=quietable "$TEST_BINARY"
`,
	})
	tr.start("run", "a", "--ready", "notify", "--live", "notify,timeout=500ms")
	tr.says("a.1 starting -> ready, READY=1")
	if got := tr.text("usec"); got != "500000\n" {
		t.Errorf("WATCHDOG_USEC is %q", got)
	}
	tr.says("a.1 is replaced: its live probe notify: no WATCHDOG=1 within 500ms")
	tr.stop(0)
}
