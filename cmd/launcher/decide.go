package main

import (
	"fmt"
	"slices"
	"strings"

	"dyno/internal/cgroup"
	"dyno/launcher"
	"dyno/procfile"

	"golang.org/x/sys/unix"
)

// decide settles how many of each type run, with which indexes, and what
// happens when one ends; each with its source.
func (s *resolution) decide() {
	s.refuseBareCount()
	oneOff := procfile.OneOffDyno(s.real.Lookup)
	for _, k := range s.kinds {
		k.why = map[string]string{}
		k.count, k.why["count"] = s.count(k, oneOff)
		k.index, k.why["index"] = s.firstIndex(k)
		k.restart, k.why["restart"] = s.restart(k, oneOff)
	}
	if len(s.kinds) > 0 && !slices.ContainsFunc(s.kinds, func(k *kind) bool { return k.count > 0 }) && s.first {
		s.made.Warnings = append(s.made.Warnings, "nothing runs: every count is 0")
	}
}

// refuseBareCount refuses `start -c 3`: a bare number means the types that run
// names, and start names none. From the environment it is meant for others.
func (s *resolution) refuseBareCount() {
	if s.Command != "start" || !s.countFlag() || s.Count.All == nil || s.Count.ByType != nil {
		return
	}
	s.mistakeIn("--count", s.Count.All.String()+" is for the types that run names, and start names none",
		fmt.Sprintf("launcher start -m all=%s, or --count TYPE=N", s.Count.All))
}

// countFlag tells whether the count was given as a flag, not a variable.
func (s *resolution) countFlag() bool {
	return strings.Contains(s.CountFrom, "--") && s.From["count"] == ""
}

// runsOnce tells why a type runs once whatever is asked for; "" where it does not.
func (s *resolution) runsOnce(k *kind, oneOff bool) string {
	switch {
	case oneOff:
		dyno, _ := s.real.Lookup("DYNO")
		return "one-off dyno " + dyno
	case s.Command == "run" && leftOut(k.name):
		return k.name + " always runs once"
	}
	return ""
}

// count follows DESIGN 2: TYPE=N, -m, -c, the -c of a `launcher exec` in the
// line, COUNT or SIDEKIQ_COUNT, launcher.toml, default.
func (s *resolution) count(k *kind, oneOff bool) (n int, source string) {
	if why := s.runsOnce(k, oneOff); why != "" {
		asked, by, _ := s.askedCount(k)
		if by != "" && asked == (procfile.Count{}) {
			return 0, by // once, not: whatever is asked for
		}
		if by != "" && asked.N > 1 && (asked.Kind != procfile.Fixed || k.asked != nil || s.countFlag() || by == s.Types[k.name].from["count"]) {
			s.remark(k, fmt.Sprintf("%s is not taken: %s", by, why), "")
		}
		return 1, why
	}
	if asked, source, ok := s.askedCount(k); ok {
		return asked.Resolve(s.capacity()), source
	}
	if s.Command == "run" && (k.name == "worker" || k.server.Jobs) {
		return procfile.Count{Kind: procfile.Auto}.Resolve(s.capacity()), "default: the cores, at most one per 512 MB"
	}
	return 1, "default"
}

// askedCount is the count that somebody asked for, and who.
func (s *resolution) askedCount(k *kind) (n procfile.Count, source string, ok bool) {
	if k.asked != nil {
		return *k.asked, fmt.Sprintf("argument %s=%s", k.name, k.asked), true
	}
	if n, ok := s.formed(k); ok && s.From["formation"] == "" {
		return n, s.source("formation"), true
	}
	if n, ok := s.settingFor(k); ok && s.countFlag() {
		return n, s.CountFrom, true
	}
	if n, ok := countOf(k.wrapped.Count, k.name); ok {
		return n, fmt.Sprintf("--count in %s:%d", s.Procfile, k.line), true
	}
	if n, ok := s.settingFor(k); ok && s.From["count"] == "" {
		return n, s.CountFrom, true
	}
	if own := s.Types[k.name]; own.from["count"] != "" {
		return *own.Count.All, own.from["count"], true
	}
	if n, ok := s.formed(k); ok {
		return n, s.From["formation"], true
	}
	if n, ok := s.settingFor(k); ok {
		return n, s.CountFrom, true
	}
	return procfile.Count{}, "", false
}

