package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dyno/internal/listen"
	"dyno/launcher"
	"dyno/procfile"

	"golang.org/x/sys/unix"
)

// assignSockets decides which type is handed which sockets, and opens them,
// where this is no mere check. A type's own list comes first. The general one,
// or what a .socket unit handed to us, is for the one type that runs; of several
// for the one that serves (serves): a worker that held it would be none the
// wiser, but two servers on one socket would take each other's requests.
func (s *resolution) assignSockets() {
	if s.Sockets != nil {
		s.Sockets.Begin()
	}
	var free []*kind
	for _, k := range s.kinds {
		text, source, own := s.ownListen(k)
		switch {
		case !own:
			free = append(free, k)
		case text != "":
			s.listen(k, text, source)
		}
	}
	switch {
	case s.Listen != "":
		if k := s.taker(free, s.source("listen")); k != nil {
			s.listen(k, s.Listen, s.source("listen"))
		}
	case s.Given["listen"] == "" && s.From["listen"] == "" && len(s.Handed) > 0:
		if k := s.taker(free, "LISTEN_FDS"); k != nil {
			k.sockets, k.listens = s.Handed, "LISTEN_FDS"
		}
	}
	for _, k := range s.kinds {
		s.inspectSockets(k)
	}
	if s.Sockets != nil && s.mistakes.ErrorOrNil() == nil {
		for _, address := range s.Sockets.Unnamed() {
			s.made.Warnings = append(s.made.Warnings, fmt.Sprintf("listen: %s is no longer asked for; it stays open until the launcher ends", address))
		}
	}
}

// ownListen is what the type itself says: the `launcher exec` in its line, or its
// table in launcher.toml. Of a type that runs alone it gives way to a flag and to
// the environment, as all settings do.
func (s *resolution) ownListen(k *kind) (text, source string, own bool) {
	table := s.Types[k.name]
	switch {
	case len(s.kinds) == 1 && s.Given["listen"] != "":
	case k.wrapped.Listen != "" || k.wrapped.ListenNone:
		return k.wrapped.Listen, fmt.Sprintf("--listen in %s:%d", s.Procfile, k.line), true
	case table.from["listen"] != "":
		return table.Listen, table.from["listen"], true
	}
	return "", "", false
}

// taker is the type for which the general sockets are. Those with no process are
// asked last.
func (s *resolution) taker(free []*kind, source string) *kind {
	running := slices.DeleteFunc(slices.Clone(free), func(k *kind) bool { return k.count == 0 })
	if len(running) == 0 {
		running = free
	}
	if len(running) == 1 && len(s.kinds) == 1 {
		return running[0]
	}
	serving := slices.DeleteFunc(slices.Clone(running), func(k *kind) bool { return !serves(k) })
	var names []string
	for _, k := range serving {
		names = append(names, k.name)
	}
	const remedy = "name the sockets of each type in launcher.toml: listen = \":3000\" below [process.TYPE]"
	switch {
	case len(serving) == 1:
		return serving[0]
	case len(free) == 0: // each has its own, or another mistake was found
	case len(serving) > 1:
		s.mistakeIn(source, "several process types serve, and the sockets can be for one only: "+strings.Join(names, ", "), remedy)
	case source == "LISTEN_FDS":
		if s.first {
			s.made.Warnings = append(s.made.Warnings, "LISTEN_FDS: no process type serves (is called web, uses $PORT, or runs a known server): nobody is handed the sockets; "+remedy)
		}
	default:
		s.mistakeIn(source, "no process type serves (is called web, uses $PORT, or runs a server that takes sockets)", remedy)
	}
	return nil
}

// takesSockets are the servers that use what they inherit (FACTS 4). Node does
// where its program says so, and is as often a worker.
var takesSockets = []string{"puma", "unicorn", "gunicorn", "uvicorn", "nginx"}

// serves tells whether a type is one that clients connect to.
func serves(k *kind) bool {
	return k.name == "web" || procfile.Uses(k.text, "PORT") || slices.Contains(takesSockets, k.server.Name)
}

// listen opens a list of addresses for k.
func (s *resolution) listen(k *kind, text, source string) {
	port := lookup(s.Environ, "PORT")
	if port == "" && fillPort(text, "") != text {
		s.mistakeIn(source, "$PORT is not set", "set PORT in the launcher's own environment, or write the number")
		return
	}
	k.listens = source
	var seen []listen.Address
	for item := range strings.SplitSeq(text, ",") {
		address, err := listen.Parse(fillPort(strings.TrimSpace(item), port))
		if err != nil {
			s.mistakeIn(source, fmt.Sprintf("%q is no address: %v", strings.TrimSpace(item), err), listenRemedy)
			continue
		}
		if address = address.In(s.dir); slices.Contains(seen, address) {
			continue
		}
		seen = append(seen, address)
		one, err := s.openSocket(address)
		switch {
		case err == nil:
		case errors.Is(err, unix.EADDRINUSE) && s.Sockets.Trial():
			s.made.Warnings = append(s.made.Warnings, inUse(source, address.String(), err))
		default:
			s.mistakeIn(source, fmt.Sprintf("cannot listen on %s: %s", address, cause(err)), listenCure(err))
		}
		k.sockets = append(k.sockets, one)
	}
}

