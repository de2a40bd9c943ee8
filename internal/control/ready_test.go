package control

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestReadiness(t *testing.T) {
	now := time.Unix(1e9, 0)
	one := func(change func(*Process)) Status {
		p := Process{Name: "worker.2", Type: "worker", State: "ready", Ready: true, Since: now.Add(-4 * time.Second)}
		change(&p)
		return Status{Time: now, Processes: []Process{{Name: "worker.1", Type: "web", State: "ready", Ready: true}, p}}
	}
	same := func(*Process) {}
	with := func(s Status, change func(*Status)) Status { change(&s); return s }
	for _, c := range []struct {
		status Status
		want   string
	}{
		{one(same), "true: launcher= worker.1= worker.2="},
		{Status{}, "true: launcher="}, // scaled to nothing
		{with(one(same), func(s *Status) { s.Quiet = true }), "false: launcher=quiet worker.1= worker.2="},
		{with(one(same), func(s *Status) { s.Stopping = "asked by TERM" }), "false: launcher=stopping, asked by TERM worker.1= worker.2="},
		{one(func(p *Process) { p.State, p.Ready = "starting", false }), "false: launcher= worker.1= worker.2=starting for 4s"},
		{one(func(p *Process) {
			p.State, p.Ready, p.NextStart, p.Failed, p.Ended = "waiting", false, now.Add(3*time.Second), 4, "status 1"
		}), "false: launcher= worker.1= worker.2=waiting, again in 3s, failed 4 times in a row, the last: status 1"},
		{one(func(p *Process) { p.State, p.Ready = "quieting", false }), "false: launcher= worker.1= worker.2=quieting for 4s"},
		{one(func(p *Process) { p.State, p.Ready, p.Old = "stopping", false, true }), "true: launcher= worker.1="},
		{with(one(func(p *Process) { p.State, p.Ready = "starting", false }), func(s *Status) { // in a restart the old one serves still
			s.Processes = append(s.Processes, Process{Name: "worker.2 (old)", Type: "worker", State: "ready", Ready: true, Old: true})
		}), "true: launcher= worker.1= worker.2="},
		{one(func(p *Process) { p.State, p.Ready, p.Done = "down", false, true }), "true: launcher= worker.1="},
		{one(func(p *Process) { p.State, p.Ready, p.Ended = "down", false, "status 1" }), "false: launcher= worker.1= worker.2=down, the last: status 1"},
	} {
		ready, checks := c.status.Readiness()
		var got []string
		for _, check := range checks {
			got = append(got, check.Name+"="+check.Reason)
		}
		if text := fmt.Sprintf("%t: %s", ready, strings.Join(got, " ")); text != c.want {
			t.Errorf("got  %s\nwant %s", text, c.want)
		}
	}
}
