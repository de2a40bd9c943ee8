package main

import (
	"fmt"
	"testing"
	"time"

	"dyno/launcher"

	"github.com/google/go-cmp/cmp"
)

func TestParseProbe(t *testing.T) {
	base := launcher.Probe{Period: 10 * time.Second, Timeout: time.Second, Failures: 3, Successes: 1}
	with := func(edit func(*launcher.Probe)) launcher.Probe {
		p := base
		edit(&p)
		return p
	}
	for _, row := range []struct {
		text string
		want launcher.Probe
	}{
		{"http://127.0.0.1:{PORT}/up", with(func(p *launcher.Probe) { p.Kind, p.Target = launcher.ProbeHTTP, "http://127.0.0.1:{PORT}/up" })},
		{"tcp://[::1]:5,period=5,timeout=200ms,failures=1,delay=1m", with(func(p *launcher.Probe) {
			p.Kind, p.Target = launcher.ProbeTCP, "[::1]:5"
			p.Period, p.Timeout, p.Failures, p.Delay = 5*time.Second, 200*time.Millisecond, 1, time.Minute
		})},
		{"exec:echo a,b=c,period=2s,successes=2", with(func(p *launcher.Probe) {
			p.Kind, p.Target, p.Period, p.Successes = launcher.ProbeExec, "echo a,b=c", 2*time.Second, 2
		})},
		{"exec:sh -c 'a, b'", with(func(p *launcher.Probe) { p.Kind, p.Target = launcher.ProbeExec, "sh -c 'a, b'" })},
		{"up:1m", with(func(p *launcher.Probe) { p.Kind, p.Up = launcher.ProbeUp, time.Minute })},
		{"notify", with(func(p *launcher.Probe) { p.Kind = launcher.ProbeNotify })},
	} {
		p, _, err := parseProbe("--ready", row.text)
		if err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		if diff := cmp.Diff(row.want, *p); diff != "" {
			t.Errorf("%s: %s", row.text, diff)
		}
	}
}

func TestHeldByUs(t *testing.T) {
	for _, row := range []struct {
		address, listen string
		want            bool
	}{
		{"127.0.0.1:3000", "tcp://0.0.0.0:3000", true},
		{"127.0.0.1:3000", "", false},
		{"127.0.0.1:3000", "tcp://127.0.0.1:13000", false},
		{"[::1]:3000", "tcp://[::]:3000", true},
		{"127.0.0.1:3000", "unix:///run/a:3000", false},
	} {
		if got := heldByUs(row.address, row.listen); got != row.want {
			t.Errorf("%s of --listen %s: %v", row.address, row.listen, got)
		}
	}
}

func TestWritten(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1s", time.Minute: "1m", time.Hour: "1h", 90 * time.Second: "1m30s", 500 * time.Millisecond: "500ms",
		10 * time.Minute: "10m", 3600*time.Second + 30*time.Second: "1h0m30s", 70 * time.Minute: "1h10m",
	} {
		if got := written(d); got != want {
			t.Errorf("%s: %s", d, got)
		}
	}
}

// Each process is asked at its own port, and its command runs as its own.
func TestProbesOfSpecs(t *testing.T) {
	ready, _, err := parseProbe("--ready", "http://127.0.0.1:{PORT}/up?i={INDEX}")
	if err != nil {
		t.Fatal(err)
	}
	live, _, err := parseProbe("--live", "exec:A=$PS check $INDEX")
	if err != nil {
		t.Fatal(err)
	}
	r := asked(files(t, map[string]string{"Procfile": "web: app\n"}), "start").formed(t, "web=2").with("PORT=6000")
	r.Ready, r.Live = ready, live
	specs := resolved(t, r).Specs
	var got []string
	for i := range specs {
		s := &specs[i]
		got = append(got, s.Ready.Target, fmt.Sprint(s.Live.Argv), lookup(s.Live.Env, "A"))
	}
	want := []string{
		"http://127.0.0.1:6000/up?i=0", "[check 0]", "web.1",
		"http://127.0.0.1:6001/up?i=1", "[check 1]", "web.2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWatchdogOfSpecs(t *testing.T) {
	var s settings
	if err := parseLive(&s, "--live", "notify,timeout=1m"); err != nil {
		t.Fatal(err)
	}
	r := asked(files(t, map[string]string{"Procfile": "worker: app\n"}), "start").with("WATCHDOG_USEC=5", "WATCHDOG_PID=1")
	r.Live = s.Live
	spec := resolved(t, r).Specs[0]
	if got := lookup(spec.Env, "WATCHDOG_USEC"); got != "60000000" {
		t.Errorf("WATCHDOG_USEC=%s", got)
	}
	if got := lookup(spec.Env, "WATCHDOG_PID"); got != "" {
		t.Errorf("WATCHDOG_PID=%s", got)
	}
}
