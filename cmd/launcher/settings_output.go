package main

import (
	"strconv"
	"strings"
)

func settingsOutput() []setting {
	return []setting{
		{
			flag: "log", env: []string{"LAUNCHER_LOG"}, on: everywhere, group: groupLog,
			value: "FORM", def: "prefix on a terminal, else raw", help: "the processes' output: prefix, raw, json",
			words: []string{"prefix", "raw", "json"}, parse: parseLog,
		},
		{
			flag: "pty", env: []string{"LAUNCHER_PTY"}, on: everywhere, group: groupLog,
			def: "off", help: "a pseudo-terminal for each process's output",
			words: []string{"on", "off"}, parse: parsePTY,
		},
	}
}

func parseLog(s *settings, name, text string) error {
	words := []string{"prefix", "raw", "json"}
	i, err := choose(name, text, words...)
	if err != nil {
		return err
	}
	s.Log = words[i]
	return nil
}

func parsePTY(s *settings, name, text string) error {
	on, err := strconv.ParseBool(strings.ToLower(text))
	if err != nil {
		i, err := choose(name, text, "off", "on", "no", "yes")
		if err != nil {
			return err
		}
		on = i%2 == 1
	}
	s.PTY = on
	return nil
}
