package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dyno/launcher"
	"dyno/procfile"
)

// configuredReady and configuredLive are the probes of a type as they were
// written; nil: none was given.
func (s *resolution) configuredReady(k *kind) (*launcher.Probe, string) {
	return of(s, k, "ready", s.Ready, k.wrapped.Ready, s.Types[k.name].Ready)
}

func (s *resolution) configuredLive(k *kind) (*launcher.Probe, string) {
	return of(s, k, "live", s.Live, k.wrapped.Live, s.Types[k.name].Live)
}

// setProbes gives a process its probes, with its own PORT and INDEX, and
// WATCHDOG_USEC where it is to have a watchdog.
func (s *resolution) setProbes(k *kind, spec *launcher.Spec, env environment) bool {
	ready, readyFrom := s.configuredReady(k)
	live, liveFrom := s.configuredLive(k)
	var ok, ok2 bool
	spec.Ready, ok = s.fill(k, ready, readyFrom, env)
	spec.Live, ok2 = s.fill(k, live, liveFrom, env)
	if spec.Live != nil && spec.Live.Kind == launcher.ProbeNotify {
		// Not WATCHDOG_PID: whoever of the process's tree speaks is heard.
		env = environment(slices.Clone(spec.Env))
		env.set("WATCHDOG_USEC", strconv.FormatInt(spec.Live.Timeout.Microseconds(), 10))
		spec.Env = env
	}
	return ok && ok2
}

// fill makes a probe that one process can be asked by.
func (s *resolution) fill(k *kind, p *launcher.Probe, from string, env environment) (*launcher.Probe, bool) {
	if p == nil || p.Kind == 0 {
		return nil, true
	}
	mine := *p
	for _, name := range []string{"PORT", "INDEX"} {
		if !strings.Contains(mine.Target, "{"+name+"}") {
			continue
		}
		value, _ := env.Lookup(name)
		if value == "" {
			s.mistakeIn(from, fmt.Sprintf("%s has no %s to fill in", k.name, name), "set "+name+", or write it out")
			return nil, false
		}
		mine.Target = strings.ReplaceAll(mine.Target, "{"+name+"}", value)
	}
	switch mine.Kind {
	case launcher.ProbeHTTP, launcher.ProbeTCP:
		address, ok := probeAddress(mine.Kind, mine.Target)
		if !ok {
			s.mistakeIn(from, fmt.Sprintf("%q is no address", mine.Target), "see what its PORT and INDEX are")
			return nil, false
		}
		if slices.ContainsFunc(k.sockets, func(one launcher.Socket) bool { return heldByUs(address, one.Addr) }) {
			s.mistakeIn(from, fmt.Sprintf("%s is a socket that the launcher holds for all processes of %s: another would answer for a dead one", address, k.name),
				"ask each process at an address of its own, or by notify or exec:")
			return nil, false
		}
	case launcher.ProbeExec:
		return &mine, s.fillCommand(&mine, from, env)
	}
	return &mine, true
}

// fillCommand makes words of a command, as of a line of the Procfile.
func (s *resolution) fillCommand(p *launcher.Probe, from string, env environment) bool {
	command, err := procfile.ParseCommand(p.Target)
	if err != nil {
		s.mistakeIn(from, err.Error(), "correct the command")
		return false
	}
	argv, assigned, err := command.Argv(env.Lookup, nil)
	if err != nil {
		s.mistakeIn(from, err.Error(), "correct the command")
		return false
	}
	p.Argv = argv
	if len(assigned) > 0 {
		env = env.clone()
		for _, a := range assigned {
			env.assign(a)
		}
		p.Env = env
	}
	return true
}
