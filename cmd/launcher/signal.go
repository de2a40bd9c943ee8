package main

import (
	"dyno/launcher"

	"github.com/spf13/cobra"
)

const aboutSignal = `Sends a signal to processes, to all with no name: to the worker itself, through
sh -c and other wrappers. The launcher does nothing else; one that ends by it is
started again as after a crash.`

func (a *app) signal() *cobra.Command {
	return a.operate("signal SIG [NAME|TYPE]", "send a signal", aboutSignal, 1, 2,
		func(o *operator, args []string) error {
			sig, err := parseSignal("signal", args[0])
			if err != nil {
				return err
			}
			_, err = o.ask(launcher.Request{Verb: launcher.AskSignal, Target: optional(args[1:]), Signal: sig})
			return err
		})
}
