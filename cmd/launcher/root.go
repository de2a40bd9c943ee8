package main

import (
	"fmt"
	"os"
	"path/filepath"

	"dyno/procfile"

	"github.com/spf13/cobra"
)

// Exit statuses of DESIGN 3 that do not come from the supervisor: it cannot
// begin, and a mistake in the command line or in the configuration.
const (
	statusFailed = 1
	statusUsage  = 2
)

// app is one run of the program: what it was called with, and the exit status
// that the command came to.
type app struct {
	name    string   // "launcher", or "launcherctl" where it was called so
	argv    []string // with its own name
	environ []string // the environment it was given
	wrong   error    // flags that it does not know; it starts nothing then
	status  int
}

// execute runs the command that argv names and returns the exit status.
func execute(argv, environ []string) int {
	if len(argv) == 0 { // execve(2) allows it
		argv = []string{"launcher"}
	}
	a := &app{name: "launcher", argv: argv, environ: environ}
	if filepath.Base(argv[0]) == "launcherctl" {
		a.name = "launcherctl"
	}
	if err := a.commandLine(argv[1:]); err != nil {
		endOnSignal() // standard error may be stuck
		complain(err)
		return statusUsage
	}
	return a.status
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:               a.name,
		Short:             "run the processes of a Procfile, and stop them in time",
		Args:              cobra.ArbitraryArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE:              a.noCommand,
	}
	root.Flags().SetInterspersed(false) // `launcher bash -c …` is about bash, not about -c
	root.Flags().Bool("version", false, "what `launcher version` prints")
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { a.help(cmd) })
	root.SetFlagErrorFunc(flagMistake)
	root.AddCommand(a.run(), a.start(), a.exec(), a.check(), a.version(), a.completion())
	root.AddCommand(a.statusCommand(), a.quiet(), a.resume(), a.stop(), a.restart(), a.scale(), a.signal())
	root.AddCommand(a.buildpack(), a.man())
	root.SetHelpCommand(a.helpCommand())
	return root
}

// noCommand is what happens where no command is named, or an unknown one.
func (a *app) noCommand(cmd *cobra.Command, words []string) error {
	if asked, _ := cmd.Flags().GetBool("version"); asked {
		printVersion()
		return nil
	}
	endOnSignal()
	if len(words) == 0 {
		os.Stderr.WriteString(overview(cmd))
		return &procfile.Problem{What: "no command", Remedy: "the commands are listed above"}
	}
	return a.unknownCommand(cmd, words[0])
}

// unknownCommand is the mistake of one who took the launcher for foreman
// ("launcher worker") or for tini ("launcher bash"), or mistyped.
func (a *app) unknownCommand(cmd *cobra.Command, word string) error {
	p := &procfile.Problem{What: fmt.Sprintf("unknown command %q", word)}
	var names []string
	for _, c := range listed(cmd.Root()) {
		names = append(names, c.Name())
	}
	switch near := procfile.Suggest(word, append(names, "help")); {
	case isType(word, a.environ):
		p.Remedy = fmt.Sprintf("%s is a process type: launcher run %s", word, word)
	case near != "":
		p.Remedy = fmt.Sprintf("did you mean launcher %s?", near)
	default:
		p.Remedy = fmt.Sprintf("launcher help lists them; a command of your own goes to launcher exec -- %s", word)
	}
	return p
}
