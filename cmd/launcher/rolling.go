package main

import (
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
