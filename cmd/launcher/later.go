package main

import (
	"slices"

	"dyno/procfile"

	"github.com/spf13/cobra"
)

// laterCommands ask a launcher that runs. They need its control socket (DESIGN 7).
var laterCommands = []struct{ use, short string }{
	{"status [--json] [--watch]", "what the processes do"},
	{"quiet [NAME|TYPE] [--wait[=DURATION]]", "stop taking work"},
	{"resume [TYPE]", "fresh processes for the quieted ones"},
	{"stop [NAME|TYPE] [--wait] [--budget D]", "stop processes"},
	{"restart [NAME|TYPE] [--wait]", "replace processes one by one"},
	{"scale TYPE=N", "more or fewer processes"},
	{"signal SIG [NAME|TYPE]", "send a signal"},
}

const notYet = "not yet in this version"

func (a *app) later() []*cobra.Command {
	var commands []*cobra.Command
	for _, c := range laterCommands {
		commands = append(commands, &cobra.Command{
			Use:                c.use,
			Short:              c.short,
			Long:               "Not yet in this version.",
			Hidden:             true,
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				if slices.Contains(args, "-h") || slices.Contains(args, "--help") {
					return cmd.Help()
				}
				return &procfile.Problem{
					Setting: cmd.Name(), What: notYet,
					Remedy: "signals do it: TERM stops, HUP restarts, TSTP quiets, TTIN logs the status",
				}
			},
		})
	}
	return commands
}
