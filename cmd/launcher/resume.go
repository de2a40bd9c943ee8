package main

import (
	"dyno/launcher"

	"github.com/spf13/cobra"
)

const aboutResume = `Undoes a quiet, or a stop of NAME: fresh processes are started for those that
are quieted or down. What still drains does so to its end, beside the fresh one.`

func (a *app) resume() *cobra.Command {
	return a.operate("resume [NAME|TYPE]", "fresh processes for the quieted ones", aboutResume, 0, 1,
		func(o *operator, args []string) error {
			_, err := o.ask(launcher.Request{Verb: launcher.AskResume, Target: optional(args)})
			return err
		})
}
