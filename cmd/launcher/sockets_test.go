package main

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"dyno/internal/listen"
	"dyno/launcher"
)

// socketsOf are the addresses that each process is handed, and its PORT.
func socketsOf(gen *generation) string {
	var all []string
	for _, spec := range gen.Specs {
		all = append(all, fmt.Sprintf("%s %s PORT=%s", spec.Name(), socketList(spec.Sockets), lookup(spec.Env, "PORT")))
	}
	return strings.Join(all, "; ")
}

// TestWhoIsHandedSockets: the one type that runs; of several the one that serves.
func TestWhoIsHandedSockets(t *testing.T) {
	const (
		rails = "web: puma -p $PORT\nworker: sidekiq -t 5\n"
		two   = "web: gunicorn app\napi: node api.js $PORT\nworker: rq worker\n"
		none  = "worker: sidekiq -t 5\nclock: clockwork clock.rb\n"
	)
	for _, test := range []struct {
		procfile, config string
		command          string
		words            []string
		listen           string
		want             string // or what the refusal says
	}{
		{rails, "", "run", []string{"web=2"}, "tcp://0.0.0.0:$PORT", "web.1 tcp://0.0.0.0:4000 PORT=4000; web.2 tcp://0.0.0.0:4000 PORT=4000"},
		{rails, "", "run", []string{"worker=1"}, ":{PORT}", "worker.1 tcp://0.0.0.0:4000 PORT=4000"},
		{rails, "", "run", []string{"web", "worker=1"}, ":3000", "web.1 tcp://0.0.0.0:3000 PORT=4000; worker.1  PORT=4000"},
		{rails, "", "start", nil, ":3000,unix:tmp/a", "web.1 tcp://0.0.0.0:3000, unix://DIR/tmp/a PORT=3000; worker.1  PORT=4100"},
		{rails, "", "exec", []string{"./app"}, "/run/a,/run/a", "app.1 unix:///run/a PORT=4000"},
		{two, "", "start", nil, ":3000", "several process types serve, and the sockets can be for one only: web, api"},
		{two, "", "run", []string{"api", "worker=1"}, ":3000", "api.1 tcp://0.0.0.0:3000 PORT=4000; worker.1  PORT=4000"},
		{two, "[process.api]\nlisten = \":3001\"\n", "start", nil, ":3000", "web.1 tcp://0.0.0.0:3000 PORT=3000; api.1 tcp://0.0.0.0:3001 PORT=3001; worker.1  PORT=4200"},
		{two, "[process.api]\nlisten = [\":3001\", \"/run/api\"]\n", "start", nil, "", "web.1  PORT=4000; api.1 tcp://0.0.0.0:3001, unix:///run/api PORT=3001; worker.1  PORT=4200"},
		{two, "[process.api]\nlisten = \"off\"\n", "start", nil, ":3000", "web.1 tcp://0.0.0.0:3000 PORT=3000; api.1  PORT=4100; worker.1  PORT=4200"},
		{two, "listen = \":3000\"\n[process.api]\nlisten = \":3001\"\n", "run", []string{"api"}, "", "api.1 tcp://0.0.0.0:3001 PORT=4000"},
		{two, "[process.api]\nlisten = \":3001\"\n", "run", []string{"api"}, ":3002", "api.1 tcp://0.0.0.0:3002 PORT=4000"},
		{none, "", "start", nil, ":3000", "no process type serves"},
		{"web: launcher exec --listen :3002 -- puma\n", "", "run", []string{"web=2"}, "", "web.1 tcp://0.0.0.0:3002 PORT=4000; web.2 tcp://0.0.0.0:3002 PORT=4000"},
	} {
		dir := files(t, map[string]string{"Procfile": test.procfile, "launcher.toml": test.config})
		r := asked(dir, test.command, test.words...).with("PORT=4000")
		s := settings{request: r}
		s.Given = map[string]string{}
		if test.listen != "" {
			if err := parseListen(&s, "--listen", test.listen); err != nil {
				t.Fatal(err)
			}
			s.Given["listen"] = "--listen"
		}
		file, err := readConfig(&s.request)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.configure(file); err != nil {
			t.Fatal(err)
		}
		gen, err := resolveWithin(s.request, true, fourCores)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = strings.ReplaceAll(socketsOf(gen), dir, "DIR")
		}
		if err == nil && got != test.want || !strings.Contains(got, test.want) {
			t.Errorf("%s %v of %q, --listen %q, %q:\n got %s\nwant %s", test.command, test.words, test.procfile, test.listen, test.config, got, test.want)
		}
	}
}

// TestHandedSockets: those of a .socket unit go where --listen's would, unless
// that is given.
func TestHandedSockets(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "web: puma -p $PORT\nworker: sidekiq -t 5\nclock: clockwork c.rb\n"})
	handed := []launcher.Socket{{FD: 3, Name: "web.socket", Addr: "tcp://0.0.0.0:80"}}
	r := asked(dir, "run", "web=2", "worker=1")
	r.Handed = handed
	if got := socketsOf(resolved(t, r)); got != "web.1 tcp://0.0.0.0:80 PORT=80; web.2 tcp://0.0.0.0:80 PORT=80; worker.1  PORT=" {
		t.Errorf("got %s", got)
	}
	r = asked(dir, "run", "worker=1", "clock")
	r.Handed = handed
	gen := resolved(t, r)
	contains(t, strings.Join(gen.Warnings, "\n"), "LISTEN_FDS: no process type serves")
	r = asked(dir, "run", "web")
	r.Handed, r.Given = handed, map[string]string{"listen": "--listen"} // off
	if got := socketsOf(resolved(t, r)); got != "web.1  PORT=" {
		t.Errorf("with --listen off: %s", got)
	}
}

func TestSocketMistakes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := files(t, map[string]string{"Procfile": "web: serve\nuv: uvicorn app:app\nport: serve $PORT\n", "plain": ""})
	try := func(list, typ string, environ ...string) request {
		r := asked(dir, "run", typ).with(environ...)
		r.Listen, r.Given, r.Sockets = list, map[string]string{"listen": "LAUNCHER_LISTEN"}, listen.NewSet()
		t.Cleanup(r.Sockets.Close)
		return r
	}
	contains(t, refused(t, try(taken.Addr().String(), "web")), "LAUNCHER_LISTEN: cannot listen on tcp://"+taken.Addr().String()+": address already in use; stop what listens there")
	contains(t, refused(t, try("unix:plain", "web")), "cannot listen on unix://"+dir+"/plain", "no socket")
	contains(t, refused(t, try("unix:none/a", "web")), "no such file or directory", "create its directory")
	contains(t, refused(t, try(":$PORT", "web")), "LAUNCHER_LISTEN: $PORT is not set; set PORT")
	contains(t, refused(t, try(":$PORT", "web", "PORT=x")), `":$PORT" is no address: "x" is no port`)
	contains(t, strings.Join(resolved(t, try("unix:a", "uv")).Warnings, "\n"), "write uvicorn --fd 3")
	contains(t, strings.Join(resolved(t, try("127.0.0.1:1", "port=0", "PORT=2")).Warnings, "\n"), "uses $PORT, which is 2, and the socket it is handed has port 1")

	// Its files are gone when it comes to nothing.
	r := try("unix:b,unix:none/a", "web")
	refused(t, r)
	r.Sockets.Close()
	if left, _ := filepath.Glob(dir + "/b"); len(left) > 0 {
		t.Error("a socket is left")
	}
}
