package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// man prints launcher(1) from the definitions that the help is made of.
func (a *app) man() *cobra.Command {
	return &cobra.Command{
		Use:               "man",
		Short:             "the manual page, for man -l -",
		Hidden:            true,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := os.Stdout.WriteString(manPage(cmd.Root()))
			return err
		},
	}
}

// manPage is in the macros of man(7). It has no date: the same program, the
// same page.
func manPage(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH LAUNCHER 1 \"\" %s \"User Commands\"\n.nh\n.ad l\n", roffQuote("launcher "+version))
	fmt.Fprintf(&b, ".SH NAME\nlauncher, launcherctl \\- %s\n", roff(root.Short))
	b.WriteString(".SH SYNOPSIS\n")
	commands := listed(root)
	for _, c := range commands {
		fmt.Fprintf(&b, ".B launcher %s\n%s\n.br\n", roff(c.Name()), roff(strings.TrimPrefix(strings.TrimPrefix(c.Use, c.Name()), " ")))
	}
	b.WriteString(".SH COMMANDS\n")
	for _, c := range commands {
		manCommand(&b, c)
	}
	manFinding(&b, commands)
	manSettings(&b)
	b.WriteString(".SH STOPPING AND EXIT STATUS\n")
	paragraphs(&b, overviewEnd)
	b.WriteString(".SH FILES\n")
	for _, f := range [][2]string{
		{"Procfile", "process types, one a line: TYPE: COMMAND"},
		{"launcher.toml", "the settings under the names of the long flags; in [process.TYPE] for one type"},
		{".env", "variables for the processes"},
	} {
		item(&b, f[0], f[1])
	}
	b.WriteString(".SH SEE ALSO\n.BR systemd.service (5),\n.BR prctl (2)\n")
	return b.String()
}

// manCommand is one command, with the flags that it alone has.
func manCommand(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, ".SS %s\n", roffQuote(c.Use))
	if c.Long == "" {
		paragraphs(b, c.Short)
	} else {
		paragraphs(b, c.Long)
	}
	if isClient(c) {
		manFlags(b, c, func(flag string) bool { return !finding(flag) })
	}
}

// finding tells the flags that all commands have which ask a launcher that runs.
func finding(flag string) bool { return flag == "pid" || flag == "socket" || flag == "timeout" }

// manFlags are those flags of such a command that are wanted.
func manFlags(b *strings.Builder, c *cobra.Command, wanted func(flag string) bool) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && wanted(f.Name) {
			words, help := clientFlag(f)
			item(b, words, help)
		}
	})
}

// manFinding is about the launcher that a command asks.
func manFinding(b *strings.Builder, commands []*cobra.Command) {
	at := slices.IndexFunc(commands, isClient)
	b.WriteString(".SS Which launcher\nThe commands that ask a launcher which runs find it by themselves, or by:\n")
	manFlags(b, commands[at], finding)
}

// manSettings are the flags of run, start and exec, in the help's groups.
func manSettings(b *strings.Builder) {
	b.WriteString(".SH SETTINGS\nFlags of run, start, exec and check. A flag wins over the environment, and that over launcher.toml.\n")
	all := table()
	var groups []string
	for _, s := range all {
		if !slices.Contains(groups, s.group) {
			groups = append(groups, s.group)
		}
	}
	for _, group := range groups {
		fmt.Fprintf(b, ".SS %s\n", roffQuote(group))
		for _, s := range all {
			if s.group == group {
				item(b, strings.TrimSpace(flagWords(s)), flagHelp(s))
			}
		}
	}
}

// item is a tagged paragraph.
func item(b *strings.Builder, tag, text string) {
	fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(tag), roff(text))
}

// paragraphs keeps what is indented as it is, and fills the rest.
func paragraphs(b *strings.Builder, text string) {
	literal := false
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		switch indented := strings.HasPrefix(line, "  "); {
		case line == "":
			if !literal {
				b.WriteString(".PP\n")
			}
			continue
		case indented && !literal:
			b.WriteString(".PP\n.nf\n")
			literal = true
		case !indented && literal:
			b.WriteString(".fi\n.PP\n")
			literal = false
		}
		b.WriteString(roff(line) + "\n")
	}
	if literal {
		b.WriteString(".fi\n")
	}
}

// roff makes text of any string: backslashes and what shells and options are
// written with as they are, and no line a request.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(s)
	if strings.HasPrefix(s, ".") {
		return `\&` + s
	}
	return s
}

// roffQuote makes one argument of a macro.
func roffQuote(s string) string { return `"` + strings.ReplaceAll(roff(s), `"`, `\(dq`) + `"` }
