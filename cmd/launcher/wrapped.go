package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
	"github.com/spf13/pflag"
)

// unwrap makes of a line that begins with the launcher the line that it wraps
// (DESIGN 1). False: the line is refused.
func (s *resolution) unwrap(k *kind) bool {
	w, ok := procfile.Unwrap(k.text)
	switch {
	case !ok:
		return true
	case w.Starts:
		s.mistake(k, "begins with `launcher start`, which would start this type again, without end",
			"write the command itself, or launcher exec -- COMMAND")
		return false
	case slices.Contains(w.Runs, k.name):
		s.mistake(k, fmt.Sprintf("begins with `launcher run %s`, which would run this line again, without end", k.name),
			"write the command itself, or launcher exec -- COMMAND")
		return false
	case w.Wrong != "":
		remedy := "write launcher exec [flags] -- COMMAND, or only COMMAND"
		if name, _, _ := strings.Cut(w.Flag, "="); name != "" {
			if near := procfile.Suggest(strings.TrimLeft(name, "-"), settingNames()); near != "" {
				remedy = "did you mean --" + near + "?"
			}
		}
		s.mistake(k, "launcher exec: "+w.Wrong, remedy)
		return false
	case w.Line == "":
		return true // a launcher of its own, for other types
	}
	k.text = w.Line
	return len(w.Flags) == 0 || s.readFlags(k, w.Flags)
}

// ofType are the settings that one type can have for itself, by the flags of a
// wrapped `launcher exec` or by its table in launcher.toml; all others are of the
// whole launcher.
var ofType = []string{
	"count", "index", "restart", "quiet-signal", "stop-signal", "env-file", "listen", "max-memory", "ready", "live",
	"max-surge", "drain-limit", "max-draining", "ready-timeout",
}

// readFlags reads the flags of a wrapped line. Those that cannot be of one type
// are not taken, and that is said.
func (s *resolution) readFlags(k *kind, words []string) bool {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags.Usage = func() {}
	for _, one := range table() {
		f := flags.VarPF(&text{}, one.flag, one.short, "")
		if one.value == "" {
			f.NoOptDefVal = "on"
		}
	}
	if err := flags.Parse(words); err != nil {
		s.mistake(k, "launcher exec: "+err.Error(), "correct its flags")
		return false
	}
	line := settings{request: request{Budget: s.Budget, QuietFor: -1, Environ: s.Environ}}
	sound := true
	for _, one := range table() {
		f := flags.Lookup(one.flag)
		if !f.Changed {
			continue
		}
		if !slices.Contains(ofType, one.flag) {
			s.warn(k, fmt.Sprintf("--%s of the `launcher exec` in the line is not taken: it is a setting of the whole launcher", one.flag),
				fmt.Sprintf("give --%s to launcher %s", one.flag, s.Command))
			continue
		}
		if err := one.take(&line, "--"+one.flag, f.Value.String()); err != nil {
			s.badFlag(k, err)
			sound = false
		}
	}
	k.wrapped = line.request
	return sound
}

// badFlag notes what is wrong with a flag in a line, with that line.
func (s *resolution) badFlag(k *kind, err error) {
	for _, err := range multierror.Append(nil, err).Errors {
		p := new(procfile.Problem)
		if !errors.As(err, &p) {
			p = &procfile.Problem{What: err.Error()}
		}
		what := p.What
		if p.Setting != "" {
			what = p.Setting + ": " + what
		}
		s.mistake(k, what, p.Remedy)
	}
}