// formed is what start's formation says of a type.
func (s *resolution) formed(k *kind) (n procfile.Count, ok bool) {
	if s.Command != "start" || s.Formation == nil {
		return procfile.Count{}, false
	}
	n, _ = countOf(*s.Formation, k.name) // as foreman: what -m does not name does not run
	return n, true
}

// of is the value of a setting that one type can have for itself, and where it
// comes from: flag or environment, the line's own `launcher exec`, launcher.toml's
// table of the type, its top. A zero value is none, but in a table.
func of[T comparable](s *resolution, k *kind, flag string, whole, line, own T) (value T, source string) {
	var none T
	switch table := s.Types[k.name].from[flag]; {
	case s.Given[flag] != "", whole != none && s.From[flag] == "":
		return whole, s.source(flag)
	case line != none:
		return line, fmt.Sprintf("--%s in %s:%d", flag, s.Procfile, k.line)
	case table != "":
		return own, table
	case whole != none:
		return whole, s.From[flag]
	}
	return none, ""
}

func (s *resolution) configuredQuiet(k *kind) (unix.Signal, string) {
	return of(s, k, "quiet-signal", s.QuietSignal, k.wrapped.QuietSignal, s.Types[k.name].QuietSignal)
}

func (s *resolution) configuredStop(k *kind) (unix.Signal, string) {
	return of(s, k, "stop-signal", s.StopSignal, k.wrapped.StopSignal, s.Types[k.name].StopSignal)
}

// settingFor is what --count, COUNT or SIDEKIQ_COUNT says of a type. COUNT in
// the environment multiplies a command of exec only where that takes jobs: an
// ENTRYPOINT is in front of everything.
func (s *resolution) settingFor(k *kind) (procfile.Count, bool) {
	if s.CountFrom == "" || s.Command == "exec" && !s.countFlag() && !k.server.Jobs {
		return procfile.Count{}, false
	}
	if s.Command == "start" && s.Count.ByType == nil {
		return procfile.Count{}, false // a bare number
	}
	return countOf(s.Count, k.name)
}

func countOf(counts procfile.Counts, name string) (procfile.Count, bool) {
	if n, ok := counts.ByType[name]; ok {
		return n, true
	}
	if counts.All != nil {
		return *counts.All, true
	}
	return procfile.Count{}, false
}

// firstIndex follows DESIGN 4.
func (s *resolution) firstIndex(k *kind) (index int, source string) {
	if asked, source := of(s, k, "index", s.Index, k.wrapped.Index, s.Types[k.name].Index); source != "" {
		return asked.Value, source
	}
	if ordinal, from, ok := procfile.Ordinal(s.real.Lookup); ok {
		return procfile.FirstIndex(ordinal, k.count), from
	}
	return 0, "default"
}

// restart is the policy of DESIGN 1.
func (s *resolution) restart(k *kind, oneOff bool) (launcher.Restart, string) {
	if asked, source := of(s, k, "restart", s.Restart, k.wrapped.Restart, s.Types[k.name].Restart); source != "" {
		return asked.Value, source
	}
	if why := s.runsOnce(k, oneOff); why != "" {
		return launcher.RestartNever, "default: " + why
	}
	if s.Command == "exec" && k.count == 1 {
		return launcher.RestartNever, "default: exec of one process"
	}
	return launcher.RestartAlways, "default"
}

// capacity is what this container may use: its cores by quota and affinity, its
// memory by the limit of its cgroup.
func capacity() procfile.Capacity {
	cores, memory := cgroup.Limits()
	return procfile.Capacity{Cores: cores, Memory: memory}
}
