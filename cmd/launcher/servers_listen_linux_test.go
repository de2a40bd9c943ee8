package main

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestServersOnOneSocket: two processes of each server that can inherit a socket
// (FACTS 4) answer on one that the launcher opened. Killed, one and then both,
// they are started again, and no request is refused meanwhile.
func TestServersOnOneSocket(t *testing.T) {
	for _, row := range []struct{ app, typ string }{
		{"puma", "handed"},
		{"puma", "workers"},
		{"puma", "behind"},
		{"puma", "shell"},
		{"unicorn", "handed"},
		{"unicorn", "behind"},
		{"unicorn", "shell"},
		{"gunicorn", "handed"},
		{"gunicorn", "behind"},
		{"uvicorn", "handed"},
		{"nginx", "handed"},
		{"node", "web"},
	} {
		t.Run(row.app+" "+row.typ, func(t *testing.T) {
			t.Parallel()
			takeTurn(t)
			testOneSocket(t, row.app, row.typ)
		})
	}
}

func testOneSocket(t *testing.T, app, typ string) {
	needs := []string{app}
	if typ == "behind" {
		needs = append(needs, "tini")
	}
	d := deploy(t, app, needs...)
	address, port := freeAddress(t)
	d.env = append(d.env, "PORT="+port)
	l := d.launch(t, "run", typ+"=2", "-f", "Procfile", "--budget", "25s", "--listen", "tcp://127.0.0.1:$PORT")
	l.poll(t, time.Minute, "it answers", func() (bool, string) {
		if err := getPage("tcp", address, "/", time.Minute); err != nil {
			return false, err.Error()
		}
		return true, ""
	})
	first := procChildren(l.pid)
	if len(first) != 2 {
		t.Fatalf("%d processes, not 2", len(first))
	}
	for _, victims := range [][]int{first[:1], first[1:], nil} {
		if victims == nil {
			victims = procChildren(l.pid)
		}
		for _, pid := range victims {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		// A request that one of the dead had accepted is lost, but none is refused.
		good := 0
		l.poll(t, time.Minute, "it answers again", func() (bool, string) {
			err := getPage("tcp", address, "/", time.Minute)
			switch {
			case errors.Is(err, unix.ECONNREFUSED):
				t.Fatalf("after the death of %d: %v", len(victims), err)
			case err != nil:
				return false, err.Error()
			}
			good++
			return good == 8, ""
		})
	}
	l.stop(t, 40*time.Second)
}

// TestServersOnUnixSocket: a server that ends leaves the file of a socket that is
// not its own, so that the others are still found.
func TestServersOnUnixSocket(t *testing.T) {
	for _, row := range []struct {
		app, typ string
		stop     unix.Signal
	}{
		{"puma", "single", unix.SIGTERM},
		{"unicorn", "web", unix.SIGQUIT},
		{"gunicorn", "web", unix.SIGTERM},
		{"uvicorn", "handed", unix.SIGTERM},
		{"node", "web", unix.SIGTERM},
	} {
		t.Run(row.app, func(t *testing.T) {
			t.Parallel()
			takeTurn(t)
			d := deploy(t, row.app, row.app)
			l := d.launch(t, "run", row.typ+"=2", "-f", "Procfile", "--budget", "25s", "--listen", "unix:web.sock")
			l.poll(t, time.Minute, "it answers", func() (bool, string) {
				err := d.get("/", time.Minute)
				return err == nil, fmt.Sprint(err)
			})
			for _, pid := range procChildren(l.pid) {
				// Again each second: puma and unicorn lose one that comes while they boot.
				var told time.Time
				l.poll(t, time.Minute, "it has ended", func() (bool, string) {
					if time.Since(told) > time.Second {
						told = time.Now()
						_ = unix.Kill(pid, row.stop)
					}
					return !runs(pid), ""
				})
				if err := d.get("/", time.Minute); err != nil {
					t.Fatalf("after the end of one: %v", err)
				}
			}
			l.stop(t, 40*time.Second)
		})
	}
}
