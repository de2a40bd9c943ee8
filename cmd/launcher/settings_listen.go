package main

import (
	"fmt"
	"strings"

	"dyno/internal/listen"
)

func settingsListen() []setting {
	return []setting{{
		flag: "listen", env: []string{"LAUNCHER_LISTEN"}, on: everywhere, group: groupWhat,
		value: "ADDRESS,...", def: "off; the sockets of a systemd .socket unit, where there are some",
		help:  "sockets that stay open over all restarts, for every process: :$PORT, 127.0.0.1:3000, unix:/run/app.sock; none: several processes may use the same $PORT",
		words: []string{"none", "off"}, parse: parseListen,
	}}
}

const listenRemedy = "write it like :3000, tcp://0.0.0.0:$PORT, [::]:3000, unix:/run/app.sock, or none"

// parseListen takes addresses separated by commas, which it checks and keeps as
// they are: PORT is filled in when they are opened.
func parseListen(s *settings, name, text string) error {
	s.Listen, s.ListenNone = "", text == "none"
	if text == "none" || text == "off" {
		return nil
	}
	for item := range strings.SplitSeq(text, ",") {
		if _, err := listen.Parse(fillPort(strings.TrimSpace(item), "1")); err != nil {
			return wrong(name, fmt.Sprintf("%q is no address: %v", strings.TrimSpace(item), err), listenRemedy)
		}
	}
	s.Listen = text
	return nil
}

// fillPort puts port in where the address says $PORT, ${PORT} or {PORT}.
func fillPort(address, port string) string {
	return strings.NewReplacer("${PORT}", port, "$PORT", port, "{PORT}", port).Replace(address)
}
