package main

import (
	"fmt"
	"slices"
	"sync"

	"dyno/launcher"
	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
)

// resolve makes a generation of r and of the files as they are now (DESIGN 2
// and 4). All mistakes come at once, as a *multierror.Error of
// *procfile.Problem; the generation that comes with them holds the decisions
// and warnings, for check, and no specs. first tells whether the launcher
// starts with it: later ones do not repeat what is to be said of settings.
func resolve(r request, first bool) (*generation, error) {
	return resolveWithin(r, first, capacity)
}

// resolveWithin is resolve with what the container may use passed in. capacity
// is asked at most once, and only where a count depends on it.
func resolveWithin(r request, first bool, capacity func() procfile.Capacity) (*generation, error) {
	s := &resolution{request: r, first: first, capacity: sync.OnceValue(capacity)}
	s.findDirectory()
	s.real = given(r.Environ)
	s.made.Revision = s.revision()
	asked := ""
	if s.EnvFilesGiven {
		asked = s.source("env-file")
	}
	s.variables = s.readEnvFiles(s.envFiles(), asked)
	s.choose()
	for _, k := range s.kinds {
		s.prepare(k)
	}
	s.decide()
	s.assignSockets()
	for _, k := range s.kinds {
		s.inspect(k)
	}
	s.inspectPorts()
	s.explain()
	specs := s.specs()
	if err := s.mistakes.ErrorOrNil(); err != nil {
		return &s.made, err
	}
	s.made.Specs = specs
	s.made.Slot = s.slot
	return &s.made, nil
}

// resolution is a generation in the making.
type resolution struct {
	request
	first    bool
	capacity func() procfile.Capacity

	dir       string              // the working directory, links resolved
	dirName   string              // … and the name that it was found by
	real      environment         // what we were given
	variables []procfile.Variable // of the env files, in the order of reading
	names     []string            // every process type of the Procfile
	kinds     []*kind             // those that run, in the order of starting

	made     generation
	mistakes *multierror.Error
}

// kind is one process type on its way to its specs.
type kind struct {
	name    string
	line    int              // in the Procfile; 0: exec
	place   int              // among the types that start starts, from 0
	text    string           // shell text; "" for exec
	command procfile.Command // of text
	words   []string         // exec: what runs
	asked   *procfile.Count  // TYPE=N
	wrapped request          // the flags of a `launcher exec` that the line began with
	env     environment      // shared by its processes
	server  launcher.Server

	whyShell string // "": it is started directly
	broken   bool   // a mistake was found: there is no command to look at

	count   int
	index   int // the first
	restart launcher.Restart
	sockets []launcher.Socket // it is handed
	listens string            // … and where that is set
	why     map[string]string // the source of count, index and restart
}

// prepare reads a type's line: what it wraps, its words, and what server it is.
func (s *resolution) prepare(k *kind) {
	if k.words == nil && !s.parse(k) {
		k.broken = true
	}
	inLine := fmt.Sprintf("--env-file in %s:%d", s.Procfile, k.line)
	k.env = s.real.with(slices.Concat(s.variablesOf(k), s.readEnvFiles(k.wrapped.EnvFiles, inLine)))
	if s.real.has("PWD") {
		k.env.set("PWD", s.dir)
	}
	if k.broken {
		return
	}
	env := k.env.clone()
	s.setOwn(&env, k, 1)
	if k.words == nil {
		k.whyShell = k.command.WhyShell(env.Lookup)
	}
	argv, _, err := k.start(env, s.Args)
	if err != nil {
		k.broken = true
		s.wrongLine(k, err)
		return
	}
	k.server, _ = launcher.Identify(argv)
}

// parse unwraps a line and reads its words.
func (s *resolution) parse(k *kind) bool {
	if !s.unwrap(k) {
		return false
	}
	command, err := procfile.ParseCommand(k.text)
	if err != nil {
		s.wrongLine(k, err)
		return false
	}
	k.command = command
	return true
}

// start is what is run for one process with environment env, directly or
// through sh (procfile.Command.Argv), and env with what the line itself sets.
func (k *kind) start(env environment, args []string) ([]string, environment, error) {
	if k.words != nil {
		return k.words, env, nil
	}
	argv, assigned, err := k.command.Argv(env.Lookup, args)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range assigned {
		env.assign(a)
	}
	return argv, env, nil
}

// specs makes one spec a process.
func (s *resolution) specs() []launcher.Spec {
	total := 0
	for _, k := range s.kinds {
		total += k.count
	}
	alone := total == 1
	s.made.OneCommand = s.Command == "exec" && alone
	var specs []launcher.Spec
	for _, k := range s.kinds {
		if k.broken {
			continue
		}
		for slot := 1; slot <= k.count; slot++ {
			spec, ok := s.spec(k, slot)
			if !ok {
				break
			}
			spec.InheritStdin = alone
			spec.Interactive = alone && s.Terminal && (s.Command == "exec" || k.name == "console")
			spec.InheritFiles = s.made.OneCommand
			s.made.Pass = s.made.OneCommand && !spec.Server.Known()
			specs = append(specs, spec)
		}
	}
	return specs
}

// slot makes the spec of one more slot of a type, for scale.
func (s *resolution) slot(name string, slot int) (launcher.Spec, bool) {
	for _, k := range s.kinds {
		if k.name == name && !k.broken {
			return s.spec(k, slot)
		}
	}
	return launcher.Spec{}, false
}

func (s *resolution) spec(k *kind, slot int) (launcher.Spec, bool) {
	env := k.env.clone()
	s.setOwn(&env, k, slot)
	if !s.setSocketPort(&env, k) && s.Command == "start" && !s.setPort(&env, k, slot) {
		return launcher.Spec{}, false
	}
	argv, env, err := k.start(env, s.Args)
	if err != nil {
		s.wrongLine(k, err)
		return launcher.Spec{}, false
	}
	quiet, _ := s.configuredQuiet(k)
	stop, _ := s.configuredStop(k)
	spec := launcher.Spec{
		Type: k.name, Slot: slot,
		Argv: argv, Env: env, Dir: s.dir, DirName: s.dirName, Revision: s.made.Revision,
		Server:      k.server,
		QuietSignal: quiet,
		StopSignal:  stop,
		Restart:     k.restart,
		MaxMemory:   s.maxMemory(k),
		Sockets:     k.sockets,
		Rolling:     s.rolling(k),
	}
	return spec, s.setProbes(k, &spec, env)
}

// maxMemory is no limit for what is not started again: it would be lost.
func (s *resolution) maxMemory(k *kind) int64 {
	if k.restart == launcher.RestartNever {
		return 0
	}
	most, _ := of(s, k, "max-memory", s.MaxMemory, k.wrapped.MaxMemory, s.Types[k.name].MaxMemory)
	return most
}
