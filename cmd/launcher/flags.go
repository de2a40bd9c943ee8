package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dyno/procfile"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commandLine carries args out. The parser ends at the first flag that it does
// not know; of the commands that start something that flag is noted, and the
// command line read again without it, so that all mistakes are told at once.
func (a *app) commandLine(args []string) error {
	for range len(args) + 1 {
		root := a.root()
		root.SetArgs(args)
		err := root.Execute()
		mistake := new(flagError)
		if !errors.As(err, &mistake) || mistake.cmd.Flags().Lookup("budget") == nil {
			return together(a.wrong, err)
		}
		rest, found := a.without(args, mistake)
		if !found {
			return together(a.wrong, err)
		}
		a.wrong = together(a.wrong, err)
		args = rest
	}
	return a.wrong
}

// flagError is what the parser found wrong with a flag.
type flagError struct {
	procfile.Problem
	cmd  *cobra.Command
	flag string // as it was given: --conut, or of -qx the q
	near string // the flag that was meant, perhaps
}

func (e *flagError) Unwrap() error { return &e.Problem }

// flagMistake puts what pflag found wrong into our words, with a suggestion.
func flagMistake(cmd *cobra.Command, err error) error {
	see := "see " + cmd.CommandPath() + " --help"
	e := &flagError{Problem: procfile.Problem{What: err.Error(), Remedy: see}, cmd: cmd}
	var (
		unknown *pflag.NotExistError
		lacking *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &lacking):
		e.flag = "--" + lacking.GetFlag().Name
		e.What = "flag needs an argument: " + e.flag
		if lacking.GetSpecifiedShortnames() != "" {
			e.flag = "-" + lacking.GetSpecifiedName()
		}
	case errors.As(err, &invalid):
		e.Setting = "--" + invalid.GetFlag().Name
		if p := new(procfile.Problem); errors.As(err, &p) {
			e.What, e.Remedy = p.What, p.Remedy
		} else {
			e.What = fmt.Sprintf("%q is no value for it", invalid.GetValue())
		}
	case errors.As(err, &syntax):
		e.flag = syntax.GetSpecifiedFlag()
	case errors.As(err, &unknown):
		e.unknown(unknown)
	}
	return e
}

func (e *flagError) unknown(err *pflag.NotExistError) {
	e.flag = "--" + err.GetSpecifiedName()
	if err.GetSpecifiedShortnames() != "" {
		e.flag = "-" + err.GetSpecifiedName()
	}
	e.What = "unknown flag " + e.flag
	e.near = procfile.Suggest(err.GetSpecifiedName(), flagNames(e.cmd))
	switch {
	case e.near != "":
		e.Remedy = "did you mean --" + e.near + "?"
	case e.cmd.Name() == "run":
		e.Remedy += "; what is meant for the processes goes after --"
	case !e.cmd.HasParent():
		e.Remedy += "; flags go after the command"
	}
}

func flagNames(cmd *cobra.Command) []string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// without is args without the flag that is wrong: the flag that was meant stands
// in its place, so that its value is looked at too; where none is, what seems to
// be its value goes with it. found is false where the flag is not found.
func (a *app) without(args []string, e *flagError) (rest []string, found bool) {
	end := slices.Index(args, "--")
	if end < 0 {
		end = len(args)
	}
	at := slices.IndexFunc(args[:end], e.is)
	if at < 0 {
		return nil, false
	}
	rest = slices.Clone(args)
	_, value, given := strings.Cut(args[at], "=")
	switch {
	case e.near != "" && given:
		rest[at] = "--" + e.near + "=" + value
		return rest, true
	case e.near != "":
		rest[at] = "--" + e.near
		return rest, true
	}
	next := at + 1
	if !given && next < end && a.seemsValue(e, args[next]) {
		next++
	}
	return slices.Delete(rest, at, next), true
}

// is tells whether arg is the flag that is wrong.
func (e *flagError) is(arg string) bool {
	name, _, _ := strings.Cut(arg, "=")
	if strings.HasPrefix(e.flag, "--") || len(e.flag) != 2 {
		return e.flag != "" && (name == e.flag || arg == e.flag)
	}
	return strings.HasPrefix(arg, "-") && !strings.HasPrefix(arg, "--") && strings.Contains(name, e.flag[1:])
}

// seemsValue tells whether a word after an unknown flag may be its value.
func (a *app) seemsValue(e *flagError, word string) bool {
	typ, _, _ := strings.Cut(word, "=")
	return e.cmd.Name() != "exec" && !strings.HasPrefix(word, "-") && !isType(typ, a.environ) &&
		!slices.ContainsFunc(e.cmd.Root().Commands(), func(c *cobra.Command) bool { return c.Name() == word })
}
