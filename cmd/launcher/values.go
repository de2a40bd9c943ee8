package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"dyno/launcher"
	"dyno/procfile"

	"golang.org/x/sys/unix"
)

// wrong is the mistake in the value of the setting that name names: a flag or
// a variable.
func wrong(name, what, remedy string) error {
	return &procfile.Problem{Setting: name, What: what, Remedy: remedy}
}

// choose finds text among the words a setting takes.
func choose(name, text string, words ...string) (int, error) {
	for i, word := range words {
		if strings.EqualFold(word, text) {
			return i, nil
		}
	}
	remedy := "it takes " + strings.Join(words, ", ")
	if near := procfile.Suggest(text, words); near != "" {
		remedy = "did you mean " + near + "? " + remedy
	}
	return 0, wrong(name, fmt.Sprintf("unknown value %q", text), remedy)
}

// duration reads Go's syntax, or a plain number of seconds as other launchers
// take it. It is never negative.
func duration(name, text string) (time.Duration, error) {
	spelled := text
	if strings.Trim(text, "0123456789.") == "" {
		spelled += "s"
	}
	d, err := time.ParseDuration(spelled)
	if err != nil || d < 0 {
		return 0, wrong(name, fmt.Sprintf("%q is no duration", text), "write it like 30s, 500ms, 1m30s, or 30 for seconds")
	}
	return d, nil
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

func parseSignal(name, text string) (unix.Signal, error) {
	sig, err := launcher.ParseSignal(text)
	if err != nil {
		remedy := "write it like TERM, SIGTERM or 15"
		if strings.HasSuffix(err.Error(), "?") { // it names one that is near
			remedy = ""
		}
		return 0, wrong(name, err.Error(), remedy)
	}
	return sig, nil
}

func parseBroadcast(s *settings, name, text string) error {
	i, err := choose(name, text, "auto", "yes", "no")
	if err != nil {
		return err
	}
	s.Broadcast = launcher.Broadcast(i)
	return nil
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

// parseSocket takes a path, an abstract name that begins with @, or none.
func parseSocket(s *settings, name, text string) error {
	if err := parsePath(s, name, text); err != nil {
		return err
	}
	s.Socket = text
	return nil
}

func parsePath(_ *settings, name, text string) error {
	if strings.ContainsRune(text, 0) {
		return wrong(name, "a path holds no NUL", "")
	}
	return nil
}
