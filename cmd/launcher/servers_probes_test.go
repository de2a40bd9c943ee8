package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestServersReady: puma (with the gem sd_notify) and gunicorn say READY=1, and
// answer an http and a tcp probe; one that hangs is not ready, and is replaced
// where a live probe asks.
func TestServersReady(t *testing.T) {
	for _, app := range []string{"puma", "gunicorn"} {
		for _, probe := range []string{"notify", "http://127.0.0.1:{PORT}/up", "tcp://127.0.0.1:{PORT}"} {
			t.Run(app+" "+probe[:4], func(t *testing.T) {
				t.Parallel()
				takeTurn(t)
				d := deploy(t, app, app)
				_, port := freeAddress(t)
				d.env = append(d.env, "PORT="+port)
				l := d.launch(t, "run", "port", "--ready", probe, "--budget", "25s")
				want := map[string]string{
					"notify": "READY=1", "http://127.0.0.1:{PORT}/up": "GET http://127.0.0.1:" + port + "/up",
					"tcp://127.0.0.1:{PORT}": "tcp://127.0.0.1:" + port,
				}[probe]
				l.says(t, "port.1 starting -> ready, "+want, 1)
				l.stop(t, 40*time.Second)
			})
		}
	}
	t.Run("puma hangs", func(t *testing.T) {
		t.Parallel()
		takeTurn(t)
		d := deploy(t, "puma", "puma")
		_, port := freeAddress(t)
		d.env = append(d.env, "PORT="+port)
		l := d.launch(t, "run", "port", "--budget", "25s",
			"--ready", "http://127.0.0.1:{PORT}/up,period=500ms,timeout=5s,failures=1",
			"--live", "http://127.0.0.1:{PORT}/up,period=500ms,timeout=2s,failures=2")
		l.says(t, "port.1 starting -> ready", 1)
		pid := l.pidIn(t, "port.1 starting -> ready")
		if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		l.says(t, "port.1 is replaced: its live probe GET", 1)
		l.says(t, "failed 2 times: no answer within 2s", 1)
		l.says(t, "port.1 starting -> ready", 2)
		l.stop(t, 40*time.Second)
	})
}

// TestSidekiqWatchdog: Sidekiq renews its watchdog also while Redis is away; one
// that hangs does not, and is replaced.
func TestSidekiqWatchdog(t *testing.T) {
	t.Parallel()
	takeTurn(t)
	d := deploy(t, "sidekiq", "sidekiq", "redis-server")
	r := d.startRedis(t)
	l := d.launch(t, "run", "worker", "-c", "1", "-f", "Procfile", "--budget", "25s", "--live", "notify,timeout=4s")
	l.says(t, "worker.1 starting -> ready, READY=1", 1)
	_, _ = r.do("SHUTDOWN", "NOSAVE")
	time.Sleep(5 * time.Second) // longer than the watchdog's time
	if strings.Contains(l.log.String(), "is replaced") {
		t.Error("replaced because Redis was away")
	}
	d.startRedis(t)
	pid := l.pidIn(t, "worker.1 starting -> ready")
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	l.says(t, "worker.1 is replaced: its live probe notify: no WATCHDOG=1 within 4s", 1)
	l.says(t, "worker.1 starting -> ready, READY=1", 2)
	l.stop(t, 40*time.Second)
}

// TestSidekiqRedisAway: with a live probe that asks for Redis, an outage of Redis
// costs one Sidekiq at a time and no second one; when it is back, all are well.
func TestSidekiqRedisAway(t *testing.T) {
	t.Parallel()
	takeTurn(t)
	d := deploy(t, "sidekiq", "sidekiq", "redis-server")
	r := d.startRedis(t)
	l := d.launch(t, "run", "worker", "-c", "3", "-f", "Procfile", "--budget", "25s",
		"--live", "exec:redis-cli -s $REDIS_SOCKET ping,period=300ms,timeout=10s,failures=2")
	l.says(t, " starting -> ready, READY=1", 3)
	_, _ = r.do("SHUTDOWN", "NOSAVE")
	l.says(t, "is replaced: its live probe exec:redis-cli -s $REDIS_SOCKET ping failed 2 times: status 1: Could not connect to Redis", 1)
	l.says(t, "goes on although its live probe fails", 2)
	time.Sleep(3 * time.Second) // an outage that goes on
	d.startRedis(t)
	l.says(t, " starting -> ready, READY=1", 4)
	l.stop(t, 40*time.Second)
	replaced := map[string]bool{}
	for _, line := range regexp.MustCompile(`worker\.\d is replaced`).FindAllString(l.log.String(), -1) {
		replaced[line] = true
	}
	if len(replaced) != 1 {
		t.Errorf("%v", replaced)
	}
}
