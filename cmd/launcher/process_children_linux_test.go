package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

const stubborn = `trap '' TERM INT HUP QUIT USR1 USR2 TSTP TTIN TTOU; `

// TestDifficultChildren: whatever children do, a TERM ends all of it within the
// budget, and the exit status tells whether something had to be killed.
func TestDifficultChildren(t *testing.T) {
	up := func(tr *trial) { tr.up("up.worker.1", "up.worker.2") }
	for _, row := range []struct {
		name   string
		script string // of each of two workers
		ready  func(*trial)
		status int
	}{
		{"ignores everything", stubborn + `echo >up.$PS; while :; do sleep 1000; done`, up, 3},
		{"ends by itself", `echo >up.$PS; exec sleep 1000`, up, 0},
		{"stops itself", `echo >up.$PS; kill -STOP $$; exec sleep 1000`, func(tr *trial) {
			tr.eventually("both are stopped", func() bool {
				stopped := 0
				for _, pid := range tr.workers() {
					if procState(pid) == 'T' {
						stopped++
					}
				}
				return stopped == 2
			})
		}, 0},
		{"exits at once", `echo $PS >>up.$PS; exit 1`, func(tr *trial) {
			tr.eventually("each was started four times", func() bool {
				return strings.Count(tr.text("up.worker.1"), "\n") >= 4 && strings.Count(tr.text("up.worker.2"), "\n") >= 4
			})
		}, 0},
		{"leaves a daemon", `setsid sh -c 'echo >up.$PS; exec sleep 1000' & exec sleep 1000`, up, 0},
		{"leaves a stubborn daemon", `setsid sh -c "` + stubborn + `echo >up.$PS; while :; do sleep 1000; done" & exec sleep 1000`, up, 3},
		{"forks twice", `(setsid sh -c 'echo >up.$PS; exec sleep 1000' &); exec sleep 1000`, up, 0},
		{"forks and leaves", `(sh -c 'echo >>up.$PS; exec sleep 1000' &); sleep 0.2; exit 0`, up, 0},
		{"closes its pipes", `echo >up.$PS; exec sleep 1000 <&- >&- 2>&-`, up, 0},
		{"its daemon holds the pipes", `setsid sleep 1000 & echo >up.$PS; exec sleep 1000`, up, 0},
	} {
		for _, how := range []string{"raw", "prefix", "pid1"} {
			t.Run(row.name+"/"+how, func(t *testing.T) {
				t.Parallel()
				tr := newTrial(t, map[string]string{"Procfile": "worker: sh child.sh", "child.sh": row.script})
				log := how
				if how == "pid1" {
					needPIDNamespace(t)
					tr.pid1, log = true, "prefix"
				}
				tr.start("run", "--log", log, "worker=2")
				row.ready(tr)
				tr.stop(row.status)
			})
		}
	}
}

// TestLongLine: 10 MB with no newline come through whole.
func TestLongLine(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, map[string]string{
		"Procfile": "worker: sh child.sh",
		"child.sh": `head -c 10000000 /dev/zero | tr '\0' x; echo >up; exec sleep 1000`,
	})
	tr.start("run", "--log", "prefix", "worker=1")
	tr.up("up")
	tr.stop(0)
	if got := strings.Count(tr.text("out"), "x"); got != 10_000_000 {
		t.Errorf("%d of 10000000 bytes have come through", got)
	}
}

// TestDifficultOutput: children that write without end, to readers that do not
// read, are gone, or have no space. A TERM is heard and obeyed all the same.
func TestDifficultOutput(t *testing.T) {
	open := func(name string) func(*testing.T) *os.File {
		return func(t *testing.T) *os.File {
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err != nil {
				t.Skip(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			return f
		}
	}
	for _, out := range []struct {
		name string
		open func(*testing.T) *os.File
	}{
		{"flood", open("/dev/null")},
		{"full pipe", func(t *testing.T) *os.File { return unreadPipe(t, false) }},
		{"reader gone", func(t *testing.T) *os.File { return unreadPipe(t, true) }},
		{"no space", open("/dev/full")},
	} {
		for _, log := range []string{"raw", "prefix", "json"} {
			t.Run(out.name+"/"+log, func(t *testing.T) {
				tr := newTrial(t, map[string]string{
					"Procfile": "worker: sh child.sh",
					"child.sh": `echo >up.$PS; exec yes 'a line of a flood'`,
				})
				tr.stdout = out.open(t)
				tr.start("run", "--log", log, "worker=2")
				tr.up("up.worker.1", "up.worker.2")
				tr.stop(0)
			})
		}
	}
}

// TestStuckErrors: the launcher's own lines have nowhere to go either.
func TestStuckErrors(t *testing.T) {
	for _, gone := range []bool{false, true} {
		t.Run(fmt.Sprintf("gone=%v", gone), func(t *testing.T) {
			t.Parallel()
			tr := newTrial(t, map[string]string{
				"Procfile": "worker: sh child.sh",
				"child.sh": `echo >up.$PS; exec yes 'a line of a flood'`,
			})
			tr.stdout = unreadPipe(t, gone)
			tr.stderr = tr.stdout
			tr.start("run", "--log", "prefix", "worker=2")
			tr.up("up.worker.1", "up.worker.2")
			for range 500 {
				tr.signal(syscall.SIGTTIN)
			}
			tr.stop(0)
		})
	}
}

// TestDeadReaderDoesNotEndChildren: in prefix a reader that has gone away is the
// launcher's affair alone.
func TestDeadReaderDoesNotEndChildren(t *testing.T) {
	tr := newTrial(t, map[string]string{
		"Procfile": "worker: sh child.sh",
		"child.sh": `echo start >>starts; i=0; while [ $i -lt 2000 ]; do echo line; i=$((i+1)); done; echo >up; exec sleep 1000`,
	})
	tr.stdout = unreadPipe(t, true)
	tr.start("run", "--log", "prefix", "worker=1")
	tr.up("up")
	tr.stop(0)
	if got := strings.Count(tr.text("starts"), "\n"); got != 1 {
		t.Errorf("started %d times, want once\n%s", got, tr.text("err"))
	}
}

// TestKilledLauncher: where the launcher itself gets KILL its children end too;
// as PID 1 all goes.
func TestKilledLauncher(t *testing.T) {
	asPID1AndNot(t, func(t *testing.T, pid1 bool) {
		script := `echo >up.$PS; exec sleep 1000`
		if pid1 {
			script = `setsid sh -c "` + stubborn + `echo >daemon.$PS; while :; do sleep 1000; done" & ` + script
		}
		tr := newTrial(t, map[string]string{"Procfile": "worker: sh child.sh", "child.sh": script})
		tr.pid1 = pid1
		tr.start("run", "worker=3")
		tr.up("up.worker.1", "up.worker.2", "up.worker.3")
		if pid1 {
			tr.up("daemon.worker.1", "daemon.worker.2", "daemon.worker.3")
		}
		tr.signal(syscall.SIGKILL)
		tr.eventually("nothing is left", func() bool { return len(tr.left()) == 0 })
	})
}