// inUse is what check says of an address that is in use: by the very launcher,
// perhaps, whose next restart is checked.
func inUse(source, address string, err error) string {
	p := procfile.Problem{
		Setting: source, What: fmt.Sprintf("cannot listen on %s now: %s", address, cause(err)),
		Remedy: "a launcher that starts now is refused; all is well if the one that runs listens there",
	}
	return p.Error()
}

func (s *resolution) openSocket(a listen.Address) (launcher.Socket, error) {
	if s.Sockets == nil {
		return launcher.Socket{FD: -1, Name: a.Name(), Addr: a.String()}, nil
	}
	one, err := s.Sockets.Open(a)
	return launcher.Socket{FD: one.FD, Name: one.Name, Addr: one.Addr}, err
}

// listenCure is what to do about it.
func listenCure(err error) string {
	switch {
	case errors.Is(err, unix.EADDRINUSE):
		return "stop what listens there (ss -lp shows it), or name another address"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return "name a port from 1024 on, or a path that may be written, or let systemd open it (.socket unit)"
	case errors.Is(err, unix.EADDRNOTAVAIL):
		return "name an address of this machine, or 0.0.0.0 for all"
	case errors.Is(err, unix.ENOENT):
		return "create its directory"
	}
	return "name another address"
}

// tcpPorts are the ports of k's sockets, in their order.
func (k *kind) tcpPorts() []string {
	var ports []string
	for _, one := range k.sockets {
		if address, err := listen.Parse(one.Addr); err == nil && address.Path == "" {
			ports = append(ports, address.Name())
		}
	}
	return ports
}

// setSocketPort makes PORT that of the first socket, so that `puma -p $PORT` names
// what it is handed: under start, where PORT would be counted up, and where it is
// not set. False: nothing was set.
func (s *resolution) setSocketPort(env *environment, k *kind) bool {
	ports := k.tcpPorts()
	if len(ports) == 0 || s.Command != "start" && env.has("PORT") {
		return false
	}
	env.set("PORT", ports[0])
	return true
}

// inspectSockets warns of a line that would not use what it is handed.
func (s *resolution) inspectSockets(k *kind) {
	if len(k.sockets) == 0 || k.broken {
		return
	}
	port, set := k.env.Lookup("PORT")
	ports := k.tcpPorts()
	if s.Command != "start" && set && len(ports) > 0 && procfile.Uses(k.text, "PORT") && !slices.Contains(ports, port) {
		s.warn(k, fmt.Sprintf("uses $PORT, which is %s, and the socket it is handed has port %s", port, strings.Join(ports, ", ")),
			"write --listen tcp://0.0.0.0:$PORT")
	}
	for _, p := range k.programs() {
		if _, given := p.value("", "--fd"); p.name == "uvicorn" && !given {
			s.warn(k, "uvicorn takes no socket unless it is told its number", "write uvicorn --fd 3")
		}
	}
}

// socketList is how check shows them.
func socketList(sockets []launcher.Socket) string {
	var words []string
	for _, one := range sockets {
		words = append(words, cmp.Or(one.Addr, one.Name))
	}
	return strings.Join(words, ", ")
}

// takeHanded notes the sockets that the service manager has handed to us.
func (s *settings) takeHanded() error {
	given, err := listen.Given(func(name string) string { return lookup(s.Environ, name) }, os.Getpid())
	if err != nil {
		return wrong("LISTEN_FDS", cause(err), "correct the .socket unit, or unset it")
	}
	for _, one := range given {
		s.Handed = append(s.Handed, launcher.Socket{FD: one.FD, Name: one.Name, Addr: one.Addr})
	}
	return nil
}

// ownProgram is a path by which the launcher can start itself: on Linux one that
// leads to it even where its file was replaced or removed meanwhile. "": there
// is none.
func ownProgram() string {
	const self = "/proc/self/exe"
	if unix.Access(self, unix.X_OK) == nil {
		return self
	}
	if path, err := os.Executable(); err == nil {
		return path
	}
	if path, err := filepath.Abs(os.Args[0]); err == nil && strings.Contains(os.Args[0], "/") && unix.Access(path, unix.X_OK) == nil {
		return path
	}
	return ""
}

// stepProgram is ownProgram, for sockets that are handed over.
func stepProgram(gen *generation, log *journal) string {
	program := ownProgram()
	if program == "" && slices.ContainsFunc(gen.Specs, func(spec launcher.Spec) bool { return len(spec.Sockets) > 0 }) {
		log.say(launcher.Warn, "processes get their sockets without LISTEN_PID, so gunicorn and others do not take them by themselves: there is no /proc, and the launcher was not started by its path")
	}
	return program
}
