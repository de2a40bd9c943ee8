package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// chaos tells whether every moment is to be tried; else it is a sample.
func chaos() bool { return os.Getenv("CHAOS") != "" }

// moments are those after the start at which TERM is sent.
func moments() []time.Duration {
	var all []time.Duration
	for ms := 1; ms <= 100; ms++ {
		all = append(all, time.Duration(ms)*time.Millisecond)
	}
	if chaos() {
		return all
	}
	luck := rand.New(rand.NewPCG(20261121, 2))
	luck.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	// The first milliseconds are where something may go wrong.
	return append(slices.Clone(all[:9]), 3*time.Millisecond, 5*time.Millisecond, 8*time.Millisecond)
}

// TestChaosTermAtAnyMoment: a TERM after the launcher's first line is not lost,
// and none at all where it is not PID 1.
func TestChaosTermAtAnyMoment(t *testing.T) {
	asPID1AndNot(t, func(t *testing.T, pid1 bool) {
		lost := 0
		for _, moment := range moments() {
			tr := newTrial(t, map[string]string{"Procfile": "worker: sh child.sh", "child.sh": `exec sleep 1000`})
			tr.pid1 = pid1
			tr.start("run", "worker=3")
			time.Sleep(moment) // what is tried, not what is waited for
			spoke := tr.text("err") != ""
			begin := time.Now()
			tr.signal(syscall.SIGTERM)
			select {
			case <-tr.ended:
			case <-time.After(trialBudget + lateBy):
				if !pid1 || spoke {
					t.Fatalf("TERM after %s was lost\n%s", moment, tr.text("err"))
				}
				lost++
				begin = time.Now()
				tr.signal(syscall.SIGTERM)
			}
			tr.endedBy(begin)
		}
		t.Logf("%d of %d were lost before the first line", lost, len(moments()))
	})
}

// endedBy wants an end as asked: by the launcher itself, or, before it had its
// handlers, by the signal or as a Go program ends of it (P25).
func (tr *trial) endedBy(begin time.Time) {
	tr.t.Helper()
	tr.awaitEnd()
	tr.inTime(begin)
	ws := tr.cmd.ProcessState.Sys().(syscall.WaitStatus)
	silent := tr.text("err") == ""
	if code := ws.ExitStatus(); code != 0 && (!silent || !ws.Signaled() && code != 2) {
		tr.t.Errorf("%v\n%s", tr.cmd.ProcessState, tr.text("err"))
	}
	tr.nothingLeft()
}

// minimal is the least that a Go program can do to hear TERM.
const minimal = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTERM)
	<-c
}
`

// TestChaosFirstMoments: as PID 1 a TERM before there are handlers is lost by any
// Go program (P50). The launcher loses about as many as the least of them.
func TestChaosFirstMoments(t *testing.T) {
	needPIDNamespace(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "minimal")
	if err := os.WriteFile(program+".go", []byte(minimal), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := goBuild("-o", program, program+".go"); err != nil {
		t.Fatal(err)
	}
	var least, ours []*trial
	for try := range 33 {
		moment := time.Duration(try%11) * time.Millisecond
		least = append(least, firstMoment(t, program, moment))
		ours = append(ours, firstMoment(t, launcherBinary, moment, "run", "worker=1"))
	}
	time.Sleep(trialBudget) // whoever has heard has ended by then
	l, o := deaf(least), deaf(ours)
	t.Logf("of %d the minimal program lost %d, the launcher %d", len(ours), l, o)
	if o > l+8 {
		t.Errorf("of %d the launcher lost %d, a minimal Go program %d", len(ours), o, l)
	}
}

// firstMoment starts a program as PID 1 and sends it TERM so long after its exec.
func firstMoment(t *testing.T, program string, moment time.Duration, args ...string) *trial {
	t.Helper()
	tr := newTrial(t, map[string]string{"Procfile": "worker: sleep 1000"})
	tr.pid1 = true
	tr.startWords(program, slices.Concat(unshared, []string{program}, args))
	for begin := time.Now(); time.Since(begin) < moment; { // a timer is late by as much as is measured
	}
	_ = syscall.Kill(tr.pid, syscall.SIGTERM)
	return tr
}

// deaf counts those that have not ended.
func deaf(all []*trial) int {
	count := 0
	for _, tr := range all {
		if !isClosed(tr.ended) {
			count++
		}
	}
	return count
}
