package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

func settingsHealth() []setting {
	return []setting{{
		flag: "health", env: []string{"LAUNCHER_HEALTH"}, on: everywhere, group: groupTold,
		value: "ADDRESS", def: "off",
		help:  "health endpoint by HTTP, /livez, /readyz, /metrics and /status: :7433, 127.0.0.1:$PORT, or off",
		words: []string{"off", ":7433"}, parse: parseHealth,
	}}
}

// parseHealth takes [HOST]:PORT; $PORT and {PORT} are the launcher's own PORT.
func parseHealth(s *settings, name, text string) error {
	s.Health = ""
	if text == "off" {
		return nil
	}
	if !validAddress(text) {
		return wrong(name, fmt.Sprintf("%q is no address", text), "write it like :7433 or 127.0.0.1:7433, or off")
	}
	for _, variable := range []string{"$PORT", "{PORT}"} {
		host, ok := strings.CutSuffix(text, ":"+variable)
		if !ok {
			continue
		}
		port := lookup(s.Environ, "PORT")
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return wrong(name, fmt.Sprintf("%q, and PORT is %q", text, port), "set PORT, or write the port itself")
		}
		text = host + ":" + port
	}
	s.Health = text
	return nil
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
