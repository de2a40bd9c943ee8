package main

import (
	"fmt"
	"strings"
	"time"

	"dyno/launcher"

	"golang.org/x/sys/unix"
)

func settingsStop() []setting {
	return []setting{
		{
			flag: "budget", short: "t", env: []string{"LAUNCHER_BUDGET"}, on: everywhere, group: groupStop,
			value: "TIME", def: "10s",
			help:  "from SIGTERM to the launcher's own exit, at least 2s; auto: 30s where Heroku or Kubernetes give it",
			words: []string{"auto"}, parse: parseBudget,
		},
		{
			flag: "quiet-for", env: []string{"LAUNCHER_QUIET_FOR"}, on: everywhere, group: groupStop,
			value: "TIME", def: "500ms, or a fifth of the budget", help: "from the quiet signal to the stop signal", parse: parseQuietFor,
		},
		{
			flag: "quiet-signal", env: []string{"LAUNCHER_QUIET_SIGNAL"}, on: everywhere, group: groupStop,
			value: "SIG", def: "by server", help: "tells a process to take no more work; none: no quiet phase",
			words: []string{"none", "TSTP", "USR1", "USR2"}, parse: parseQuietSignal,
		},
		{
			flag: "stop-signal", env: []string{"LAUNCHER_STOP_SIGNAL"}, on: everywhere, group: groupStop,
			value: "SIG", def: "by server", help: "tells a process to end",
			words: []string{"TERM", "QUIT", "INT", "USR1", "USR2", "WINCH", "HUP"}, parse: parseStopSignal,
		},
		{
			flag: "broadcast", env: []string{"LAUNCHER_BROADCAST"}, on: everywhere, group: groupStop,
			value: "WHETHER", def: "auto", help: "whether the platform sends TERM to every process itself: auto, yes, no",
			words: []string{"auto", "yes", "no"}, parse: parseBroadcast,
		},
	}
}

// The budget that auto stands for where the platform gives 30 s (FACTS 7).
const platformBudget = 30 * time.Second

func parseBudget(s *settings, name, text string) error {
	if text == "auto" {
		if lookup(s.Environ, "DYNO") != "" || lookup(s.Environ, "KUBERNETES_SERVICE_HOST") != "" {
			s.Budget = platformBudget
		}
		return nil
	}
	d, err := duration(name, text)
	if err != nil {
		return err
	}
	if d < launcher.LeastBudget {
		return wrong(name, fmt.Sprintf("%s is too short", d), fmt.Sprintf("give at least %s", launcher.LeastBudget))
	}
	s.Budget = d
	return nil
}

func parseQuietFor(s *settings, name, text string) error {
	d, err := duration(name, text)
	if err != nil {
		return err
	}
	s.QuietFor = d
	return nil
}

// checkTimes wants a second between the stop signal and KILL (DESIGN 3).
func checkTimes(s *settings, name string) error {
	if s.QuietFor < 0 || launcher.Window(s.Budget, s.QuietFor) >= time.Second {
		return nil
	}
	most := launcher.Window(s.Budget, 0) - time.Second
	return wrong(name, fmt.Sprintf("%s leaves less than a second between the stop signal and KILL in a budget of %s", s.QuietFor, s.Budget),
		fmt.Sprintf("give at most %s, or a longer --budget", most))
}

func parseQuietSignal(s *settings, name, text string) error {
	if strings.EqualFold(text, "none") {
		s.QuietSignal = launcher.NoSignal
		return nil
	}
	sig, err := parseSignal(name, text)
	if err != nil {
		return err
	}
	switch sig {
	case unix.SIGKILL, unix.SIGSTOP, unix.SIGCONT, unix.SIGCHLD, unix.SIGPIPE, unix.SIGTERM:
		return wrong(name, launcher.SignalName(sig)+" tells nobody to take no more work", "give TSTP, USR1 or USR2 as the server wants it, or none")
	}
	s.QuietSignal = sig
	return nil
}

func parseStopSignal(s *settings, name, text string) error {
	sig, err := parseSignal(name, text)
	if err != nil {
		return err
	}
	switch sig {
	case unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGCONT, unix.SIGCHLD, unix.SIGURG:
		return wrong(name, launcher.SignalName(sig)+" ends no process", "give TERM, QUIT or INT as the server wants it")
	}
	s.StopSignal = sig
	return nil
}

func parseBroadcast(s *settings, name, text string) error {
	i, err := choose(name, text, "auto", "yes", "no")
	if err != nil {
		return err
	}
	s.Broadcast = launcher.Broadcast(i)
	return nil
}
