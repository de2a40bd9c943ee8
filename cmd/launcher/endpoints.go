package main

import (
	"errors"
	"net"

	"dyno/internal/control"
	"dyno/internal/endpoint"
	"dyno/internal/output"
	"dyno/launcher"

	"golang.org/x/sys/unix"
)

// endpoints are what others ask us by: both stand before the first process is
// started, and until we exit. nil is one that was not asked for.
type endpoints struct {
	control *control.Server
	health  *endpoint.Server
}

// openEndpoints opens them and has the loop listen to them. The error is of a
// setting; nothing stays open with it.
func openEndpoints(s *settings, gen *generation, c *launcher.Config, out *output.Output, log *journal) (*endpoints, error) {
	open, inbox := &endpoints{}, launcher.NewInbox(c.Kernel)
	var err error
	if open.control, err = openControl(s, gen, inbox, log); err != nil {
		return open, err
	}
	if s.Health != "" {
		open.health, err = endpoint.Serve(s.Health, inbox, endpoint.Options{
			Budget: s.Budget, Version: version, Output: out.Bytes, Idle: releaseMemory,
		})
		if err != nil {
			return open, wrong(s.source("health"), oneMistake(err).Error(), "name another address, or off")
		}
		log.say(launcher.Info, "health endpoint at %s", open.health.Address)
	}
	if open.control != nil || open.health != nil {
		c.Inbox = inbox
	}
	return open, nil
}

// openControl opens the control socket, which one command in tini's place has
// only where it was asked for. Not to find a place is no reason not to run;
// but a socket that was named is one.
func openControl(s *settings, gen *generation, inbox *launcher.Inbox, log *journal) (*control.Server, error) {
	if s.Socket == "none" || s.Socket == "" && (gen.Pass || gen.OneCommand) {
		return nil, nil
	}
	server, err := control.Serve(s.Socket, inbox, control.Options{Budget: s.Budget, Idle: releaseMemory})
	switch {
	case err == nil:
		return server, nil
	case s.Socket != "":
		return nil, wrong(s.source("socket"), oneMistake(err).Error(), "name another, or none")
	}
	log.say(launcher.Warn, "no control socket, so launcher status and the like do not work: %v", oneMistake(err))
	return nil, nil
}

// tryEndpoints is for check: whether they could be opened now.
func (s *settings) tryEndpoints() error {
	var all error
	if s.Health != "" {
		l, err := net.Listen("tcp", s.Health)
		switch {
		case err == nil:
			l.Close()
		case errors.Is(err, unix.EADDRINUSE):
			s.warnings = append(s.warnings, inUse(s.source("health"), s.Health, unix.EADDRINUSE))
		default:
			all = together(all, wrong(s.source("health"), err.Error(), "name another address, or off"))
		}
	}
	if s.Socket != "" && s.Socket != "none" {
		switch err := control.Try(s.Socket); {
		case errors.Is(err, unix.EADDRINUSE):
			s.warnings = append(s.warnings, inUse(s.source("socket"), s.Socket, unix.EADDRINUSE))
		case err != nil:
			all = together(all, wrong(s.source("socket"), err.Error(), "name another, or none"))
		}
	}
	return all
}

// ended says that the loop turns no more.
func (s *endpoints) ended() {
	if s.control != nil {
		s.control.Ended()
	}
	if s.health != nil {
		s.health.Ended()
	}
}

func (s *endpoints) close() {
	if s.health != nil {
		s.health.Close()
	}
	if s.control != nil {
		s.control.Close()
	}
}
