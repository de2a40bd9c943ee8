package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"dyno/launcher"
	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// text is a flag's value as it was given; it is checked later, with all the
// others, so that every mistake is told at once.
type text struct{ value string }

func (t *text) String() string         { return t.value }
func (t *text) Set(value string) error { t.value = value; return nil }
func (t *text) Type() string           { return "string" }

// addFlags gives cmd the flags that the named commands take.
func (a *app) addFlags(cmd *cobra.Command, commands string) {
	for _, s := range table() {
		if !s.taken(commands) {
			continue
		}
		f := cmd.Flags().VarPF(&text{}, s.flag, s.short, s.help)
		if s.value == "" {
			f.NoOptDefVal = "on"
		}
		a.completeValues(cmd, s)
	}
}

// taken tells whether one of commands takes the setting.
func (s *setting) taken(commands string) bool {
	for command := range strings.FieldsSeq(commands) {
		if strings.Contains(s.on, command) {
			return true
		}
	}
	return false
}

// read makes settings of flags and environment, flags first. With an error,
// which is a *multierror.Error of *procfile.Problem, what was wrong is left at
// its default.
func (a *app) read(command string, flags *pflag.FlagSet, words, args []string) (*settings, error) {
	s := &settings{request: request{
		Command: command, Words: words, Args: args,
		Procfile: "Procfile", QuietFor: -1,
		Environ: a.environ, Nested: lookup(a.environ, "WITHIN_LAUNCHER") != "",
		Dir: workingDirectory(), Terminal: term.IsTerminal(0),
	}}
	s.Budget = s.defaultBudget()
	all := s.readGiven(flags)
	s.asked = s.request
	file, err := begin(func() (*configFile, error) { return readConfig(&s.request) }).unlessStopped()
	if errors.As(err, new(stoppedBy)) {
		return s, err
	}
	for _, err := range []error{err, s.configure(file), s.checkQuietFor()} {
		if err != nil {
			all = multierror.Append(all, err)
		}
	}
	for _, one := range table() {
		if one.taken(command) {
			value, source := one.given(flags, s)
			if s.Given[one.flag] == "" { // none, or it was refused
				value, source = "", ""
			}
			if from := s.From[one.flag]; from != "" {
				value, source = file.top[one.flag].text, from
			}
			s.decide(one, value, source)
		}
	}
	s.assumeBroadcast()
	if s.Nested {
		s.warnOfNesting()
	} else {
		for _, err := range unknownVariables(a.environ) {
			all = multierror.Append(all, err)
		}
	}
	return s, all.ErrorOrNil()
}

// defaultBudget is what the launcher above us leaves, where there is one: else it
// would kill us in the middle of our own stop.
func (s *settings) defaultBudget() time.Duration {
	if seconds, err := strconv.Atoi(lookup(s.Environ, "STOP_TIMEOUT")); s.Nested && err == nil && seconds > 0 {
		left := time.Duration(min(seconds, math.MaxInt32)) * time.Second
		return max(launcher.LeastBudget, min(left, launcher.DefaultBudget))
	}
	return launcher.DefaultBudget
}

// readGiven takes the flags, and the environment.
func (s *settings) readGiven(flags *pflag.FlagSet) *multierror.Error {
	var all *multierror.Error
	s.Given = map[string]string{}
	for _, one := range table() {
		if !one.taken(s.Command) {
			continue
		}
		value, source := one.given(flags, s)
		if source == "" {
			continue
		}
		if err := one.take(s, source, value); err != nil {
			all = multierror.Append(all, err)
			continue
		}
		s.Given[one.flag] = source
	}
	return all
}

// checkQuietFor checks a quiet-for that was given against the budget. One that
// is refused has its default.
func (s *settings) checkQuietFor() error {
	var err error
	if s.From["quiet-for"] == "" {
		err = checkTimes(s, s.Given["quiet-for"])
	} else if err = checkTimes(s, "quiet-for"); err != nil {
		err = multierror.Append(nil, inFile(err, s.config.name, s.config.top["quiet-for"].line)...)
	}
	if err != nil {
		s.QuietFor = -1
		delete(s.Given, "quiet-for")
		delete(s.From, "quiet-for")
	}
	return err
}

// given is the setting's value and the flag or variable it comes from, or "",
// "". An empty variable counts as none: that is how compose files and
// dashboards unset one. A launcher below a launcher takes its own flags only.
func (s *setting) given(flags *pflag.FlagSet, to *settings) (value, source string) {
	if f := flags.Lookup(s.flag); f != nil && f.Changed {
		return f.Value.String(), "--" + s.flag
	}
	if to.Nested {
		return "", ""
	}
	for _, name := range s.env {
		if value := lookup(to.Environ, name); value != "" {
			return value, name
		}
	}
	return "", ""
}

