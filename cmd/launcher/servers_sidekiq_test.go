package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSidekiqTwoHundredJobs: three Sidekiqs under 25 jobs a second, TERM in the
// middle, and started again. All 200 are done, none twice, none lost; also where
// the platform sends TERM to every process itself, once or twice (FACTS 7).
func TestSidekiqTwoHundredJobs(t *testing.T) {
	if testing.Short() {
		t.Skip("real servers take a while")
	}
	for _, row := range []struct {
		name string
		env  []string
		stop func(t *testing.T, l *launched)
	}{
		{"TERM to the launcher", nil, func(t *testing.T, l *launched) { l.signal(t, unix.SIGTERM) }},
		{"TERM to all", []string{"DYNO=worker.1"}, func(_ *testing.T, l *launched) { l.broadcast() }},
		{"TERM to all twice", []string{"DYNO=worker.1"}, func(_ *testing.T, l *launched) {
			l.broadcast()
			time.Sleep(50 * time.Millisecond) // Heroku's own pace, not a wait for anything
			l.broadcast()
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			takeTurn(t)
			d := deploy(t, "sidekiq", "sidekiq", "redis-server")
			d.env = append(d.env, row.env...)
			testTwoHundredJobs(t, d, row.stop)
		})
	}
}

func testTwoHundredJobs(t *testing.T, d *deployment, stop func(*testing.T, *launched)) {
	const jobs, third = 200, 70
	r := d.startRedis(t)
	run := []string{"run", "worker", "-c", "3", "-f", "Procfile", "--budget", "25s"}
	first := d.launch(t, run...)
	// Registered means booted, with its traps set.
	first.poll(t, time.Minute, "three Sidekiqs have registered", func() (bool, string) {
		names, err := r.do("SMEMBERS", "processes")
		return len(names) == 3, fmt.Sprint(names, err)
	})

	begin := time.Now()
	push := func(i int) {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / 25)))
		r.sidekiqPush(t, fmt.Sprintf("job-%03d", i), 0.3)
	}
	for i := range third {
		push(i)
	}
	seen := first.tree()
	stop(t, first)
	for i := third; i < 2*third; i++ {
		push(i)
	}
	if status := first.wait(t, 40*time.Second); status != 0 {
		t.Errorf("the first launcher's status is %d, not 0", status)
	}
	first.nothingLeft(t, seen)
	if started, done := r.list("started"), r.list("done"); len(started) != len(done) {
		t.Errorf("%d jobs were started and %d done when the launcher had gone", len(started), len(done))
	}

	second := d.launch(t, run...)
	for i := 2 * third; i < jobs; i++ {
		push(i)
	}
	second.poll(t, time.Minute, "all jobs are done", func() (bool, string) {
		done := len(r.list("done"))
		return done >= jobs, fmt.Sprintf("%d of %d", done, jobs)
	})
	seen = second.tree()
	stop(t, second)
	if status := second.wait(t, 40*time.Second); status != 0 {
		t.Errorf("the second launcher's status is %d, not 0", status)
	}
	second.nothingLeft(t, seen)
	for _, list := range []string{"started", "done"} {
		once(t, r, list, jobs)
	}
}

// once asserts that a list holds each job once.
func once(t *testing.T, r *redis, list string, jobs int) {
	t.Helper()
	ids := r.list(list)
	slices.Sort(ids)
	if different := len(slices.Compact(slices.Clone(ids))); len(ids) != jobs || different != jobs {
		t.Errorf("%s: %d entries of %d jobs, %d were sent", list, len(ids), different, jobs)
	}
}

