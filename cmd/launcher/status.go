package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"dyno/internal/control"
	"dyno/launcher"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const aboutStatus = `Shows what the processes do. Memory is what is resident of a process and all
below it. With --json it is what GET /status answers, and the memory. With
--watch it is shown again at every change, until the launcher has gone. With
--ready the exit status says whether every process is ready, as /readyz does,
for a HEALTHCHECK in an image with no shell.`

// redrawPause bounds what a fleet that crashes costs its watcher.
const redrawPause = 100 * time.Millisecond

func (a *app) statusCommand() *cobra.Command {
	var asJSON, watch, ready bool
	cmd := a.operate("status [--json] [--watch] [--ready]", "what the processes do", aboutStatus, 0, 0,
		func(o *operator, _ []string) error {
			status, err := o.status()
			if err != nil {
				return err
			}
			if ready {
				return readiness(status)
			}
			if watch {
				return o.show(status, asJSON)
			}
			o.print(os.Stdout, status, asJSON, "  ")
			return nil
		})
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON; with --watch one line a change")
	cmd.Flags().BoolVar(&ready, "ready", false, "only whether all is ready: exit status 0, or 1 with the reason")
	cmd.Flags().BoolVar(&watch, "watch", false, "show it again at every change")
	return cmd
}

// readiness says that all is ready, or fails with what is not.
func readiness(status control.Status) error {
	ready, checks := status.Readiness()
	if ready {
		fmt.Println("ready")
		return nil
	}
	var reasons []string
	for _, c := range checks {
		if c.Reason != "" {
			reasons = append(reasons, c.Name+" is not ready: "+oneLine(c.Reason))
		}
	}
	return errors.New(strings.Join(reasons, "; "))
}

// show shows the status at every change until the launcher has gone.
func (o *operator) show(status control.Status, asJSON bool) error {
	clear := ""
	if term.IsTerminal(1) && !asJSON {
		clear = "\x1b[H\x1b[2J"
	}
	for {
		var b strings.Builder
		b.WriteString(clear)
		o.print(&b, status, asJSON, "")
		if clear == "" && !asJSON {
			b.WriteByte('\n')
		}
		if _, err := os.Stdout.WriteString(b.String()); err != nil {
			return err
		}
		time.Sleep(redrawPause)
		next, err := o.watch(context.Background(), status.Version)
		if errors.Is(err, control.ErrGone) {
			note("the launcher has gone")
			return nil
		}
		if err != nil {
			return err
		}
		status = next
	}
}

// print writes one status, the memory added.
func (o *operator) print(w io.Writer, status control.Status, asJSON bool, indent string) {
	if o.PID == status.PID { // else its pids are not ours
		addMemory(&status)
	}
	if asJSON {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", indent)
		_ = encoder.Encode(status)
		return
	}
	io.WriteString(w, statusText(status))
}

// statusText is the form for people.
func statusText(s control.Status) string {
	var b strings.Builder
	ready, wanted := 0, 0
	for _, p := range s.Processes {
		if !p.Old {
			wanted++
		}
		if p.Ready {
			ready++
		}
	}
	fmt.Fprintf(&b, "launcher, pid %d, up %s, %d/%d ready", s.PID, brief(s.Time.Sub(s.Began)), min(ready, wanted), wanted)
	if s.Quiet {
		b.WriteString(", quiet")
	}
	if s.Adopted > 0 {
		fmt.Fprintf(&b, ", %d orphans reaped", s.Adopted)
	}
	b.WriteByte('\n')
	if s.Stopping != "" {
		fmt.Fprintf(&b, "stopping, %s: over in %s at the latest\n", s.Stopping, brief(max(0, s.StopBy.Sub(s.Time))))
	}
	if s.Restart != "" {
		fmt.Fprintf(&b, "restart: %s\n", s.Restart)
	}
	if len(s.Processes) == 0 {
		return b.String()
	}
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	releases := releasesDiffer(s.Processes)
	head := "PROCESS\tSTATE\tPID\tUP\tRESTARTS\tMEMORY\tREADY\tLAST END"
	if releases {
		head += "\tREVISION\tDIRECTORY"
	}
	fmt.Fprintln(t, head)
	for _, p := range s.Processes {
		cells := row(p, s.Time)
		if releases {
			cells = append(cells, cmp.Or(p.Revision, "-"), p.Dir)
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	_ = t.Flush()
	return b.String()
}

// releasesDiffer tells whether there is anything to say of where the processes
// come from: a revision is known, or not all are from one directory.
func releasesDiffer(processes []control.Process) bool {
	for _, p := range processes {
		if p.Revision != "" || p.Dir != processes[0].Dir {
			return true
		}
	}
	return false
}

// row is a line of the table.
func row(p control.Process, now time.Time) []string {
	pid, up, memory, ready, ended := "-", "-", "-", "no", "-"
	if p.PID != 0 {
		pid, up = fmt.Sprint(p.PID), brief(now.Sub(p.Started))
	}
	if p.Memory > 0 {
		memory = fmt.Sprintf("%.1f MB", float64(p.Memory)/1e6)
	}
	if p.Ready {
		ready = "yes"
	}
	if p.Ended != "" {
		ended = p.Ended
	}
	if p.Replaced != "" {
		ended += ", was replaced: " + p.Replaced
	}
	return []string{p.Name, stateWords(p, now), pid, up, fmt.Sprint(p.Restarts), memory, ready, oneLine(ended)}
}

// stateWords is the state, and what more there is to say of it.
func stateWords(p control.Process, now time.Time) string {
	words := p.State
	switch {
	case p.State == launcher.Waiting.String() && p.NextStart.After(now):
		words += ", " + brief(p.NextStart.Sub(now)) + " more"
	case p.Drained:
		words += ", drained"
	case !p.Draining.IsZero():
		words += ", draining for " + brief(now.Sub(p.Draining))
	case !p.HearsQuiet:
		words += ", hears no quiet signal"
	}
	if p.Failed > 1 && p.State != launcher.Down.String() {
		words += fmt.Sprintf(", failed %d times", p.Failed)
	}
	if p.Probe != "" {
		words += ", " + oneLine(p.Probe)
	}
	if p.Says != "" {
		words += ", says: " + oneLine(p.Says)
	}
	return words
}

// brief is a duration in its two largest units: 3d4h, 2m5s, 0.3s.
func brief(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", max(0, d).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}
