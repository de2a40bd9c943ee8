package main

import (
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestBursts: thousands of signals neither end nor freeze anything, and TERM is
// heard after them.
func TestBursts(t *testing.T) {
	asPID1AndNot(t, func(t *testing.T, pid1 bool) {
		tr := newTrial(t, map[string]string{"Procfile": "worker: sh child.sh", "child.sh": `echo >up.$PS; exec sleep 1000`})
		tr.pid1 = pid1
		tr.start("run", "worker=2")
		tr.up("up.worker.1", "up.worker.2")
		for range 1000 {
			for _, sig := range []syscall.Signal{syscall.SIGUSR2, syscall.SIGTTIN, syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGURG, syscall.SIGPIPE, syscall.SIGCHLD} {
				tr.signal(sig)
			}
		}
		// CONT discards each TTIN that is still pending (P46), so this one comes last.
		tr.eventually("TTIN is heard", func() bool {
			tr.signal(syscall.SIGTTIN)
			return strings.Contains(tr.text("err"), "worker.2 status:")
		})
		tr.notFrozen(2)
		for range 1000 {
			tr.signal(syscall.SIGHUP)
		}
		tr.stop(0)
	})
}

// notFrozen wants the launcher and so many children of it awake.
func (tr *trial) notFrozen(count int) {
	tr.t.Helper()
	workers := tr.workers()
	if len(workers) != count {
		tr.t.Errorf("%d children, want %d\n%s", len(workers), count, tr.text("err"))
	}
	for _, pid := range append(workers, tr.pid) {
		if state := procState(pid); state == 'T' || state == 't' {
			tr.t.Errorf("pid %d is frozen\n%s", pid, tr.text("err"))
		}
	}
}

// TestStopSignalsOfTerminals: none of them freezes the launcher, and TSTP is the
// quiet; a STOP, which nobody can help, is over with CONT.
func TestStopSignalsOfTerminals(t *testing.T) {
	tr := newTrial(t, map[string]string{"Procfile": "worker: sh child.sh", "child.sh": `echo >up.$PS; exec sleep 1000`})
	tr.start("run", "worker=2")
	tr.up("up.worker.1", "up.worker.2")
	for range 200 {
		for _, sig := range []syscall.Signal{syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGTSTP} {
			tr.signal(sig)
		}
	}
	tr.says("worker.2 status:")
	tr.notFrozen(2)
	tr.signal(syscall.SIGSTOP)
	tr.eventually("it is stopped", func() bool { return procState(tr.pid) == 'T' })
	tr.signal(syscall.SIGTERM)
	tr.signal(syscall.SIGCONT)
	tr.wait(0)
}

// TestNohup: HUP and INT that were ignored stay so; children have the default
// dispositions and no signal blocked.
func TestNohup(t *testing.T) {
	tr := newTrial(t, map[string]string{"Procfile": "worker: sleep 1000"})
	tr.before = []string{"sh", "-c", `trap '' HUP INT QUIT TSTP PIPE; exec "$@"`, "sh"}
	tr.start("run", "worker=2")
	tr.eventually("both run", func() bool { return len(tr.asleep()) == 2 })
	before := tr.workers()
	for _, pid := range before {
		status := procStatus(pid)
		for _, name := range []string{"SigIgn", "SigBlk"} {
			mask, err := strconv.ParseUint(status[name], 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			// 32 to 34 are the C library's: nobody can set them to their default.
			if mask &^= 7 << 31; mask != 0 {
				t.Errorf("%s of a child is %016x, want nothing", name, mask)
			}
		}
	}
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTTIN} {
		tr.signal(sig)
	}
	tr.says("worker.2 status:")
	if after := tr.workers(); !slices.Equal(before, after) {
		t.Errorf("children were %v, are %v\n%s", before, after, tr.text("err"))
	}
	if text := tr.text("err"); strings.Contains(text, "stopping") || strings.Contains(text, "restart") {
		t.Errorf("HUP or INT was not ignored\n%s", text)
	}
	tr.stop(0)
	if text := tr.text("err"); !strings.Contains(text, "asked by TERM") {
		t.Errorf("it was not TERM that stopped it\n%s", text)
	}
}

// TestRestartByHUP: a broken Procfile changes nothing; a changed command runs; one
// that fails is taken away again.
func TestRestartByHUP(t *testing.T) {
	if hupIgnored {
		t.Skip("HUP is ignored here")
	}
	t.Parallel()
	tr := newTrial(t, map[string]string{
		"Procfile": "worker: sh child.sh one",
		"child.sh": `[ "$1" != bad ] || exit 1
` + childVariable + `=ready "$TEST_BINARY" || exit 9
echo "$1" >>ran.$PS; exec sleep 1000`,
	})
	tr.start("run", "worker=2")
	tr.eventually("both are ready", func() bool { return strings.Count(tr.text("err"), "-> ready") == 2 && len(tr.asleep()) == 2 })
	first := tr.workers()

	tr.write("Procfile", "worker sh child.sh two\n")
	tr.signal(syscall.SIGHUP)
	tr.says("no restart, everything goes on as it was")
	if now := tr.workers(); !slices.Equal(first, now) {
		t.Errorf("children were %v, are %v\n%s", first, now, tr.text("err"))
	}

	tr.write("Procfile", "worker: sh child.sh two\n")
	tr.signal(syscall.SIGHUP)
	tr.says("restart: all processes are replaced")
	tr.ran("one\ntwo\n")
	tr.eventually("the old ones are gone", func() bool { return len(tr.workers()) == 2 && len(tr.asleep()) == 2 })
	second := tr.workers()
	// Asked for while the one before proves itself, it follows that.
	tr.write("Procfile", "worker: sh child.sh bad\n")
	tr.signal(syscall.SIGHUP)
	tr.says("restart aborted")
	tr.says("restart: what ran before runs on")
	if now := tr.workers(); !slices.Equal(second, now) {
		t.Errorf("a restart that failed touched them: children were %v, are %v\n%s", second, now, tr.text("err"))
	}
	tr.stop(0)
}

// ran wants what both workers were started with so far.
func (tr *trial) ran(want string) {
	tr.t.Helper()
	for _, name := range []string{"ran.worker.1", "ran.worker.2"} {
		tr.eventually(name+" is "+want, func() bool { return tr.text(name) == want })
	}
}
