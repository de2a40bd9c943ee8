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

// wholeNumber reads one from least on.
func wholeNumber(name, text string, least int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, wrong(name, fmt.Sprintf("%q is too few, or no number", text), fmt.Sprintf("give a whole number from %d", least))
	}
	return n, nil
}

func atLeast(name, key, value string, least time.Duration) (time.Duration, error) {
	d, err := duration(name, value)
	if err == nil && d < least {
		err = wrong(name, fmt.Sprintf("%s=%s is too short", key, value), fmt.Sprintf("give at least %s", least))
	}
	return d, err
}

func times(name, key, value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return 0, wrong(name, fmt.Sprintf("%s=%s", key, value), "give a whole number from 1")
	}
	return n, nil
}
