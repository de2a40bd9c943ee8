package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatWasMeantForUsIsNotPassedOn(t *testing.T) {
	dir := files(t, map[string]string{".env": "LAUNCHER_LOG=json\nNOTIFY_SOCKET=/run/x\n"})
	r := asked(dir, "exec", "serve").with(
		"NOTIFY_SOCKET=/run/notify", "WATCHDOG_PID=1", "WATCHDOG_USEC=2", "MAINPID=3",
		"LISTEN_FDS=1", "LISTEN_PID=4", "LISTEN_FDNAMES=web", "LISTEN_PIDFDID=5",
		"EINHORN_FD_0=3", "LAUNCHER_BUDGET=20s",
		"LISTEN_ADDRESS=:80", "WATCHDOG_URL=http://x", "LAUNCHERS=2", "EINHORN=1",
		"PS=x.9", "INDEX=9", "COUNT=9", "STOP_TIMEOUT=9", "WITHIN_LAUNCHER=9",
	)
	r.EnvFiles, r.EnvFilesGiven = []string{".env"}, true
	spec := resolved(t, r).Specs[0]
	for _, entry := range spec.Env {
		name, _, _ := strings.Cut(entry, "=")
		if ours(name) {
			t.Errorf("%s was passed on", entry)
		}
	}
	if got := variables(spec, "LISTEN_ADDRESS", "WATCHDOG_URL", "LAUNCHERS", "EINHORN"); got != ":80 http://x 2 1" {
		t.Errorf("the app's own: %q", got)
	}
	if got := variables(spec, "PS", "INDEX", "COUNT", "STOP_TIMEOUT"); got != "serve.1 0 1 8" {
		t.Errorf("ours: %q", got)
	}
	seen := map[string]bool{}
	for _, entry := range spec.Env {
		name, _, _ := strings.Cut(entry, "=")
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
	}
}

func TestEnvironmentIsElseUnchanged(t *testing.T) {
	dir := files(t, nil)
	spec := resolved(t, asked(dir, "exec", "serve").with("EMPTY=", "odd", "BASH_FUNC_f%%=() { :; }", "TWICE=1", "TWICE=2")).Specs[0]
	want := []string{"PATH=/bin", "HOME=/home/app", "EMPTY=", "odd", "BASH_FUNC_f%%=() { :; }", "TWICE=2"}
	if diff := cmp.Diff(want, spec.Env[:len(want)]); diff != "" {
		t.Error(diff)
	}
}

func TestEnvFiles(t *testing.T) {
	dir := files(t, map[string]string{
		"Procfile": "worker: work $A\n",
		".env":     "A=from-dot-env\n",
		"one.env":  "A=one\nB=one\nC=one\n",
		"two.env":  "B=two\nC=two\n",
	})
	r := asked(dir, "run", "worker=1")
	gen := resolved(t, r)
	if got := variables(gen.Specs[0], "A"); got != "from-dot-env" || gen.Specs[0].Argv[1] != got {
		t.Errorf("A=%s, argv %q", got, gen.Specs[0].Argv)
	}
	if diff := cmp.Diff([]envRead{{".env", 1}}, gen.EnvRead); diff != "" {
		t.Error(diff)
	}

	r = asked(dir, "run", "worker=1").with("C=real")
	r.EnvFiles, r.EnvFilesGiven = []string{"one.env", filepath.Join(dir, "two.env")}, true
	gen = resolved(t, r)
	if got := variables(gen.Specs[0], "A", "B", "C"); got != "one two real" {
		t.Errorf("A B C: %s", got)
	}
	if diff := cmp.Diff([]envRead{{"one.env", 3}, {filepath.Join(dir, "two.env"), 2}}, gen.EnvRead); diff != "" {
		t.Error(diff)
	}
}

func TestADefaultEnvFileMayBeMissing(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: work\n"})
	r := asked(dir, "run", "worker=1")
	if got := resolved(t, r).EnvRead; got != nil {
		t.Errorf("read %v", got)
	}
	if err := os.Mkdir(filepath.Join(dir, ".env"), 0o755); err != nil { // a Python environment
		t.Fatal(err)
	}
	if got := resolved(t, r).EnvRead; got != nil {
		t.Errorf("read %v", got)
	}
	r.EnvFiles, r.EnvFilesGiven = []string{".env"}, true
	contains(t, refused(t, r), ".env: cannot read the env file: is a directory")
	r.EnvFiles = []string{"gone"}
	contains(t, refused(t, r), "gone: cannot read the env file: no such file", "--env-file")
}

func TestExecReadsNoDotEnv(t *testing.T) {
	dir := files(t, map[string]string{".env": "A=1\n", "Procfile": "worker: work\n"})
	if got := variables(resolved(t, asked(dir, "exec", "serve")).Specs[0], "A"); got != "-" {
		t.Errorf("A=%s", got)
	}
	if got := variables(resolved(t, asked(dir, "run", "worker=1")).Specs[0], "A"); got != "1" {
		t.Errorf("run: A=%s", got)
	}
}

func TestEnvFileWarnings(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: work\n", ".env": "COUNT=3\nDATA=$HOME/data\nLAUNCHER_LOG=raw\n"})
	r := asked(dir, "run", "worker=1")
	contains(t, strings.Join(resolved(t, r).Warnings, "\n"), ".env:1: COUNT", ".env:2: DATA: $HOME", ".env:3: LAUNCHER_LOG")
	again, err := resolveWithin(r, false, fourCores)
	if err != nil || len(again.Warnings) > 0 {
		t.Errorf("said again in the next generation: %v, %v", again.Warnings, err)
	}
}

func TestPorts(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "release: migrate\nweb: serve $PORT\nworker: work\napi: serve $PORT\n", "port.env": "PORT=7000\n"})
	ports := func(r request) string {
		var all []string
		for _, spec := range resolved(t, r).Specs {
			all = append(all, spec.Name()+"="+variables(spec, "PORT"))
		}
		return strings.Join(all, " ")
	}
	start := asked(dir, "start")
	fromFile := start
	fromFile.EnvFiles, fromFile.EnvFilesGiven = []string{"port.env"}, true
	for _, c := range []struct {
		r    request
		want string
	}{
		{start, "web.1=5000 worker.1=5100 api.1=5200"},
		{start.with("PORT=3000"), "web.1=3000 worker.1=3100 api.1=3200"},
		{start.with("PORT="), "web.1=5000 worker.1=5100 api.1=5200"},
		{fromFile, "web.1=7000 worker.1=7100 api.1=7200"},
		{start.formed(t, "web=2,api=2"), "web.1=5000 web.2=5001 api.1=5200 api.2=5201"},
		{asked(dir, "run", "web").with("PORT=8080"), "web.1=8080"},
		{asked(dir, "run", "web"), "web.1=-"},
	} {
		if got := ports(c.r); got != c.want {
			t.Errorf("%s %v: %s, want %s", c.r.Command, c.r.Environ, got, c.want)
		}
	}
	if argv := resolved(t, start).Specs[0].Argv; argv[1] != "5000" {
		t.Errorf("$PORT in the line: %q", argv)
	}
	got := refused(t, start.with("PORT=eighty"))
	contains(t, got, `PORT: "eighty" is no port`)
	if strings.Count(got, "\n") != 0 {
		t.Errorf("said more than once:\n%s", got)
	}
	contains(t, refused(t, start.with("PORT=65400")), "api.1", "lower PORT")
}
