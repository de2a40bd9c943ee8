package main

import "strings"

func settingsControl() []setting {
	return []setting{
		{
			flag: "socket", env: []string{"LAUNCHER_SOCKET"}, on: everywhere, group: groupTold,
			value: "PATH", def: "a private place; exec of one process: none",
			help:  "control socket, for launcher status and the like; none: there is none",
			words: []string{"none"}, parse: parseSocket,
		},
	}
}

// parseSocket takes a path, an abstract name that begins with @, or none.
func parseSocket(s *settings, name, text string) error {
	if strings.ContainsRune(text, 0) {
		return wrong(name, "a path holds no NUL", "")
	}
	s.Socket = text
	return nil
}
