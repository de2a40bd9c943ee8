package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"dyno/internal/control"
	"dyno/launcher"
)

// TestRollingByType: what cannot run twice is replaced old first, whatever is
// asked for all types; a type's own setting insists.
func TestRollingByType(t *testing.T) {
	const none = launcher.NoDrainLimit
	procfile := "worker: sidekiq\nweb: app -p $PORT\nrails: bundle exec puma -C config/puma.rb\nbeat: celery -A a beat\n" +
		"index: sidekiq -i $INDEX\nrq: rq worker\nlined: launcher exec --max-surge 4 --drain-limit 5s -- app\n"
	for name, tt := range map[string]struct {
		config, args string
		want         map[string]launcher.Rolling
	}{
		"defaults": {"", "", map[string]launcher.Rolling{
			"worker": {Surge: 1, DrainLimit: none, MaxDraining: 2},
			"web":    {DrainLimit: time.Minute, MaxDraining: 2},
			"rails":  {DrainLimit: time.Minute, MaxDraining: 2},
			"beat":   {MaxDraining: 2},
			"index":  {MaxDraining: 2},
			"rq":     {Surge: 1, DrainLimit: none, MaxDraining: 2},
			"lined":  {Surge: 4, DrainLimit: 5 * time.Second, MaxDraining: 2},
		}},
		"for all": {"", "--max-surge=3 --drain-limit=2h --max-draining=5 --ready-timeout=9 --formation=all=1,worker=4", map[string]launcher.Rolling{
			"worker": {Surge: 3, DrainLimit: 2 * time.Hour, MaxDraining: 5, ReadyTimeout: 9 * time.Second},
			"web":    {DrainLimit: 2 * time.Hour, MaxDraining: 5, ReadyTimeout: 9 * time.Second},
			"beat":   {DrainLimit: 2 * time.Hour, MaxDraining: 5, ReadyTimeout: 9 * time.Second},
		}},
		"its own": {"max-surge = 2\n[process.web]\nmax-surge = 1\ndrain-limit = \"none\"\n[process.worker]\nmax-surge = 0\nready-timeout = 5\n", "", map[string]launcher.Rolling{
			"worker": {MaxDraining: 2, ReadyTimeout: 5 * time.Second},
			"web":    {Surge: 1, DrainLimit: none, MaxDraining: 2},
			"rq":     {Surge: 2, DrainLimit: none, MaxDraining: 2},
			"beat":   {MaxDraining: 2},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(files(t, map[string]string{"Procfile": procfile, "launcher.toml": tt.config}))
			s, wrong := readArgs(t, "start", strings.Fields(tt.args), nil)
			if wrong != nil {
				t.Fatal(wrong)
			}
			gen := resolved(t, s.request)
			for _, spec := range gen.Specs {
				if want, ok := tt.want[spec.Type]; ok && spec.Rolling != want {
					t.Errorf("%s: %+v, want %+v", spec.Type, spec.Rolling, want)
				}
			}
			if name == "defaults" {
				for what, want := range map[string]string{
					"worker: max-surge": "1 default", "worker: drain-limit": "none default", "worker: max-draining": "2 default: 2 x COUNT",
					"web: max-surge": "0 (old first) default: two cannot listen to one port", "web: drain-limit": "1m0s default: it listens",
					"beat: max-surge": "0 (old first) default: celery-beat cannot run twice", "beat: drain-limit": "as any stop default: old first",
				} {
					if got := shown(s, gen, what); got != want {
						t.Errorf("check shows %s: %q, want %q", what, got, want)
					}
				}
			}
		})
	}
}

func TestRevision(t *testing.T) {
	for name, tt := range map[string]struct {
		files   map[string]string
		environ []string
		want    string
	}{
		"none":   {nil, nil, ""},
		"file":   {map[string]string{"REVISION": "abc123\nmore\n"}, []string{"HEROKU_SLUG_COMMIT=no"}, "abc123"},
		"heroku": {nil, []string{"HEROKU_SLUG_COMMIT=def"}, "def"},
		"long":   {map[string]string{"REVISION": strings.Repeat("x", 1<<20)}, nil, strings.Repeat("x", mostRevision)},
		"odd":    {map[string]string{"REVISION": "a\x1b[2Jb"}, nil, "a [2Jb"},
		"empty":  {map[string]string{"REVISION": "\n"}, []string{"HEROKU_SLUG_COMMIT=def"}, "def"},
	} {
		all := map[string]string{"Procfile": "w: app\n"}
		for file, text := range tt.files {
			all[file] = text
		}
		r := request{Command: "start", Procfile: "Procfile", Dir: files(t, all), Environ: tt.environ, Budget: 10 * time.Second}
		if got := resolved(t, r).Specs[0].Revision; got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// TestWayOf is what restart --wait draws.
func TestWayOf(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		p     control.Process
		clock bool
		want  string
	}{
		{control.Process{State: "starting"}, true, "started"},
		{control.Process{State: "ready"}, true, "ready"},
		{control.Process{State: "quieting", Draining: now.Add(-42 * time.Second)}, true, "draining 0:42"},
		{control.Process{State: "stopping", Draining: now.Add(-2 * time.Hour)}, true, "draining 120:00"},
		{control.Process{State: "quieting", Draining: now}, false, "draining"},
		{control.Process{State: "killed"}, false, "killed"},
	} {
		if got := wayOf(tt.p, now, tt.clock); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.p, got, tt.want)
		}
	}
}

// TestDrawing: on a terminal lines change, else there is one a change.
func TestDrawing(t *testing.T) {
	now := time.Now()
	status := func(restart string, processes ...control.Process) control.Status {
		return control.Status{Time: now, Restart: restart, Processes: processes}
	}
	old, leaving := control.Process{Name: "worker.1", PID: 7, State: "ready"}, control.Process{Name: "worker.1 (old)", PID: 7, State: "quieting", Old: true, Draining: now}
	fresh := control.Process{Name: "worker.1", PID: 8, State: "starting"}
	ready := fresh
	ready.State = "ready"
	steps := []control.Status{
		status("restarting: 0 of 1", fresh, old), status("restarting: 0 of 1", ready, leaving), status("", ready),
	}
	for _, tt := range []struct {
		terminal bool
		want     string
	}{
		{false, "worker.1         pid 8        started\nrestarting: 0 of 1\n" +
			"worker.1         pid 8        ready\nworker.1         pid 7        draining\nworker.1         pid 7        gone\n"},
		{true, "<clear>worker.1         pid 8        started\n<clear>restarting: 0 of 1\n" +
			"<up 2><clear>worker.1         pid 8        ready\n<clear>worker.1         pid 7        draining 0:00\n<clear>restarting: 0 of 1\n" +
			"<up 3><clear>worker.1         pid 8        ready\n<clear>worker.1         pid 7        gone\n<rest>"},
	} {
		var b bytes.Buffer
		d := newDrawing(&b, tt.terminal, status("restarting: reading", old))
		for _, s := range steps {
			d.show(s)
		}
		got := strings.NewReplacer("\r\x1b[K", "<clear>", "\x1b[2A", "<up 2>", "\x1b[3A", "<up 3>", "\x1b[J", "<rest>").Replace(b.String())
		if got != tt.want {
			t.Errorf("terminal %v:\n%s\nwant\n%s", tt.terminal, got, tt.want)
		}
	}
}
