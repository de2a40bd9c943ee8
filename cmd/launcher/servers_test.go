package main

import (
	"testing"
	"time"
)

// server is one row of FACTS.md section 2: a real server, a piece of work of
// three seconds in its hands, and TERM to the launcher.
type server struct {
	name  string   // the subtest
	app   string   // a directory of testdata/servers
	typ   string   // the line of its Procfile
	needs []string // programs; where one is missing the row fails
	stop  string   // the signal that the time line names
	work  func(t *testing.T, d *deployment) work
}

// work is what a server is busy with when it is told to stop.
type work struct {
	begin    func(t *testing.T)             // hands it over
	begun    func() (yes bool, tell string) // in the server's hands
	finished func(t *testing.T)             // asserts, after the launcher has gone, that it was done, once
}

// TestServers: no job and no request is lost when TERM finds the server busy
// (FACTS 2), the launcher's status is 0, and nothing is left running.
func TestServers(t *testing.T) {
	if testing.Short() {
		t.Skip("real servers take a while")
	}
	rows := []server{
		{name: "puma single", app: "puma", typ: "single", needs: []string{"puma"}, stop: "TERM", work: slowRequest},
		{name: "puma cluster", app: "puma", typ: "cluster", needs: []string{"puma"}, stop: "TERM", work: slowRequest},
		{name: "unicorn", app: "unicorn", typ: "web", needs: []string{"unicorn"}, stop: "QUIT", work: slowRequest},
		{name: "gunicorn", app: "gunicorn", typ: "web", needs: []string{"gunicorn"}, stop: "TERM", work: slowRequest},
		{name: "uvicorn", app: "uvicorn", typ: "web", needs: []string{"uvicorn"}, stop: "TERM", work: slowRequest},
		{name: "nginx", app: "nginx", typ: "web", needs: []string{"nginx"}, stop: "QUIT", work: proxied},
		{name: "node", app: "node", typ: "web", needs: []string{"node"}, stop: "TERM", work: slowRequest},
		{name: "rq", app: "rq", typ: "worker", needs: []string{"rq", "redis-server"}, stop: "TERM", work: pythonJob("send.py")},
	}
	// Behind a shell, an assignment, and small inits: the signal still finds the
	// server, and of Celery the master alone.
	for _, line := range []string{"worker", "cd", "cdexec", "above", "env", "assigned", "tini", "dumbinit"} {
		name := ""
		needs := []string{"redis-server"}
		switch line {
		case "worker":
		case "tini":
			name, needs = " "+line, append(needs, "tini")
		case "dumbinit":
			name, needs = " "+line, append(needs, "dumb-init")
		default:
			name = " " + line
		}
		rows = append(
			rows,
			server{name: "sidekiq" + name, app: "sidekiq", typ: line, needs: append(needs, "sidekiq"), stop: "TERM", work: sidekiqJob},
			server{name: "celery" + name, app: "celery", typ: line, needs: append(needs, "celery"), stop: "TERM", work: pythonJob("tasks.py")},
		)
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			takeTurn(t)
			testServer(t, row)
		})
	}
}

func testServer(t *testing.T, row server) {
	d := deploy(t, row.app, row.needs...)
	w := row.work(t, d)
	l := d.launch(t, "run", row.typ, "-c", "1", "-f", "Procfile", "--budget", "25s")
	w.begin(t)
	l.poll(t, time.Minute, "the work has begun", w.begun)

	l.stop(t, 40*time.Second)
	w.finished(t)
	l.saysSignal(t, row.stop)
}
