package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"dyno/procfile"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	helpWidth  = 80
	helpColumn = 28 // where the texts begin
)

const overviewEnd = `
On SIGTERM: the quiet signal where it is heard; after --quiet-for the stop
signal; shortly before the end of --budget KILL; then nothing is left.

Exit status: 0 stopped as asked; 1 gave up; 2 usage or configuration; 3 stopped
as asked, but something had to be killed. Of exec with one process, and with
--restart never or on-failure, it is that of the processes.
`

func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "this, or the help of a command",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			for _, c := range listed(cmd.Root()) {
				names = append(names, c.Name()+"\t"+c.Short)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			switch {
			case err != nil || found == nil || !found.HasParent() && len(rest) > 0:
				return a.unknownCommand(cmd, args[0])
			case len(rest) > 0:
				return &procfile.Problem{
					What:   fmt.Sprintf("%s has no command %q", found.CommandPath(), rest[0]),
					Remedy: "launcher help " + found.Name() + " is about all of it",
				}
			}
			return found.Help()
		},
	}
}

// help writes a command's help to standard output, at most 80 columns wide.
func (a *app) help(cmd *cobra.Command) {
	if !cmd.HasParent() {
		os.Stdout.WriteString(overview(cmd))
		return
	}
	os.Stdout.WriteString(commandHelp(cmd))
}

// listed are the commands that the help lists.
func listed(root *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(root.Commands()), func(c *cobra.Command) bool { return c.Hidden })
}

// isClient tells the commands that ask a launcher that runs.
func isClient(c *cobra.Command) bool { return c.Flags().Lookup("timeout") != nil }

// overview is what `launcher help` says.
func overview(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nCommands:\n", root.Name(), root.Short)
	for _, c := range listed(root) {
		entry(&b, c.Use, c.Short)
	}
	fmt.Fprintf(&b, "\nFlags of a command: %s COMMAND --help\n%s", root.Name(), overviewEnd)
	return b.String()
}

// commandHelp is one command's usage, text and flags, in groups.
func commandHelp(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s %s\n", cmd.Parent().CommandPath(), cmd.Use)
	if cmd.Long != "" {
		fmt.Fprintf(&b, "\n%s\n", cmd.Long)
	}
	if isClient(cmd) {
		clientFlags(&b, cmd)
		return b.String()
	}
	for _, group := range []string{groupWhat, groupStop, groupRestart, groupHealth, groupLog, groupTold} {
		heading := "\n" + group + ":\n"
		for _, s := range table() {
			if s.group != group || cmd.Flags().Lookup(s.flag) == nil {
				continue
			}
			b.WriteString(heading)
			heading = ""
			entry(&b, flagWords(s), flagHelp(s))
		}
	}
	b.WriteString("\nA flag wins over the environment, and that over launcher.toml; launcher check\ntells what came of them.\n")
	return b.String()
}

// clientFlags are those of the commands that ask a launcher that runs.
func clientFlags(b *strings.Builder, cmd *cobra.Command) {
	b.WriteString("\nFlags:\n")
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		words, help := clientFlag(f)
		entry(b, words, help)
	})
}

// clientFlag is one of them: "--wait[=TIME]", and what it does.
func clientFlag(f *pflag.Flag) (words, help string) {
	value, help := pflag.UnquoteUsage(f)
	words = "--" + f.Name
	switch {
	case f.NoOptDefVal == "auto":
		words += "[=" + value + "]"
	case value != "":
		words += " " + value
	}
	return words, help
}

// flagWords is the left side: "-c, --count N".
func flagWords(s setting) string {
	words := "    --" + s.flag
	if s.short != "" {
		words = "-" + s.short + ", --" + s.flag
	}
	if s.value != "" {
		words += " " + s.value
	}
	return words
}

// flagHelp is the right side: what it does, its default and its variables.
func flagHelp(s setting) string {
	return fmt.Sprintf("%s (default %s) [$%s]", s.help, s.def, strings.Join(s.env, ", $"))
}

// entry writes one line of a list in two columns; a left side that is too long
// has a line of its own.
func entry(b *strings.Builder, left, right string) {
	left = "  " + left
	if len(left) > helpColumn-2 {
		fmt.Fprintln(b, left)
		left = ""
	}
	wrap(b, fmt.Sprintf("%-*s", helpColumn, left), right)
}

// wrap writes text in lines of at most 80 columns; the first begins with
// first, the others with as many blanks.
func wrap(b *strings.Builder, first, text string) {
	line, empty := first, true
	for word := range strings.FieldsSeq(text) {
		if !empty && len(line)+1+len(word) > helpWidth {
			fmt.Fprintln(b, line)
			line, empty = strings.Repeat(" ", len(first)), true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(b, strings.TrimRight(line, " "))
}
