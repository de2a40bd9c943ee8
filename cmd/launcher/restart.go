package main

import (
	"errors"
	"fmt"
	"strings"

	"dyno/internal/control"
	"dyno/launcher"

	"github.com/spf13/cobra"
)

const aboutRestart = `Replaces processes one at a time by new ones: with no name all of them, from the
files as they are now, as HUP does. With --wait it returns when that is done, or
with status 1 and the reason when it was aborted and the old ones came back.`

func (a *app) restart() *cobra.Command {
	var wait waiting
	cmd := a.operate("restart [NAME|TYPE] [--wait[=TIME]]", "replace processes one by one", aboutRestart, 0, 1,
		func(o *operator, args []string) error { return o.restart(optional(args), wait) })
	addWait(cmd.Flags(), &wait, "return when it is over, or this `TIME` is (default: no limit)")
	return cmd
}

// aborted begins what the status says of a restart that failed.
const aborted = "aborted: "

func (o *operator) restart(target string, wait waiting) error {
	reply, err := o.ask(launcher.Request{Verb: launcher.AskRestart, Target: target})
	if err != nil || !wait.asked {
		return err
	}
	goingBack := "; going back"
	done := func(s control.Status) (bool, error) {
		switch {
		case s.Stopping != "":
			return false, errors.New("the launcher is stopping: " + s.Stopping)
		case s.Restart == "":
			return true, nil
		case strings.HasPrefix(s.Restart, aborted) && !strings.HasSuffix(s.Restart, goingBack):
			return false, errors.New(s.Restart)
		}
		return false, nil
	}
	left := func(s control.Status) string { return s.Restart }
	if err := o.await(*reply.Status, wait.limit, done, left); err != nil {
		return err
	}
	fmt.Println("restarted")
	return nil
}
