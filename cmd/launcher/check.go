package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"dyno/internal/listen"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const aboutCheck = `Says what would run, without running it: every setting and where it came from,
every process and how it is started, and all mistakes at once. With no TYPE it
looks at what launcher start would do, with a TYPE at what launcher run would;
launcher check exec looks at launcher exec. The exit status is 2 where something
is wrong.`

func (a *app) check() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "check [TYPE[=N] ...] [-- ARG ...]",
		Short:             "what would run, and what is wrong",
		Long:              aboutCheck,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.completeTypes,
		RunE: func(cmd *cobra.Command, args []string) error {
			words, rest := splitArgs(cmd, args)
			if len(words) == 0 {
				return a.report("start", cmd.Flags(), nil, nil)
			}
			return a.report("run", cmd.Flags(), words, rest)
		},
	}
	a.addFlags(cmd, withProcfile)
	cmd.AddCommand(a.checkExec())
	return cmd
}

func (a *app) checkExec() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "exec [--] CMD ARG ...",
		Short: "what launcher exec would do",
		Long:  "Says what launcher exec would do with the same flags and words.",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := needsCommand(args); err != nil {
				return err
			}
			return a.report("exec", cmd.Flags(), args, nil)
		},
	}
	a.addFlags(cmd, "exec")
	cmd.Flags().SetInterspersed(false)
	return cmd
}

// report prints what was resolved; with mistakes, what could be.
func (a *app) report(command string, flags *pflag.FlagSet, words, args []string) error {
	endOnSignal()
	s, mistake := a.read(command, flags, words, args)
	if by := stoppedBy(0); errors.As(mistake, &by) {
		a.status = by.status()
		return nil
	}
	s.Sockets = listen.NewTrial()
	mistake = together(mistake, s.takeHanded(), s.tryEndpoints())
	gen, err := resolve(s.request, true)
	var b strings.Builder
	b.WriteString("settings:\n")
	list(&b, s.decisions)
	reportTypes(&b, gen)
	if err == nil && mistake == nil {
		reportProcesses(&b, gen)
	}
	for _, w := range append(s.warnings, gen.Warnings...) {
		fmt.Fprintf(&b, "\nwarning: %s\n", oneLine(w))
	}
	os.Stdout.WriteString(b.String())
	return together(mistake, err)
}

// list writes decisions in three columns.
func list(b *strings.Builder, decisions []decision) {
	name, value := 0, 0
	for _, d := range decisions {
		name, value = max(name, len(d.Name)), max(value, min(len(d.Value), 40))
	}
	for _, d := range decisions {
		fmt.Fprintf(b, "  %-*s  %-*s  %s\n", name, d.Name, value, oneLine(d.Value), d.Source)
	}
}

// reportTypes lists what was decided from the files: first what is of all
// types, then type by type. The name of a type's decision is "worker: count".
func reportTypes(b *strings.Builder, gen *generation) {
	var order []string
	of := map[string][]decision{}
	for _, d := range gen.Decisions {
		typ, name, ok := strings.Cut(d.Name, ": ")
		if !ok {
			typ, name = "", d.Name
		}
		if _, known := of[typ]; !known && typ != "" {
			order = append(order, typ)
		}
		of[typ] = append(of[typ], decision{name, d.Value, d.Source})
	}
	for _, f := range gen.EnvRead {
		of[""] = append(of[""], decision{"variables", fmt.Sprint(f.Variables), f.File})
	}
	b.WriteString("\nfiles:\n")
	list(b, of[""])
	for _, typ := range order {
		fmt.Fprintf(b, "\n%s:\n", typ)
		list(b, of[typ])
	}
}

// reportProcesses lists the processes in the order in which they would start.
func reportProcesses(b *strings.Builder, gen *generation) {
	b.WriteString("\nprocesses:\n")
	if len(gen.Specs) == 0 {
		b.WriteString("  none\n")
	}
	var processes []decision
	for i := range gen.Specs {
		spec := &gen.Specs[i]
		processes = append(processes, decision{spec.Name(), "INDEX=" + lookup(spec.Env, "INDEX"), oneLine(commandLine(spec.Argv))})
	}
	list(b, processes)
}

// commandLine shows words so that they could be typed again.
func commandLine(argv []string) string {
	words := make([]string, len(argv))
	for i, word := range argv {
		words[i] = word
		if word == "" || strings.ContainsAny(word, " \t\n\"'\\$`*?[]{}()<>|&;~#!") {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
