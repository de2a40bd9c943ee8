package main

import (
	"fmt"

	"dyno/procfile"

	"github.com/spf13/cobra"
)

const aboutStart = `Runs every process type of the Procfile, one process each, as foreman does;
release and console are left out. Each process has a PORT of its own.`

func (a *app) start() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "start [-m all=1,worker=4]",
		Short:             "every process type of the Procfile",
		Long:              aboutStart,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := noWords(cmd, args); err != nil {
				return err
			}
			return a.supervise(a.read("start", cmd.Flags(), nil, nil))
		},
	}
	a.addFlags(cmd, "start")
	return cmd
}

func noWords(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return &procfile.Problem{
		What:   fmt.Sprintf("%s takes no arguments: %q", cmd.Name(), args[0]),
		Remedy: fmt.Sprintf("some types only: launcher run %s, or -m all=0,%s=1", args[0], args[0]),
	}
}
