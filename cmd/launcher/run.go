package main

import (
	"dyno/procfile"

	"github.com/spf13/cobra"
)

const aboutRun = `Runs processes of the Procfile: TYPE one as often as COUNT says, TYPE=N so
often. The ARGs after -- go to each of them. Processes that end are started
again; on SIGTERM they are quieted, stopped and, in the end, killed, all inside
the budget.`

func (a *app) run() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "run TYPE[=N] [TYPE[=N] ...] [-- ARG ...]",
		Short:             "processes of the Procfile",
		Long:              aboutRun,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.completeTypes,
		RunE: func(cmd *cobra.Command, args []string) error {
			words, rest := splitArgs(cmd, args)
			if len(words) == 0 {
				return &procfile.Problem{
					What:   "run needs a process type",
					Remedy: "like launcher run worker; all types: launcher start; a command: launcher exec -- CMD",
				}
			}
			return a.supervise(a.read("run", cmd.Flags(), words, rest))
		},
	}
	a.addFlags(cmd, "run")
	return cmd
}

// splitArgs takes what stands after -- apart from the words before it.
func splitArgs(cmd *cobra.Command, args []string) (words, rest []string) {
	if at := cmd.ArgsLenAtDash(); at >= 0 {
		return args[:at], args[at:]
	}
	return args, nil
}
