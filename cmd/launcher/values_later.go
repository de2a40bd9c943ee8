package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const notYet = "not yet in this version"

// The parsers of settings that have no effect yet check and keep nothing.

func parsePath(_ *settings, name, text string) error {
	if strings.ContainsRune(text, 0) {
		return wrong(name, "a path holds no NUL", "")
	}
	return nil
}

func parseTime(_ *settings, name, text string) error {
	_, err := duration(name, text)
	return err
}

func parseLimit(s *settings, name, text string) error {
	if text == "none" {
		return nil
	}
	return parseTime(s, name, text)
}

func parseWhole(least int) func(*settings, string, string) error {
	return func(_ *settings, name, text string) error {
		if n, err := strconv.Atoi(text); err != nil || n < least {
			return wrong(name, fmt.Sprintf("%q is too few, or no number", text), fmt.Sprintf("give a whole number from %d", least))
		}
		return nil
	}
}

// validAddress tells [HOST]:PORT, PORT a number, $PORT or {PORT}.
func validAddress(text string) bool {
	at := strings.LastIndexByte(text, ':')
	if at < 0 {
		return false
	}
	if _, err := strconv.ParseUint(text[at+1:], 10, 16); err != nil && text[at+1:] != "{PORT}" && text[at+1:] != "$PORT" {
		return false
	}
	host := text[:at]
	if strings.HasPrefix(host, "[") {
		_, err := netip.ParseAddr(strings.Trim(host, "[]"))
		return err == nil
	}
	return !strings.ContainsAny(host, ":/ ")
}

const probeRemedy = "it takes http://…, tcp://…, exec:CMD, notify, up:10s; options after commas: period, timeout, failures, successes, delay"

// parseProbe checks the grammar of --ready and --live (DESIGN 1).
func parseProbe(_ *settings, name, text string) error {
	what, options, _ := strings.Cut(text, ",")
	kind, rest, _ := strings.Cut(what, ":")
	ok := true
	switch kind {
	case "http", "https":
		u, err := url.Parse(strings.NewReplacer("{PORT}", "1", "{INDEX}", "0").Replace(what))
		ok = err == nil && u.Host != ""
	case "tcp":
		ok = strings.HasPrefix(rest, "//") && validAddress(strings.TrimPrefix(rest, "//"))
	case "exec":
		return textOr(strings.TrimSpace(rest) != "", name, text) // a command may hold commas
	case "notify":
		ok = rest == ""
	case "up":
		_, err := duration(name, rest)
		ok = err == nil && rest != ""
	default:
		ok = false
	}
	if ok && options != "" {
		return probeOptions(name, options)
	}
	return textOr(ok, name, text)
}

func textOr(ok bool, name, text string) error {
	if ok {
		return nil
	}
	return wrong(name, fmt.Sprintf("%q is no probe", text), probeRemedy)
}

func probeOptions(name, options string) error {
	for option := range strings.SplitSeq(options, ",") {
		key, value, _ := strings.Cut(option, "=")
		var err error
		switch key {
		case "period", "timeout", "delay":
			_, err = duration(name, value)
		case "failures", "successes":
			err = parseWhole(1)(nil, name, value)
		default:
			err = wrong(name, fmt.Sprintf("unknown option %q", option), probeRemedy)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
