package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dyno/internal/control"
	"dyno/launcher"

	"github.com/spf13/cobra"
)

const aboutQuiet = `Tells processes to take no more work; what ends after that is not started again
until launcher resume. With --wait it returns when all have finished theirs: a
preStop hook of Kubernetes that needs no shell, with status 0, or 1 and the
reason. Without a time, --wait takes LAUNCHER_GRACE, or 30s, less the launcher's
budget and 2s. What hears no quiet signal is named, and not waited for.`

func (a *app) quiet() *cobra.Command {
	var wait waiting
	cmd := a.operate("quiet [NAME|TYPE] [--wait[=TIME]]", "stop taking work", aboutQuiet, 0, 1,
		func(o *operator, args []string) error { return o.quiet(optional(args), wait) })
	addWait(cmd.Flags(), &wait, "return when all are drained, or this `TIME` is over")
	return cmd
}

func (o *operator) quiet(target string, wait waiting) error {
	begin := time.Now()
	limit := wait.limit
	if wait.asked && limit == 0 {
		var err error
		if limit, err = o.grace(); err != nil {
			return err
		}
	}
	reply, err := o.ask(launcher.Request{Verb: launcher.AskQuiet, Target: target})
	if err != nil {
		return err
	}
	if wait.asked && wait.limit == 0 {
		limit = max(limit-budgetOf(*reply.Status)-graceMargin, leastWait)
	}
	var deaf []string
	undrained := func(s control.Status) (left []string) {
		for _, p := range those(s, reply.Names) {
			switch {
			case p.State == launcher.Down.String(), p.State == launcher.Waiting.String(), p.Drained:
			case p.HearsQuiet:
				left = append(left, p.Name)
			case !slices.Contains(deaf, p.Name):
				deaf = append(deaf, p.Name)
				note("%s hears no quiet signal: it goes on until it is stopped, and is not waited for", p.Name)
			}
		}
		return left
	}
	if !wait.asked {
		undrained(*reply.Status)
		return nil
	}
	done := func(s control.Status) (bool, error) { return len(undrained(s)) == 0, nil }
	left := func(s control.Status) string {
		return "not drained: " + strings.Join(undrained(s), ", ")
	}
	if err := o.await(*reply.Status, limit, done, left); err != nil {
		return err
	}
	if len(deaf) < len(reply.Names) {
		fmt.Printf("drained in %s\n", time.Since(begin).Round(100*time.Millisecond))
	}
	return nil
}

const (
	platformGrace = 30 * time.Second // Kubernetes' and Heroku's own
	graceMargin   = 2 * time.Second
	leastWait     = time.Second
)

// grace is what the platform gives from the hook's begin to its KILL.
func (o *operator) grace() (time.Duration, error) {
	text := lookup(o.environ, "LAUNCHER_GRACE")
	if text == "" {
		return platformGrace, nil
	}
	return duration("LAUNCHER_GRACE", text)
}

// budgetOf is how long a stop of that launcher takes at most.
func budgetOf(s control.Status) time.Duration {
	budget, err := time.ParseDuration(s.Budget)
	if err != nil {
		return launcher.DefaultBudget
	}
	return budget
}
