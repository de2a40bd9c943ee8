package main

import (
	"fmt"
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
	first.poll(t, time.Minute, "three Sidekiqs have registered", r.registered(3))

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
	first.ends(t, 40*time.Second, seen)
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
	second.ends(t, 40*time.Second, seen)
	for _, list := range []string{"started", "done"} {
		once(t, r, list, jobs)
	}
}

// registered tells whether n Sidekiqs have: then they have booted, with their traps
// set.
func (r *redis) registered(n int) func() (bool, string) {
	return func() (bool, string) {
		names, err := r.do("SMEMBERS", "processes")
		return len(names) == n, fmt.Sprint(names, err)
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

// TestSidekiqQuietWait is a preStop hook, and a deploy that failed: quiet waits
// for the jobs that run, takes no others, and resume brings fresh processes.
func TestSidekiqQuietWait(t *testing.T) {
	t.Parallel()
	takeTurn(t)
	d := deploy(t, "sidekiq", "sidekiq", "redis-server")
	r := d.startRedis(t)
	l := d.launch(t, "run", "worker", "-c", "2", "-f", "Procfile", "--socket", d.control())
	l.poll(t, time.Minute, "two Sidekiqs have registered", r.registered(2))
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
	l.stop(t, 15*time.Second)
	once(t, r, "done", 6)
}

// TestSidekiqRolledTwice: 300 jobs of half a second at 25 a second while three
// Sidekiqs are replaced twice. Not one is lost, done twice or interrupted.
func TestSidekiqRolledTwice(t *testing.T) {
	t.Parallel()
	takeTurn(t)
	const jobs = 300
	d := deploy(t, "sidekiq", "sidekiq", "redis-server")
	r := d.startRedis(t)
	l := d.launch(t, "run", "worker", "-c", "3", "-f", "Procfile", "--budget", "10s")
	l.poll(t, time.Minute, "three Sidekiqs have registered", r.registered(3))
	pushed := 0
	for round := 1; round <= 2; round++ {
		l.signal(t, unix.SIGHUP)
		for begin := time.Now(); pushed < jobs*round/2; pushed++ {
			time.Sleep(time.Until(begin.Add(time.Duration(pushed-jobs*(round-1)/2) * time.Second / 25)))
			r.sidekiqPush(t, fmt.Sprintf("job-%03d", pushed), 0.5)
		}
		l.says(t, "restart: over", round)
	}
	l.poll(t, time.Minute, "all jobs are done", func() (bool, string) {
		done := len(r.list("done"))
		return done >= jobs, fmt.Sprintf("%d of %d", done, jobs)
	})
	l.stop(t, 40*time.Second)
	for _, list := range []string{"started", "done"} {
		once(t, r, list, jobs)
	}
}
