package main

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dyno/launcher"

	"golang.org/x/sys/unix"
)

// explain lists the decisions for check.
func (s *resolution) explain() {
	say := func(name, value, source string) {
		s.made.Decisions = append(s.made.Decisions, decision{name, value, source})
	}
	say("directory", s.dir, "where it was started")
	for _, k := range s.kinds {
		if k.broken {
			continue
		}
		say(k.name+": command", s.commandOf(k), s.origin(k))
		say(k.name+": start", k.startOf(), "the command line")
		if k.server.Known() {
			say(k.name+": server", k.server.Name, "the command line")
		}
		say(k.name+": count", strconv.Itoa(k.count), k.why["count"])
		say(k.name+": index", strconv.Itoa(k.index), k.why["index"])
		say(k.name+": restart", k.restart.String(), k.why["restart"])
		quiet, source := s.quietOf(k)
		say(k.name+": quiet signal", quiet, source)
		stop, source := s.stopOf(k)
		say(k.name+": stop signal", stop, source)
		ready, source := s.readyOf(k)
		say(k.name+": ready", ready, source)
		live, source := s.liveOf(k)
		say(k.name+": live", live, source)
		s.explainRolling(k, say)
		s.explainOwn(k, say)
		env := k.env.clone()
		if len(k.sockets) > 0 {
			say(k.name+": listen", socketList(k.sockets), k.listens)
		}
		if s.setSocketPort(&env, k) {
			port, _ := env.Lookup("PORT")
			say(k.name+": port", port, "that of its socket")
		} else if s.Command == "start" {
			if s.setPort(&env, k, 1) {
				port, _ := env.Lookup("PORT")
				say(k.name+": port", port, "as foreman counts: from $PORT or 5000")
			}
		}
	}
}

// explainOwn lists what launcher.toml sets of a type and nothing else shows.
func (s *resolution) explainOwn(k *kind, say func(name, value, source string)) {
	own := s.Types[k.name]
	if from := own.from["env-file"]; from != "" && (!s.EnvFilesGiven || s.From["env-file"] != "") {
		say(k.name+": env-file", strings.Join(own.EnvFiles, ","), from)
	}
	if from := own.from["listen"]; from != "" && len(k.sockets) == 0 && s.sharesPort(k) == own.ListenNone {
		say(k.name+": listen", map[bool]string{true: "none", false: "off"}[own.ListenNone], from)
	}
	if from := own.from["max-memory"]; from != "" {
		if most, source := of(s, k, "max-memory", s.MaxMemory, k.wrapped.MaxMemory, own.MaxMemory); source == from {
			say(k.name+": max-memory", fmt.Sprintf("%d MB", most>>20), from)
		}
	}
}

func (s *resolution) commandOf(k *kind) string {
	if k.words != nil {
		return strings.Join(k.words, " ")
	}
	return k.text
}

func (s *resolution) origin(k *kind) string {
	if k.words != nil {
		return "arguments"
	}
	return fmt.Sprintf("%s:%d", s.Procfile, k.line)
}

func (k *kind) startOf() string {
	if k.whyShell != "" {
		return "through sh: " + k.whyShell
	}
	return "directly"
}

func (s *resolution) quietOf(k *kind) (value, source string) {
	if sig, source := s.configuredQuiet(k); source != "" {
		return signalWord(sig), source
	}
	switch {
	case !k.server.Known():
		return "TSTP where it is caught", "default"
	case k.server.Quiet == 0:
		return "none", "known of " + k.server.Name
	}
	return signalWord(k.server.Quiet), "known of " + k.server.Name
}

func (s *resolution) stopOf(k *kind) (value, source string) {
	if sig, source := s.configuredStop(k); source != "" {
		return signalWord(sig), source
	}
	if k.server.Known() && k.server.Stop != 0 {
		return signalWord(k.server.Stop), "known of " + k.server.Name
	}
	return "TERM", "default"
}

func signalWord(sig unix.Signal) string {
	if sig == launcher.NoSignal {
		return "none"
	}
	return launcher.SignalName(sig)
}

// explainRolling lists it for check.
func (s *resolution) explainRolling(k *kind, say func(name, value, source string)) {
	surge, source := s.surge(k)
	value := strconv.Itoa(surge)
	if surge == 0 {
		value += " (old first)"
	}
	say(k.name+": max-surge", value, source)
	limit, source := s.drainLimit(k)
	switch limit {
	case launcher.NoDrainLimit:
		value = "none"
	case 0:
		value = "as any stop"
	default:
		value = limit.String()
	}
	say(k.name+": drain-limit", value, source)
	n, source := s.maxDraining(k)
	say(k.name+": max-draining", strconv.Itoa(n), source)
	if d, source := s.readyTimeout(k); source != "" && source == s.Types[k.name].from["ready-timeout"] {
		say(k.name+": ready-timeout", d.String(), source)
	}
}

// readyOf and liveOf say for check how a type is asked.
func (s *resolution) readyOf(k *kind) (value, source string) {
	if p, source := s.configuredReady(k); p != nil && p.Kind != 0 {
		return probeWords(p), source
	}
	if k.server.Known() {
		return cmp.Or(k.server.Ready, "READY=1, or up 10 s"), "known of " + k.server.Name
	}
	return "READY=1, or up 10 s", "default"
}

func (s *resolution) liveOf(k *kind) (value, source string) {
	p, source := s.configuredLive(k)
	if p == nil || p.Kind == 0 {
		return "off", cmp.Or(source, "default")
	}
	return probeWords(p), source
}

// probeWords are a probe and what of it counts.
func probeWords(p *launcher.Probe) string {
	words := strings.TrimPrefix(p.String(), "GET ")
	switch p.Kind {
	case launcher.ProbeUp:
		return words
	case launcher.ProbeNotify:
		if p.Timeout != launcher.DefaultTimeout {
			words += ",timeout=" + written(p.Timeout)
		}
		return words
	}
	words += fmt.Sprintf(",period=%s,timeout=%s,failures=%d", written(p.Period), written(p.Timeout), p.Failures)
	if p.Successes > 1 {
		words += fmt.Sprintf(",successes=%d", p.Successes)
	}
	if p.Delay > 0 {
		words += ",delay=" + written(p.Delay)
	}
	return words
}

// written is a duration as one would write it: 10s, 1m30s, 1h.
func written(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
