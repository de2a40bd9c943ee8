package launcher

import (
	"strconv"
	"strings"
	"time"
)

// Timeout is how long the server that argv starts lets its work run on after
// the stop signal, before it ends of its own accord. ok is false where the
// server has no such timeout or it cannot be told; given is true where the
// command line (or the variable that the server reads for it) says so, false
// for the server's default: sidekiq 25 s (since 6.0, FACTS 2), gunicorn 30 s.
// env resolves the variables that are words of a shell's line; nil: none.
func Timeout(argv []string, env func(string) (string, bool)) (d time.Duration, given, ok bool) {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	server, _ := Identify(argv)
	argv = unwrapped(trimmed(argv))
	if len(argv) == 0 {
		return 0, false, false
	}
	var text string
	var byDefault time.Duration
	switch server.Name {
	case "sidekiq":
		text, given = option(argv[1:], "-t", "--timeout")
		byDefault = 25 * time.Second
	case "gunicorn":
		text, given = option(argv[1:], "", "--graceful-timeout")
		if more, found := env("GUNICORN_CMD_ARGS"); found && !given {
			text, given = option(strings.Fields(more), "", "--graceful-timeout")
		}
		byDefault = 30 * time.Second
	case "uvicorn":
		text, given = option(argv[1:], "", "--timeout-graceful-shutdown")
		if !given {
			text, given = env("UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN")
		}
		if !given {
			return 0, false, false // it waits for ever
		}
	default:
		return 0, false, false
	}
	if !given {
		return byDefault, false, true
	}
	seconds, err := strconv.Atoi(expanded(text, env))
	if err != nil || seconds < 0 || seconds > 1<<30 {
		return 0, true, false
	}
	return time.Duration(seconds) * time.Second, true, true
}

// expanded resolves a word that is $NAME, ${NAME}, ${NAME:-default} or
// ${NAME-default}.
func expanded(word string, env func(string) (string, bool)) string {
	name, ok := strings.CutPrefix(word, "$")
	if !ok {
		return word
	}
	fallback := ""
	if inner, ok := strings.CutPrefix(name, "{"); ok {
		name, fallback, _ = strings.Cut(strings.TrimSuffix(inner, "}"), "-")
		name = strings.TrimSuffix(name, ":")
	}
	if value, _ := env(name); value != "" {
		return value
	}
	return fallback
}
