package main

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dyno/launcher"
	"dyno/procfile"
)

func settingsProbes() []setting {
	return []setting{
		{
			flag: "ready", env: []string{"LAUNCHER_READY"}, on: everywhere, group: groupHealth,
			value: "PROBE", def: "by server",
			help:  "how to see that a process is ready: http://127.0.0.1:{PORT}/up, tcp://127.0.0.1:{PORT}, exec:CMD, notify, up:10s; options after commas: period, timeout, failures, successes, delay",
			words: []string{"notify", "up:10s", "default"}, parse: parseReady,
		},
		{
			flag: "live", env: []string{"LAUNCHER_LIVE"}, on: everywhere, group: groupHealth,
			value: "PROBE", def: "off",
			help:  "how to see that a process lives, which else is replaced: http://…, tcp://…, exec:CMD, or notify for its watchdog",
			words: []string{"notify", "off"}, parse: parseLive,
		},
	}
}

const (
	probeRemedy = "it takes http://…, tcp://…, exec:CMD, notify, up:10s; options after commas: period, timeout, failures, successes, delay"
	liveRemedy  = "it takes http://…, tcp://…, exec:CMD, or notify,timeout=30s; options after commas: period, timeout, failures, delay"

	// leastPeriod bounds what probes may cost.
	leastPeriod = 100 * time.Millisecond
)

func parseReady(s *settings, name, text string) error {
	if text == "default" {
		s.Ready = &launcher.Probe{}
		return nil
	}
	p, given, err := parseProbe(name, text)
	if err != nil {
		return err
	}
	if len(given) > 0 && (p.Kind == launcher.ProbeNotify || p.Kind == launcher.ProbeUp) {
		return wrong(name, fmt.Sprintf("%s takes no options", strings.SplitN(text, ",", 2)[0]), "leave them out: nobody is asked")
	}
	s.Ready = p
	return nil
}

func parseLive(s *settings, name, text string) error {
	if text == "off" {
		s.Live = &launcher.Probe{}
		return nil
	}
	p, given, err := parseProbe(name, text)
	switch {
	case err != nil:
		return err
	case p.Kind == launcher.ProbeUp:
		return wrong(name, "up says nothing of whether a process lives", liveRemedy)
	case given["successes"] && p.Successes != 1:
		return wrong(name, "successes is always 1 for a live probe, as the kubelet has it", "leave it out")
	case p.Kind == launcher.ProbeNotify:
		for option := range given {
			if option != "timeout" {
				return wrong(name, "notify takes no "+option, "give notify,timeout=30s: within which WATCHDOG=1 has to come again")
			}
		}
		p.Failures = 1
		if !given["timeout"] {
			p.Timeout = launcher.DefaultWatchdog
		}
	}
	s.Live = p
	return nil
}

// parseProbe reads KIND:WHAT,OPTION=VALUE… (DESIGN 1). {PORT} and {INDEX} stay as
// they are. A command may hold commas: what ends it are options at its end.
func parseProbe(name, text string) (p *launcher.Probe, given map[string]bool, err error) {
	what, options, _ := strings.Cut(text, ",")
	if strings.HasPrefix(text, "exec:") {
		what, options = commandAndOptions(text)
	}
	kind, rest, _ := strings.Cut(what, ":")
	p = &launcher.Probe{
		Period: launcher.DefaultPeriod, Timeout: launcher.DefaultTimeout,
		Failures: launcher.DefaultFailures, Successes: 1,
	}
	example := strings.NewReplacer("{PORT}", "1", "{INDEX}", "0")
	ok := false
	switch kind {
	case "http":
		p.Kind, p.Target = launcher.ProbeHTTP, what
		_, ok = probeAddress(p.Kind, example.Replace(what))
	case "https":
		return nil, nil, wrong(name, "there are no https probes", "use exec:curl -kf "+what+", or the plain port where there is one")
	case "tcp":
		p.Kind, p.Target = launcher.ProbeTCP, strings.TrimPrefix(rest, "//")
		_, ok = probeAddress(p.Kind, example.Replace(p.Target))
		ok = ok && strings.HasPrefix(rest, "//")
	case "exec":
		p.Kind, p.Target = launcher.ProbeExec, strings.TrimSpace(rest)
		_, err := procfile.ParseCommand(p.Target)
		ok = err == nil
	case "notify":
		p.Kind, ok = launcher.ProbeNotify, what == kind
	case "up":
		p.Kind = launcher.ProbeUp
		if ok = rest != ""; !ok {
			break
		}
		if p.Up, err = duration(name, rest); err != nil {
			return nil, nil, err
		}
	}
	if !ok {
		return nil, nil, wrong(name, fmt.Sprintf("%q is no probe", what), probeRemedy)
	}
	given, err = probeOptions(p, name, options)
	return p, given, err
}

// optionNames are the kubelet's, shortened.
var optionNames = []string{"period", "timeout", "delay", "failures", "successes"}

// commandAndOptions cuts the options off a command's end.
func commandAndOptions(text string) (what, options string) {
	what = text
	for {
		at := strings.LastIndexByte(what, ',')
		if at < 0 {
			break
		}
		key, _, ok := strings.Cut(what[at+1:], "=")
		if !ok || !slices.Contains(optionNames, key) {
			break
		}
		what = what[:at]
	}
	return what, strings.TrimPrefix(text[len(what):], ",")
}

func probeOptions(p *launcher.Probe, name, options string) (given map[string]bool, err error) {
	given = map[string]bool{}
	if options == "" {
		return given, nil
	}
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		given[key] = true
		switch key {
		case "period":
			p.Period, err = atLeast(name, key, value, leastPeriod)
		case "timeout":
			p.Timeout, err = atLeast(name, key, value, time.Millisecond)
		case "delay":
			p.Delay, err = duration(name, value)
		case "failures":
			p.Failures, err = times(name, key, value)
		case "successes":
			p.Successes, err = times(name, key, value)
		default:
			remedy := probeRemedy
			if near := procfile.Suggest(key, optionNames); near != "" {
				remedy = fmt.Sprintf("did you mean %s?", near)
			}
			err = wrong(name, fmt.Sprintf("unknown option %q", option), remedy+"; a comma in an address is written %2C")
		}
		if err != nil {
			return nil, err
		}
	}
	return given, nil
}

// probeAddress is the HOST:PORT that an http or tcp probe with all filled in
// connects to. ok is false where it is none.
func probeAddress(kind launcher.ProbeKind, target string) (address string, ok bool) {
	address = target
	if kind == launcher.ProbeHTTP {
		u, err := url.Parse(target)
		if err != nil || u.Hostname() == "" || u.User != nil || u.Opaque != "" || strings.ContainsAny(target, " \t") {
			return "", false
		}
		port := u.Port()
		if port == "" {
			port = "80"
		}
		address = net.JoinHostPort(u.Hostname(), port)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || strings.ContainsAny(host, " /") {
		return "", false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return address, err == nil && n > 0
}

// heldByUs tells whether a probe of address would reach a socket that we hold for
// the processes: the kernel, or a sibling, would answer for a dead one (DESIGN 6).
// Only the port is looked at: what names the host has is hard to tell.
func heldByUs(address, held string) bool {
	_, asked, err := net.SplitHostPort(address)
	held, tcp := strings.CutPrefix(held, "tcp://")
	at := strings.LastIndexByte(held, ':')
	return err == nil && tcp && at >= 0 && held[at+1:] == asked
}
