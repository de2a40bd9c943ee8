package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"dyno/internal/control"
)

// serving are the pids of those that have the slots, all of them ready.
func (f fleet) serving(n int) []int {
	f.t.Helper()
	var pids []int
	f.eventually("all are ready, and no old one is left", func() bool {
		pids = serving(f.status())
		return len(pids) == n
	})
	return pids
}

// serving are the pids of all processes, in their order; none where one is not
// ready, or an old one is left.
func serving(status control.Status) (pids []int) {
	for _, p := range status.Processes {
		if p.Old || !p.Ready {
			return nil
		}
		pids = append(pids, p.PID)
	}
	return pids
}

// TestBadDeploys: none of them costs a process that works.
func TestBadDeploys(t *testing.T) {
	t.Parallel()
	f := newFleet(t, "worker=2", "-e", "vars", "--ready-timeout", "2s")
	f.wait(2) // no file of variables
	f.write("vars", "A=1\n")
	f.start("run", "--socket", "s", "worker=2", "-e", "vars", "--ready-timeout", "2s")
	f.up("up.worker.1", "up.worker.2")
	old := f.serving(2)
	for _, bad := range []struct{ what, procfile, words string }{
		{"does not boot", "worker: exit 3\n", "aborted: the new worker.1 ended before it was ready: ended by itself, status 3"},
		{"is never ready", "worker: sleep 1000\n", "aborted: worker.1 was not ready within 2s"},
		{"is not there", "worker: ./no-such-worker\n", "aborted: the new worker.1 cannot be started: ./no-such-worker: no such file"},
		{"is no Procfile", "worker\nwhat is this\n", "Procfile:1"},
	} {
		f.write("Procfile", bad.procfile)
		f.wants(1, bad.words, "restart", "--wait=30s")
		if now := f.serving(2); now[0] != old[0] || now[1] != old[1] {
			t.Errorf("%s: they were %v, are %v\n%s", bad.what, old, now, f.text("err"))
		}
	}
	f.write("Procfile", quietable)
	_ = os.Remove(f.path("vars"))
	f.wants(1, "vars", "restart", "--wait=30s")
	if now := f.serving(2); now[0] != old[0] || now[1] != old[1] {
		t.Errorf("no file of variables: they were %v, are %v", old, now)
	}
	f.write("vars", "A=1\n")

	// One that is ready, and dies: what was quieted for it is made up for.
	f.write("Procfile", "worker: "+childVariable+"=ready $TEST_BINARY; sleep 1; exit 4\n")
	f.wants(1, "did not last: ended by itself, status 4", "restart", "--wait=30s")
	for _, pid := range f.serving(2) {
		if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); exe != testBinary() {
			t.Errorf("pid %d is %q", pid, exe)
		}
	}
	if status := f.status(); !strings.HasPrefix(status.Restart, "aborted: ") {
		t.Errorf("status says %q", status.Restart)
	}
	f.stop(0)
}

// TestCapistrano is the order of a deploy with a link: quiet, the link moves, an
// old one crashes, restart, rollback.
func TestCapistrano(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, nil)
	for _, release := range []string{"one", "two"} {
		if err := os.MkdirAll(tr.path("releases/"+release), 0o755); err != nil {
			t.Fatal(err)
		}
		tr.write("releases/"+release+"/Procfile", quietable)
		tr.write("releases/"+release+"/REVISION", "rev-"+release+"\n")
	}
	link := func(release string) {
		t.Helper()
		if err := os.Symlink("releases/"+release, tr.path("next")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tr.path("next"), tr.path("current")); err != nil {
			t.Fatal(err)
		}
	}
	link("one")
	tr.before = []string{"sh", "-c", `cd current && exec "$@"`, "sh"}
	f := fleet{tr}
	f.start("run", "--socket", "../../s", "worker=2")
	f.up("releases/one/up.worker.1", "releases/one/up.worker.2")
	from := func(release string) []control.Process {
		t.Helper()
		f.serving(2)
		all := f.status().Processes
		for _, p := range all {
			if !strings.HasSuffix(p.Dir, "/releases/"+release) || p.Revision != "rev-"+release {
				t.Fatalf("want all from %s: %+v\n%s", release, all, f.text("err"))
			}
		}
		return all
	}
	before := from("one")

	// A crash is never half a deploy.
	link("two")
	kill(t, before[0].PID)
	f.eventually("the crash is made up for", func() bool {
		p := f.process("worker.1")
		return p.PID != before[0].PID && p.Ready
	})
	from("one")

	// Quieted, it stays down.
	f.wants(0, "quieted", "quiet")
	kill(t, before[1].PID)
	f.eventually("it is down", func() bool { return f.process("worker.2").State == "down" })

	status, text := f.ask("restart", "--wait=60s")
	for _, words := range []string{" ready\n", " draining\n", " gone\n", "prove themselves", "restarted"} {
		if status != 0 || !strings.Contains(text, words) {
			t.Errorf("restart --wait: status %d, no %q in\n%s\n%s", status, words, text, f.text("err"))
		}
	}
	from("two")
	if _, text := f.ask("status"); !strings.Contains(text, "REVISION") || !strings.Contains(text, "rev-two") {
		t.Errorf("status shows no revision:\n%s", text)
	}

	link("one")
	f.wants(0, "restarting", "restart")
	f.eventually("the rollback", func() bool {
		p, q := f.process("worker.1"), f.process("worker.2")
		return p.Ready && q.Ready && p.Revision == "rev-one" && q.Revision == "rev-one"
	})

	// The next deploy need not wait until the new ones have proved themselves.
	link("two")
	f.wants(0, "another one follows", "restart", "--wait=60s")
	from("two")
	f.stop(0)
}

// TestDirectoryGone: a release that was cleaned away is not the end.
func TestDirectoryGone(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, nil)
	for _, release := range []string{"one", "two"} {
		if err := os.MkdirAll(tr.path(release), 0o755); err != nil {
			t.Fatal(err)
		}
		tr.write(release+"/Procfile", quietable)
	}
	if err := os.Symlink("one", tr.path("current")); err != nil {
		t.Fatal(err)
	}
	tr.before = []string{"sh", "-c", `cd current && exec "$@"`, "sh"}
	f := fleet{tr}
	f.start("run", "--socket", "none", "worker=1")
	f.up("one/up.worker.1")
	if err := os.RemoveAll(tr.path("one")); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(tr.path("current"))
	if err := os.Symlink("two", tr.path("current")); err != nil {
		t.Fatal(err)
	}
	f.eventually("there is one", func() bool { return len(f.workers()) == 1 })
	kill(t, f.workers()[0])
	f.says("its directory " + f.path("one") + " is gone")
	f.up("two/up.worker.1")
	f.stop(0)
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
