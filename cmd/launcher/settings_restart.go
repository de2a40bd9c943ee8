package main

import (
	"time"

	"dyno/launcher"
)

func settingsRestart() []setting {
	return []setting{
		{
			flag: "max-surge", env: []string{"LAUNCHER_MAX_SURGE"}, on: everywhere, group: groupRestart,
			value: "N", def: "1; 0 for what cannot run twice",
			help:  "how many new processes a restart starts beside old ones at once; 0: the old one goes first",
			parse: parseSurge,
		},
		{
			flag: "drain-limit", env: []string{"LAUNCHER_DRAIN_LIMIT"}, on: everywhere, group: groupRestart,
			value: "TIME", def: "none; 60s for what listens; old first: as any stop",
			help:  "how long an old process may finish its work in a restart",
			words: []string{"none"}, parse: parseDrainLimit,
		},
		{
			flag: "max-draining", env: []string{"LAUNCHER_MAX_DRAINING"}, on: everywhere, group: groupRestart,
			value: "N", def: "2 x COUNT", help: "so many old processes of a type may drain before a restart waits for them",
			parse: parseMaxDraining,
		},
		{
			flag: "ready-timeout", env: []string{"LAUNCHER_READY_TIMEOUT"}, on: everywhere, group: groupRestart,
			value: "TIME", def: "60s", help: "how long a new process has to become ready, or the restart is undone",
			parse: parseReadyTimeout,
		},
	}
}

func parseSurge(s *settings, name, text string) error {
	n, err := wholeNumber(name, text, 0)
	if err == nil {
		s.Rolling.Surge = chosen[int]{n, true}
	}
	return err
}

func parseDrainLimit(s *settings, name, text string) error {
	limit := launcher.NoDrainLimit
	if text != "none" {
		var err error
		if limit, err = duration(name, text); err != nil {
			return err
		}
	}
	s.Rolling.DrainLimit = chosen[time.Duration]{limit, true}
	return nil
}

func parseMaxDraining(s *settings, name, text string) error {
	n, err := wholeNumber(name, text, 1)
	if err == nil {
		s.Rolling.MaxDraining = n
	}
	return err
}

func parseReadyTimeout(s *settings, name, text string) error {
	d, err := duration(name, text)
	if err == nil && d == 0 {
		err = wrong(name, "0 is no time to become ready in", "write it like 60s")
	}
	if err == nil {
		s.Rolling.ReadyTimeout = d
	}
	return err
}