// take checks a value and keeps it.
func (s *setting) take(to *settings, source, value string) error {
	value = strings.TrimSpace(value)
	if value == "" {
		return wrong(source, "an empty value", "leave it out for the default: "+s.def)
	}
	return s.parse(to, source, value)
}

// perType are the settings whose default is decided type by type: check shows
// them there.
var perType = []string{"count", "index", "restart", "quiet-signal", "stop-signal", "ready", "live", "max-surge", "drain-limit", "max-draining"}

// decide notes for check what a setting came to and where it came from.
func (s *settings) decide(one setting, value, source string) {
	d := decision{Name: one.flag, Value: strings.TrimSpace(value), Source: source}
	switch {
	case source == "" && slices.Contains(perType, one.flag):
		return
	case source == "":
		d.Value, d.Source = s.defaultOf(one), "default"
	case strings.HasPrefix(source, "--"):
		d.Source = "flag " + source
	}
	if one.flag == "budget" && source == "" && s.Budget != launcher.DefaultBudget {
		d.Source = "STOP_TIMEOUT of the launcher above"
	}
	if one.flag == "budget" && value == "auto" {
		d.Value = fmt.Sprintf("%s (auto)", s.Budget)
	}
	s.decisions = append(s.decisions, d)
	if one.flag == "quiet-for" {
		s.decisions = append(s.decisions, decision{
			"STOP_TIMEOUT", fmt.Sprint(launcher.StopTimeout(s.Budget, s.QuietFor)), "budget and quiet-for",
		})
	}
}

// defaultOf is what the default comes to here.
func (s *settings) defaultOf(one setting) string {
	switch one.flag {
	case "budget":
		return s.Budget.String()
	case "config":
		if s.config.name == "" {
			return "none"
		}
		return s.config.name
	case "env-file":
		if s.Command == "exec" {
			return "none"
		}
		return ".env, if any"
	case "quiet-for":
		window := launcher.Window(s.Budget, 0) - launcher.Window(s.Budget, s.QuietFor)
		return window.String()
	case "listen":
		return "off" // a .socket unit's are shown with the type that gets them
	case "socket":
		if s.Command == "exec" {
			return "none, but of several processes a private place"
		}
		return "a private place"
	case "log":
		return s.logMode(s.Command == "exec")
	}
	return one.def
}

// logMode is the form of the processes' output: prefix where standard output is
// a terminal, but raw where one process has the terminal to itself.
func (s *settings) logMode(alone bool) string {
	switch {
	case s.Log != "":
		return s.Log
	case term.IsTerminal(1) && !alone:
		return "prefix"
	}
	return "raw"
}

// assumeBroadcast knows the platform that sends TERM to every process (P21).
func (s *settings) assumeBroadcast() {
	dyno := lookup(s.Environ, "DYNO")
	if s.Broadcast != launcher.BroadcastAuto || dyno == "" {
		return
	}
	s.Broadcast = launcher.BroadcastYes
	for i, d := range s.decisions {
		if d.Name == "broadcast" {
			s.decisions[i] = decision{Name: d.Name, Value: "yes", Source: "DYNO " + dyno}
		}
	}
}

// warnOfNesting: the launcher above passes no LAUNCHER_* on, so whoever set one
// below it meant this launcher, which does not take it.
func (s *settings) warnOfNesting() {
	for _, entry := range s.Environ {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "LAUNCHER_") && value != "" {
			s.warnings = append(s.warnings, name+" is not taken: below another launcher (WITHIN_LAUNCHER) only flags count")
		}
	}
}

// unknownVariables finds LAUNCHER_* that are no setting.
func unknownVariables(environ []string) []error {
	known := []string{"LAUNCHER_GRACE"}
	for _, s := range table() {
		known = append(known, s.env...)
	}
	var errs []error
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, "LAUNCHER_") || slices.Contains(known, name) || fromKubernetes(name, environ) {
			continue
		}
		remedy := "unset it, or see launcher help run for the settings"
		if near := procfile.Suggest(name, known); near != "" {
			remedy = "did you mean " + near + "?"
		}
		errs = append(errs, wrong(name, "unknown setting", remedy))
	}
	return errs
}

// fromKubernetes knows the variables that a Service called launcher, or
// launcher-web, puts into every pod: LAUNCHER_SERVICE_HOST,
// LAUNCHER_PORT_80_TCP_ADDR and their like.
func fromKubernetes(name string, environ []string) bool {
	return lookup(environ, "KUBERNETES_SERVICE_HOST") != "" &&
		(strings.Contains(name, "_SERVICE_HOST") || strings.Contains(name, "_SERVICE_PORT") ||
			strings.Contains(name+"_", "_PORT_"))
}
