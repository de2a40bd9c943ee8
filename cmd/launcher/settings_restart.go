package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"dyno/launcher"
	"dyno/procfile"
)

// rolling is how processes are replaced in a restart, as far as it was asked for.
type rolling struct {
	Surge        chosen[int]
	DrainLimit   chosen[time.Duration]
	MaxDraining  int
	ReadyTimeout time.Duration
}

// portDrainLimit is the default for what holds $PORT or a listen socket.
const portDrainLimit = 60 * time.Second

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

// wholeNumber reads one from least on.
func wholeNumber(name, text string, least int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, wrong(name, fmt.Sprintf("%q is too few, or no number", text), fmt.Sprintf("give a whole number from %d", least))
	}
	return n, nil
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

// binds tells whether a type's processes listen themselves, each to the same
// address as the one before it.
func (s *resolution) binds(k *kind) bool {
	return len(k.sockets) == 0 && (k.server.Binds || procfile.Uses(k.text, "PORT")) && !s.sharesPort(k)
}

// surge is how many new ones may be beside old ones. What cannot run twice is
// replaced old first whatever is asked for all types; its own setting insists.
func (s *resolution) surge(k *kind) (n int, source string) {
	asked, source := of(s, k, "max-surge", s.Rolling.Surge, k.wrapped.Rolling.Surge, s.Types[k.name].Rolling.Surge)
	own := source != "" && source != s.From["max-surge"] && s.Given["max-surge"] == ""
	switch {
	case s.Command == "exec" && k.count == 1: // its end is the launcher's own
		return 0, "default: exec of one process"
	case own:
		return asked.Value, source
	case k.server.Alone:
		return 0, "default: " + k.server.Name + " cannot run twice"
	case s.binds(k):
		return 0, "default: two cannot listen to one port"
	case asked.Set:
		return asked.Value, source
	}
	return 1, "default"
}

// drainLimit is how long an old process may finish its work. While it does and
// goes first, nobody works in its slot: then it has the time of any stop, if
// nothing is said.
func (s *resolution) drainLimit(k *kind) (limit time.Duration, source string) {
	asked, source := of(s, k, "drain-limit", s.Rolling.DrainLimit, k.wrapped.Rolling.DrainLimit, s.Types[k.name].Rolling.DrainLimit)
	surge, _ := s.surge(k)
	switch {
	case source != "":
		return asked.Value, source
	case len(k.sockets) > 0, k.server.Binds, procfile.Uses(k.text, "PORT"):
		return portDrainLimit, "default: it listens"
	case surge == 0:
		return 0, "default: old first"
	}
	return launcher.NoDrainLimit, "default"
}

func (s *resolution) maxDraining(k *kind) (n int, source string) {
	n, source = of(s, k, "max-draining", s.Rolling.MaxDraining, k.wrapped.Rolling.MaxDraining, s.Types[k.name].Rolling.MaxDraining)
	if n == 0 {
		return 2 * max(1, k.count), "default: 2 x COUNT"
	}
	return n, source
}

func (s *resolution) readyTimeout(k *kind) (d time.Duration, source string) {
	return of(s, k, "ready-timeout", s.Rolling.ReadyTimeout, k.wrapped.Rolling.ReadyTimeout, s.Types[k.name].Rolling.ReadyTimeout)
}

// rolling is what a spec is told.
func (s *resolution) rolling(k *kind) (r launcher.Rolling) {
	r.Surge, _ = s.surge(k)
	r.DrainLimit, _ = s.drainLimit(k)
	r.MaxDraining, _ = s.maxDraining(k)
	r.ReadyTimeout, _ = s.readyTimeout(k)
	return r
}

// explainRolling lists it for check.
func (s *resolution) explainRolling(k *kind, say func(name, value, source string)) {
	surge, source := s.surge(k)
	value := strconv.Itoa(surge)
	if surge == 0 {
		value += " (old first)"
	}
	say(k.name+": max-surge", value, source)
	limit, source := s.drainLimit(k)
	switch limit {
	case launcher.NoDrainLimit:
		value = "none"
	case 0:
		value = "as any stop"
	default:
		value = limit.String()
	}
	say(k.name+": drain-limit", value, source)
	n, source := s.maxDraining(k)
	say(k.name+": max-draining", strconv.Itoa(n), source)
	if d, source := s.readyTimeout(k); source != "" && source == s.Types[k.name].from["ready-timeout"] {
		say(k.name+": ready-timeout", d.String(), source)
	}
}

const (
	revisionFile = "REVISION" // Capistrano's
	mostRevision = 100
)

// revision is what is known of the release in the generation's directory: its
// REVISION, else Heroku's commit; "" where neither tells.
func (s *resolution) revision() string {
	if f, err := os.Open(s.path(revisionFile)); err == nil {
		defer f.Close()
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			text, _ := io.ReadAll(io.LimitReader(f, mostRevision))
			if line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n"); line != "" {
				return oneLine(strings.TrimSpace(line))
			}
		}
	}
	commit, _ := s.real.Lookup("HEROKU_SLUG_COMMIT")
	return oneLine(commit[:min(len(commit), mostRevision)])
}
