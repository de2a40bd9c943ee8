package control

import (
	"fmt"
	"slices"
	"time"

	"dyno/launcher"
)

// Check is what readiness says of the launcher or of one process.
type Check struct {
	Name   string // "launcher", "worker.2"
	Type   string // "worker"; "" of the launcher
	Reason string // why it is not ready; "": it is
}

// slot is one that processes have one after the other, or two at once.
type slot struct {
	typ    string
	number int
}

// Slots are the checks of all slots that are to have a ready process: the old one
// serves until the new one is ready. One that has done what it was for, and one
// that is to go, are left out.
func (s *Status) Slots() []Check {
	serving := make(map[slot]bool)
	for i := range s.Processes {
		if p := &s.Processes[i]; p.Old && p.Ready {
			serving[slot{p.Type, p.Slot}] = true
		}
	}
	var checks []Check
	for i := range s.Processes {
		p := &s.Processes[i]
		if p.Old || p.Done {
			continue
		}
		check := Check{Name: p.Name, Type: p.Type}
		if !serving[slot{p.Type, p.Slot}] {
			check.Reason = p.notReady(s.Time)
		}
		checks = append(checks, check)
	}
	return checks
}

// Readiness tells whether all is ready, and of each slot why it is not. Quiet or
// stopping nothing is ready (DESIGN 6).
func (s *Status) Readiness() (ready bool, checks []Check) {
	own := Check{Name: "launcher"}
	switch {
	case s.Stopping != "":
		own.Reason = "stopping, " + s.Stopping
	case s.Quiet:
		own.Reason = "quiet"
	}
	checks = append([]Check{own}, s.Slots()...)
	return !slices.ContainsFunc(checks, func(c Check) bool { return c.Reason != "" }), checks
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
