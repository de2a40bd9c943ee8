package main

import (
	"fmt"
	"net/netip"
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
