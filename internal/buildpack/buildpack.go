// Package buildpack is what the scripts under bin/ do: the contracts of Cloud
// Native Buildpacks, API 0.10 (github.com/buildpacks/spec, buildpack.md), and
// of Heroku's classic buildpacks (Dev Center, "Buildpack API"). FACTS 7 and 8.
//
// What it writes depends on the app and the buildpack only: the same input
// gives the same bytes.
package buildpack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
)

// Exit statuses of bin/detect where the buildpack does not apply.
const (
	statusNoCNB     = 100
	statusNoClassic = 1
)

// Call is one call of a script of bin/.
type Call struct {
	Dir     string   // the buildpack's own directory, which holds bin
	Args    []string // what the platform passed; CNB passes what it has in the environment too
	Getenv  func(string) string
	App     string // the working directory: the app, for CNB
	Arch    string // the machine's, in Go's words
	Version string // the launcher's own
	Out     io.Writer
}

// Detect is bin/detect of both worlds: CNB_BUILD_PLAN_PATH tells which. It
// passes where the app has a Procfile, with an empty build plan.
func (c *Call) Detect() (status int, err error) {
	app, none := c.App, statusNoCNB
	classic := c.Getenv("CNB_BUILD_PLAN_PATH") == ""
	if classic {
		none = statusNoClassic
		if app, err = c.argument(0, "BUILD_DIR"); err != nil {
			return 1, err
		}
	}
	info, err := os.Stat(filepath.Join(app, procfileName))
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir():
		return none, nil
	case err != nil:
		return 1, err
	}
	if classic {
		fmt.Fprintln(c.Out, "launcher")
	}
	return 0, nil
}

// argument is one that a classic script cannot do without.
func (c *Call) argument(i int, name string) (string, error) {
	if i >= len(c.Args) || c.Args[i] == "" {
		return "", &procfile.Problem{What: "no " + name, Remedy: "Heroku's build system calls this with BUILD_DIR CACHE_DIR ENV_DIR"}
	}
	return c.Args[i], nil
}

const procfileName = "Procfile"

// entry is one line of the app's Procfile.
type entry struct {
	procfile.Entry
	launched bool // it begins with the launcher
}

// readProcfile reads the app's Procfile. All mistakes are told at once, each
// with its line; those of lines that would start themselves without end too.
func readProcfile(app string) ([]entry, error) {
	text, err := os.ReadFile(filepath.Join(app, procfileName))
	if err != nil {
		return nil, err
	}
	var mistakes *multierror.Error
	parsed, err := procfile.Parse(procfileName, text)
	if err != nil {
		mistakes = multierror.Append(mistakes, err)
	} else if len(parsed) == 0 {
		mistakes = multierror.Append(mistakes, &procfile.Problem{
			File: procfileName, What: "defines no process type", Remedy: "write a line TYPE: COMMAND",
		})
	}
	var entries []entry
	for _, e := range parsed {
		w, _ := procfile.Unwrap(e.Command)
		if w.Starts || slices.Contains(w.Runs, e.Type) {
			mistakes = multierror.Append(mistakes, &procfile.Problem{
				File: procfileName, Line: e.Line, Setting: e.Type,
				What:   "starts this line again, without end",
				Remedy: "write the command itself, or launcher exec COMMAND",
			})
		}
		if w.Wrong != "" {
			mistakes = multierror.Append(mistakes, &procfile.Problem{
				File: procfileName, Line: e.Line, Setting: e.Type,
				What: "launcher exec: " + w.Wrong, Remedy: "write launcher exec [flags] -- COMMAND",
			})
		}
		entries = append(entries, entry{e, procfile.Launched(e.Command)})
	}
	return entries, mistakes.ErrorOrNil()
}

// defaults are the variables that an app gets unless it sets them itself, by
// name.
//
// LAUNCHER_BUDGET: the platforms that buildpacks build for give 30 s, and auto
// takes them only where it finds one of these. Not where the app has a
// launcher.toml: the environment would beat what that says.
//
// MALLOC_ARENA_MAX: glibc has up to 8 arenas a core, which doubles what threads
// in Ruby and Python keep resident (FACTS 9); Heroku sets 2 for Ruby.
func defaults(app string) ([]variable, error) {
	all := []variable{{"LAUNCHER_BUDGET", "auto"}, {"MALLOC_ARENA_MAX", "2"}}
	_, err := os.Stat(filepath.Join(app, "launcher.toml"))
	switch {
	case err == nil:
		return all[1:], nil
	case errors.Is(err, fs.ErrNotExist):
		return all, nil
	}
	return nil, err
}

type variable struct{ name, value string }
