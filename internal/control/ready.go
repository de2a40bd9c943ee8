package control

import (
	"fmt"
	"time"

	"dyno/launcher"
)

// Check is what readiness says of the launcher or of one process.
type Check struct {
	Name   string // "launcher", "worker.2"
	Reason string // why it is not ready; "": it is
}

// Readiness tells whether all is ready, and of each slot why it is not. One that
// was replaced, and drains, does not count; nor does one that has done what it
// was for. Quiet or stopping nothing is ready (DESIGN 6).
func (s *Status) Readiness() (ready bool, checks []Check) {
	ready = true
	add := func(name, reason string) {
		checks = append(checks, Check{name, reason})
		ready = ready && reason == ""
	}
	switch {
	case s.Stopping != "":
		add("launcher", "stopping, "+s.Stopping)
	case s.Quiet:
		add("launcher", "quiet")
	default:
		add("launcher", "")
	}
	for i := range s.Processes {
		if p := &s.Processes[i]; !p.Old && !p.Done {
			add(p.Name, p.notReady(s.Time))
		}
	}
	return ready, checks
}

// notReady says why p is not ready; "": it is.
func (p *Process) notReady(now time.Time) string {
	if p.Ready {
		return ""
	}
	words := p.State
	switch p.State {
	case launcher.Waiting.String():
		if wait := p.NextStart.Sub(now); wait > 0 {
			words += ", again in " + rounded(wait)
		}
	case launcher.Down.String():
	default:
		words += " for " + rounded(now.Sub(p.Since))
	}
	if p.Failed > 1 {
		words += fmt.Sprintf(", failed %d times in a row", p.Failed)
	}
	if p.Ended != "" && (p.State == launcher.Waiting.String() || p.State == launcher.Down.String()) {
		words += ", the last: " + p.Ended
	}
	return words
}

func rounded(d time.Duration) string {
	if d < 10*time.Second {
		return max(0, d).Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
