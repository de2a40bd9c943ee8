package launcher

import (
	"strings"
	"testing"
	"time"
)

// TestHandOver: each server is told in the one way it understands.
func TestHandOver(t *testing.T) {
	two := []Socket{{FD: 9, Name: "3000", Addr: "tcp://0.0.0.0:3000"}, {FD: 7, Name: "app", Addr: "unix:///run/app"}}
	const (
		systemd = "LISTEN_FDS=2 LISTEN_FDNAMES=3000:app LISTEN_PID="
		puma    = "PUMA_INHERIT_0=3:tcp://0.0.0.0:3000 PUMA_INHERIT_1=4:unix:///run/app"
	)
	for _, test := range []struct {
		line    string
		noStep  bool
		want    string
		stepped bool
	}{
		{"./app", false, systemd, true},
		{"./app", true, "LISTEN_FDS=2 LISTEN_FDNAMES=3000:app", false},
		{"puma -p 3000", false, systemd, true},
		{"bundle exec puma", false, systemd, true},
		{"puma -p 3000", true, puma, false},
		{"tini -- puma", false, puma, false},
		{"sh -c puma", false, puma, false},
		{"unicorn", false, systemd, true},
		{"sh -c unicorn", false, "UNICORN_FD=3,4", false},
		{"gunicorn app", false, systemd, true},
		{"nginx", false, "NGINX=3;4; " + systemd, true},
		{"tini nginx", false, "NGINX=3;4; " + systemd, true},
	} {
		spec := Spec{Type: "web", Slot: 2, Argv: strings.Fields(test.line), Sockets: two}
		spec.Server, _ = Identify(spec.Argv)
		got := handOver(&spec, 42, "/run/ack", !test.noStep)
		const einhorn = "EINHORN_FD_0=3 EINHORN_FD_1=4 EINHORN_FD_COUNT=2 EINHORN_MASTER_PID=42 EINHORN_CHILD_INDEX=1 EINHORN_SOCK_PATH=/run/ack "
		if env := strings.Join(got.env, " "); env != einhorn+test.want || got.step != test.stepped {
			t.Errorf("%s (no step: %v): %s, step %v; want … %s", test.line, test.noStep, env, got.step, test.want)
		}
	}
	if got := handOver(&Spec{Argv: []string{"puma"}}, 42, "/run/ack", true); len(got.env) > 0 || got.step {
		t.Errorf("with no sockets: %v", got)
	}
}

// TestStopsIsTold: whoever holds sockets open for what is started hears once, and
// at the begin of the stop, that nothing will be.
func TestStopsIsTold(t *testing.T) {
	for name, c := range map[string]Config{
		"by the plan": {Specs: specs("web", 2)},
		"forwarded":   {Specs: specs("web", 1), Pass: true, OwnStatus: true},
	} {
		told := []time.Time{}
		c.Stops = func() { told = append(told, time.Now()) }
		var asked time.Time
		h := inHouse(t, c, always(behaviour{work: 2 * time.Second}), func(h *house) {
			time.Sleep(20 * time.Second)
			asked = time.Now()
			h.term()
		})
		if len(told) != 1 || !told[0].Equal(asked) || h.ended.Sub(asked) < 2*time.Second {
			t.Errorf("%s: asked at %s, ended at %s, told at %v", name, asked, h.ended, told)
		}
	}
}
