package main

import (
	"dyno/procfile"

	"github.com/spf13/cobra"
)

const aboutExec = `Runs one command with no Procfile, in the place of tini or dumb-init
(ENTRYPOINT ["launcher","exec","--"]), or before the command of a Procfile line.
Flags end at the first word of the command. With one process the exit status is
the command's own: 128+N for signal N, 126 not executable, 127 not found.`

func (a *app) exec() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exec [--] CMD ARG ...",
		Short: "one command, no Procfile",
		Long:  aboutExec,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needsCommand(args); err != nil {
				return err
			}
			return a.supervise(a.read("exec", cmd.Flags(), args, nil))
		},
	}
	a.addFlags(cmd, "exec")
	cmd.Flags().SetInterspersed(false)
	return cmd
}

func needsCommand(args []string) error {
	if len(args) > 0 {
		return nil
	}
	return &procfile.Problem{What: "exec needs a command", Remedy: "like launcher exec -- bundle exec sidekiq"}
}
