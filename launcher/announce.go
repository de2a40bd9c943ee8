package launcher

import (
	"fmt"
	"strings"
	"time"
)

// announced is what the service manager above was last told (DESIGN 6).
type announced struct {
	version    uint64 // of the status that it was told of
	ready      bool
	reloading  bool
	stopping   bool
	words      string
	watchdogAt time.Time // when WATCHDOG=1 is due; zero: never
}

// announce tells the service manager what has changed of the whole: READY when
// all are ready, RELOADING and READY round a restart, STOPPING, STATUS, and
// WATCHDOG for as long as the loop turns and every process with a watchdog is
// well. What a child says of itself, its STOPPING or MAINPID above all, is never
// passed up: systemd would take it for ours and kill the unit.
func (s *supervisor) announce(now time.Time) {
	if s.Announce == nil {
		return
	}
	if s.Watchdog > 0 && !now.Before(s.said.watchdogAt) {
		s.said.watchdogAt = now.Add(s.Watchdog)
		if s.watchdogsWell() {
			s.Announce("WATCHDOG=1")
		}
	}
	if s.said.version == s.version && s.said.words != "" {
		return
	}
	s.said.version = s.version
	ready, all := s.readiness()
	words := fmt.Sprintf("%d/%d ready", ready, all)
	state := ""
	switch rolling := s.restarts.follow || s.underway() && (s.roll == nil || s.roll.replaced.IsZero()); {
	case s.stopping != nil:
		words = "stopping: " + s.stopping.why
		if !s.said.stopping {
			s.said.stopping = true
			state = "STOPPING=1\n"
		}
	case rolling && s.said.ready:
		words = s.restartWords()
		if !s.said.reloading {
			s.said.reloading = true
			state = reloadingNow()
		}
	case s.quietAll:
		words = "quiet, " + words
		state = s.sayReady()
	case ready == all, s.said.reloading: // what was aborted is over too
		state = s.sayReady()
	}
	words = strings.ReplaceAll(words, "\n", " ") // an error's text may hold some
	if words != s.said.words || state != "" {
		s.said.words = words
		s.Announce(state + "STATUS=" + words)
	}
}

// sayReady is READY=1, where that is news: at first, and after a restart.
func (s *supervisor) sayReady() string {
	if s.said.ready && !s.said.reloading {
		return ""
	}
	s.said.ready, s.said.reloading = true, false
	return "READY=1\n"
}

// readiness counts the slots that are to run, and those of them that are ready.
func (s *supervisor) readiness() (ready, all int) {
	for _, p := range s.processes {
		if p.old || p.state == Down {
			continue
		}
		all++
		if p.isReady() || p.state < Ready && s.servesOld(p.name) {
			ready++
		}
	}
	return ready, all
}

// servesOld tells whether the old process of a slot is ready still, while the
// new one is not yet.
func (s *supervisor) servesOld(name string) bool {
	for _, p := range s.processes {
		if p.old && p.name == name && p.state == Ready {
			return true
		}
	}
	return false
}

// reloadingNow is one message: systemd.service(5), Type=notify-reload.
func reloadingNow() string { return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d\n", monotonic()) }
