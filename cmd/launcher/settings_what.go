package main

import (
	"fmt"
	"strconv"
	"strings"

	"dyno/launcher"
	"dyno/procfile"

	"github.com/docker/go-units"
)

func settingsWhat() []setting {
	return []setting{
		{
			flag: "procfile", short: "f", env: []string{"LAUNCHER_PROCFILE"}, on: withProcfile, group: groupWhat,
			value: "FILE", def: "Procfile", help: "the Procfile", parse: parseProcfile,
		},
		{
			flag: "env-file", short: "e", env: []string{"LAUNCHER_ENV_FILE"}, on: everywhere, group: groupWhat,
			value: "FILE,...", def: ".env where there is one; exec: none",
			help: "dotenv files; the real environment wins over them", parse: parseEnvFiles,
		},
		{
			flag: "count", short: "c", env: []string{"COUNT", "SIDEKIQ_COUNT"}, on: everywhere, group: groupWhat,
			value: "N", def: "by type: for workers the cores, else 1",
			help:  "how many processes: a number from 1, auto, 50% of the cores, or worker=6,all=1",
			words: []string{"auto"}, parse: parseCount,
		},
		{
			flag: "config", env: []string{"LAUNCHER_CONFIG"}, on: everywhere, group: groupWhat,
			value: "FILE", def: "launcher.toml where there is one", help: "the same settings, for all and for each process type",
			parse: parseConfig,
		},
		{
			flag: "formation", short: "m", env: []string{"LAUNCHER_FORMATION"}, on: "start", group: groupWhat,
			value: "TYPE=N,...", def: "all=1", help: "how many of each type, as foreman's", parse: parseFormation,
		},
		{
			flag: "index", env: []string{"INDEX"}, on: everywhere, group: groupWhat,
			value: "N", def: "from DYNO, pod name or job index, else 0", help: "INDEX of the first process", parse: parseIndex,
		},
		{
			flag: "restart", env: []string{"LAUNCHER_RESTART"}, on: everywhere, group: groupWhat,
			value: "WHEN", def: "always; exec of one process, release, console and one-off dynos: never",
			help:  "when a process that ended is started again: always, on-failure, never",
			words: []string{"always", "on-failure", "never"}, parse: parseRestart,
		},
		{
			flag: "max-memory", env: []string{"LAUNCHER_MAX_MEMORY", "SIDEKIQ_MAXMEM_MB", "MAXMEM_MB"}, on: everywhere, group: groupWhat,
			value: "SIZE", def: "off", help: "a process that uses more memory, its children with it, is replaced: 512MB; a bare number is MB",
			words: []string{"off"}, parse: parseMaxMemory,
		},
		{
			flag: "memory-guard", env: []string{"LAUNCHER_MEMORY_GUARD"}, on: everywhere, group: groupWhat,
			value: "PERCENT", def: "off", help: "near the container's limit the largest process is replaced: on (95%), off, or a percentage",
			words: []string{"on", "off"}, parse: parseGuard,
		},
	}
}

func parseProcfile(s *settings, name, text string) error {
	s.Procfile = text
	return nil
}

func parseConfig(s *settings, name, text string) error {
	s.Config = text
	return nil
}

func parseEnvFiles(s *settings, name, text string) error {
	var files []string
	for file := range strings.SplitSeq(text, ",") {
		file = strings.TrimSpace(file)
		if file == "" {
			return wrong(name, fmt.Sprintf("an empty file name in %q", text), "separate the files by one comma")
		}
		files = append(files, file)
	}
	s.EnvFiles, s.EnvFilesGiven = files, true
	return nil
}

func parseCount(s *settings, name, text string) error {
	counts, err := procfile.ParseCounts(name, text)
	if err != nil {
		return err
	}
	s.Count, s.CountFrom = counts, name
	return nil
}

func parseFormation(s *settings, name, text string) error {
	counts, err := procfile.ParseFormation(name, text)
	if err != nil {
		return err
	}
	s.Formation = &counts
	return nil
}

func parseIndex(s *settings, name, text string) error {
	n, err := procfile.ParseIndex(name, text)
	if err != nil {
		return err
	}
	s.Index = chosen[int]{n, true}
	return nil
}

func parseRestart(s *settings, name, text string) error {
	i, err := choose(name, text, "always", "on-failure", "never")
	if err != nil {
		return err
	}
	s.Restart = chosen[launcher.Restart]{launcher.Restart(i), true}
	return nil
}

// parseMaxMemory takes what docker takes, 512m or 1.5GB, in binary units; a
// plain number is MB, as in SIDEKIQ_MAXMEM_MB.
func parseMaxMemory(s *settings, name, text string) error {
	if text == "off" {
		s.MaxMemory = 0
		return nil
	}
	size := text
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		size += "MB"
	}
	bytes, err := units.RAMInBytes(size)
	if err != nil || bytes <= 0 {
		return wrong(name, fmt.Sprintf("%q is no size", text), "write it like 512MB, 1.5GB, or off")
	}
	s.MaxMemory = bytes
	return nil
}

// guardOn is what --memory-guard on means.
const guardOn = 0.95

// parseGuard takes on, off, or a percentage of the container's limit.
func parseGuard(s *settings, name, text string) error {
	switch text {
	case "off":
		s.Guard = 0
		return nil
	case "on":
		s.Guard = guardOn
		return nil
	}
	digits, _ := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > 100 {
		return wrong(name, fmt.Sprintf("%q is no percentage", text), "give on, off, or a percentage like 90%")
	}
	s.Guard = float64(n) / 100
	return nil
}
