package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"dyno/internal/control"
	"dyno/launcher"

	"github.com/spf13/cobra"
)

const aboutStop = `Stops processes by the ordinary plan: quiet, TERM, KILL, inside the budget. What
is named stays down until restart, resume or scale; with no name everything
stops, the launcher itself too. With --wait it returns when that is done.`

// stopSlack is what a stop may be late by before --wait gives up.
const stopSlack = 5 * time.Second

func (a *app) stop() *cobra.Command {
	var wait waiting
	budget := span{name: "budget"}
	cmd := a.operate("stop [NAME|TYPE] [--wait[=TIME]] [--budget TIME]", "stop processes, or everything", aboutStop, 0, 1,
		func(o *operator, args []string) error {
			if d := budget.Duration; d > 0 && d < launcher.LeastBudget {
				return wrong("--budget", fmt.Sprintf("%s is too short", d), fmt.Sprintf("give at least %s", launcher.LeastBudget))
			}
			return o.stop(launcher.Request{Verb: launcher.AskStop, Target: optional(args), Budget: budget.Duration}, wait)
		})
	addWait(cmd.Flags(), &wait, "return when all are down, or this `TIME` is over (default: the budget and 5s)")
	cmd.Flags().Var(&budget, "budget", "a `TIME` shorter than the launcher's own budget")
	return cmd
}

func (o *operator) stop(r launcher.Request, wait waiting) error {
	reply, err := o.ask(r)
	if err != nil || !wait.asked {
		return err
	}
	limit := wait.limit
	if limit == 0 {
		limit = budgetOf(*reply.Status) + stopSlack
	}
	running := func(s control.Status) (names []string) {
		for _, p := range those(s, reply.Names) {
			if p.PID != 0 {
				names = append(names, p.Name)
			}
		}
		return names
	}
	left := func(s control.Status) string {
		if names := running(s); len(names) > 0 {
			return "still running: " + strings.Join(names, ", ")
		}
		return "the launcher itself still runs"
	}
	done := func(s control.Status) (bool, error) { return r.Target != "" && len(running(s)) == 0, nil }
	err = o.await(*reply.Status, limit, done, left)
	if err != nil && !errors.Is(err, control.ErrGone) {
		return err
	}
	fmt.Println("stopped")
	return nil
}
