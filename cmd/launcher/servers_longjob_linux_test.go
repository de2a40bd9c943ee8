package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestSidekiqLongJob: a job of a minute goes on in an old process while the new one
// works. The next restart waits for it where no more than one may drain, and says
// so; by force the old one is stopped, which pushes the job back. It is never lost.
func TestSidekiqLongJob(t *testing.T) {
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
	r.sidekiqPush(t, "long", 60)
	listed("started", "long", 1)
	old := procChildren(l.pid)

	if out, status := d.client(t, "restart"); status != 0 {
		t.Fatalf("restart ended with %d: %s", status, out)
	}
	l.says(t, "restart: all processes are replaced", 1)
	r.sidekiqPush(t, "beside", 0.1)
	listed("done", "beside", 1)
	l.says(t, "1 old ones drain", 1)

	if out, status := d.client(t, "restart", "--wait=1s"); status != 1 {
		t.Errorf("restart on top ended with %d: %s", status, out)
	}
	waits := fmt.Sprintf("worker.1 waits for worker.1 (old, pid %d) to finish: no more than 1 of worker may drain", old[0])
	for _, args := range [][]string{{"status"}, {"restart"}} {
		if out, _ := d.client(t, args...); !strings.Contains(out, waits) && args[0] == "status" || len(procChildren(l.pid)) != 2 {
			t.Errorf("%v says: %s", args, out)
		}
	}
	l.says(t, waits, 1)
	r.sidekiqPush(t, "waiting", 0.1)
	listed("done", "waiting", 1)

	if out, status := d.client(t, "restart", "--force"); status != 0 {
		t.Errorf("restart --force ended with %d: %s", status, out)
	}
	l.poll(t, time.Minute, "the old one is gone", func() (bool, string) {
		return !runs(old[0]), ""
	})
	listed("started", "long", 2) // it was pushed back
	l.says(t, "restart: all processes are replaced", 2)

	l.stop(t, 10*time.Second)
	if left := strings.Join(r.must(t, "LRANGE", "queue:default", "0", "-1"), "\n"); strings.Count(left, `"long"`) != 1 {
		t.Errorf("the job was lost: %s", left)
	}
}