// client runs a client command on the deployment's launcher, and returns what it
// printed and its status.
func (d *deployment) client(t *testing.T, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(launcherBinary, append(args, "--socket", d.control())...)
	cmd.Env = d.env
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (d *deployment) control() string { return filepath.Join(d.dir, "control.sock") }

// TestSidekiqQuietWait is a preStop hook, and a deploy that failed: quiet waits
// for the jobs that run, takes no others, and resume brings fresh processes.
func TestSidekiqQuietWait(t *testing.T) {
	if testing.Short() {
		t.Skip("real servers take a while")
	}
	t.Parallel()
	takeTurn(t)
	d := deploy(t, "sidekiq", "sidekiq", "redis-server")
	r := d.startRedis(t)
	l := d.launch(t, "run", "worker", "-c", "2", "-f", "Procfile", "--socket", d.control())
	registered := func(n int) func() (bool, string) {
		return func() (bool, string) {
			names, err := r.do("SMEMBERS", "processes")
			return len(names) == n, fmt.Sprint(names, err)
		}
	}
	l.poll(t, time.Minute, "two Sidekiqs have registered", registered(2))
	for i := range 4 {
		r.sidekiqPush(t, fmt.Sprintf("job-%d", i), 6)
	}
	l.poll(t, time.Minute, "four jobs have begun", func() (bool, string) {
		begun := r.list("started")
		return len(begun) == 4, fmt.Sprint(begun)
	})
	if out, status := d.client(t, "quiet", "--wait=2s"); status != 1 || !strings.Contains(out, "worker.1") {
		t.Errorf("quiet --wait=2s ended with %d: %s", status, out)
	}
	r.sidekiqPush(t, "later-1", 0.1)
	if out, status := d.client(t, "quiet", "--wait=60s"); status != 0 {
		t.Errorf("quiet --wait=60s ended with %d: %s", status, out)
	}
	if begun, done := r.list("started"), r.list("done"); len(begun) != 4 || len(done) != 4 {
		t.Errorf("drained with %d jobs begun and %d done, of 4", len(begun), len(done))
	}
	if out, status := d.client(t, "resume"); status != 0 {
		t.Errorf("resume ended with %d: %s", status, out)
	}
	r.sidekiqPush(t, "later-2", 0.1)
	l.poll(t, time.Minute, "the jobs that waited are done", func() (bool, string) {
		done := r.list("done")
		return len(done) == 6, fmt.Sprint(done)
	})
	seen := l.tree()
	l.signal(t, unix.SIGTERM)
	if status := l.wait(t, 15*time.Second); status != 0 {
		t.Errorf("the launcher's status is %d, not 0", status)
	}
	l.nothingLeft(t, seen)
	once(t, r, "done", 6)
}

// TestSidekiqRolledTwice: 300 jobs of half a second at 25 a second while three
// Sidekiqs are replaced twice. Not one is lost, done twice or interrupted.
func TestSidekiqRolledTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("real servers take a while")
	}
	t.Parallel()
	takeTurn(t)
	const jobs = 300
	d := deploy(t, "sidekiq", "sidekiq", "redis-server")
	r := d.startRedis(t)
	l := d.launch(t, "run", "worker", "-c", "3", "-f", "Procfile", "--budget", "10s")
	l.poll(t, time.Minute, "three Sidekiqs have registered", func() (bool, string) {
		names, err := r.do("SMEMBERS", "processes")
		return len(names) == 3, fmt.Sprint(names, err)
	})
	pushed := 0
	for round := 1; round <= 2; round++ {
		l.signal(t, unix.SIGHUP)
		for begin := time.Now(); pushed < jobs*round/2; pushed++ {
			time.Sleep(time.Until(begin.Add(time.Duration(pushed-jobs*(round-1)/2) * time.Second / 25)))
			r.sidekiqPush(t, fmt.Sprintf("job-%03d", pushed), 0.5)
		}
		l.poll(t, 2*time.Minute, "the restart is over", func() (bool, string) {
			said := strings.Count(l.log.String(), "restart: over")
			return said >= round, fmt.Sprint(said)
		})
	}
	l.poll(t, time.Minute, "all jobs are done", func() (bool, string) {
		done := len(r.list("done"))
		return done >= jobs, fmt.Sprintf("%d of %d", done, jobs)
	})
	seen := l.tree()
	l.signal(t, unix.SIGTERM)
	if status := l.wait(t, 40*time.Second); status != 0 {
		t.Errorf("the launcher's status is %d, not 0", status)
	}
	l.nothingLeft(t, seen)
	for _, list := range []string{"started", "done"} {
		once(t, r, list, jobs)
	}
}

// TestSidekiqLongJob: a job of a minute goes on in an old process while the new one
// works. The next restart waits for it where no more than one may drain, and says
// so; by force the old one is stopped, which pushes the job back. It is never lost.
func TestSidekiqLongJob(t *testing.T) {
	if testing.Short() {
		t.Skip("real servers take a while")
	}
	t.Parallel()
	takeTurn(t)
	d := deploy(t, "sidekiq", "sidekiq", "redis-server")
	r := d.startRedis(t)
	l := d.launch(t, "run", "worker=1", "-f", "Procfile", "--socket", d.control(), "--budget", "4s", "--max-draining", "1")
	listed := func(list, id string, n int) {
		t.Helper()
		l.poll(t, time.Minute, fmt.Sprintf("%s is %d times in the list %s", id, n, list), func() (bool, string) {
			all := r.list(list)
			return strings.Count(strings.Join(all, " ")+" ", id+" ") == n, fmt.Sprint(all)
		})
	}
	says := func(words string) {
		t.Helper()
		l.poll(t, time.Minute, "it says "+words, func() (bool, string) { return strings.Contains(l.log.String(), words), "" })
	}
	r.sidekiqPush(t, "long", 60)
	listed("started", "long", 1)
	old := procChildren(l.pid)

	if out, status := d.client(t, "restart"); status != 0 {
		t.Fatalf("restart ended with %d: %s", status, out)
	}
	says("restart: all processes are replaced")
	r.sidekiqPush(t, "beside", 0.1)
	listed("done", "beside", 1)
	says("1 old ones drain")

	if out, status := d.client(t, "restart", "--wait=1s"); status != 1 {
		t.Errorf("restart on top ended with %d: %s", status, out)
	}
	waits := fmt.Sprintf("worker.1 waits for worker.1 (old, pid %d) to finish: no more than 1 of worker may drain", old[0])
	for _, args := range [][]string{{"status"}, {"restart"}} {
		if out, _ := d.client(t, args...); !strings.Contains(out, waits) && args[0] == "status" || len(procChildren(l.pid)) != 2 {
			t.Errorf("%v says: %s", args, out)
		}
	}
	says(waits)
	r.sidekiqPush(t, "waiting", 0.1)
	listed("done", "waiting", 1)

	if out, status := d.client(t, "restart", "--force"); status != 0 {
		t.Errorf("restart --force ended with %d: %s", status, out)
	}
	l.poll(t, time.Minute, "the old one is gone", func() (bool, string) {
		_, _, runs := stat(old[0])
		return !runs, ""
	})
	listed("started", "long", 2) // it was pushed back
	l.poll(t, time.Minute, "the restart goes on", func() (bool, string) {
		return strings.Count(l.log.String(), "restart: all processes are replaced") == 2, ""
	})

	seen := l.tree()
	l.signal(t, unix.SIGTERM)
	if status := l.wait(t, 10*time.Second); status != 0 {
		t.Errorf("the launcher's status is %d, not 0", status)
	}
	l.nothingLeft(t, seen)
	if left := strings.Join(r.must(t, "LRANGE", "queue:default", "0", "-1"), "\n"); strings.Count(left, `"long"`) != 1 {
		t.Errorf("the job was lost: %s", left)
	}
}
