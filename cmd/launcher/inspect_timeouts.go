package main

import (
	"fmt"
	"strconv"
	"time"

	"dyno/launcher"
)

// inspectTimeouts warns where a server waits for its work longer than it has
// between the stop signal and KILL: what still runs then is lost (DESIGN 3,
// FACTS 2).
func (s *resolution) inspectTimeouts(k *kind, programs []program) {
	env := k.env.clone()
	s.setOwn(&env, k, 1)
	has := time.Duration(launcher.StopTimeout(s.Budget, s.QuietFor)) * time.Second
	for _, p := range programs {
		server, known := launcher.Identify(p.words)
		if !known {
			continue
		}
		wants, given, ok := launcher.Timeout(p.words, env.Lookup)
		if !ok || wants <= has {
			continue
		}
		own := "its default"
		if given {
			own = "its own setting"
		}
		s.warn(k, fmt.Sprintf("%s waits up to %s for running work (%s), and is killed %s after its stop signal (STOP_TIMEOUT=%d)",
			server.Name, wants, own, launcher.Window(s.Budget, s.QuietFor), has/time.Second), s.timeoutRemedy(k, server, wants))
	}
}

// timeoutRemedy names both ways out. What exec passes on as it is names a
// number: no shell would put STOP_TIMEOUT in.
func (s *resolution) timeoutRemedy(k *kind, server launcher.Server, wants time.Duration) string {
	longer := fmt.Sprintf("--budget %s", s.budgetFor(wants))
	flag := ""
	switch server.Name {
	case "sidekiq", "sidekiqswarm":
		flag = "-t"
	case "gunicorn":
		flag = "--graceful-timeout"
	case "uvicorn":
		flag = "--timeout-graceful-shutdown"
	default:
		return "give " + longer + ", where the platform waits that long"
	}
	value := "$STOP_TIMEOUT"
	if _, scripted := k.script(); !scripted {
		value = strconv.Itoa(launcher.StopTimeout(s.Budget, s.QuietFor))
	}
	return fmt.Sprintf("write %s %s %s, or give %s", server.Name, flag, value, longer)
}

// budgetFor is the least budget, in whole seconds, whose STOP_TIMEOUT is enough.
func (s *resolution) budgetFor(wants time.Duration) time.Duration {
	budget := s.Budget.Truncate(time.Second)
	for time.Duration(launcher.StopTimeout(budget, s.QuietFor))*time.Second < wants {
		budget += time.Second
	}
	return budget
}
