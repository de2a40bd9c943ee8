package main

import (
	"fmt"
	"slices"
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
