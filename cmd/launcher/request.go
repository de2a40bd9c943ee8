package main

import (
	"cmp"
	"time"

	"dyno/internal/listen"
	"dyno/launcher"
	"dyno/procfile"

	"golang.org/x/sys/unix"
)

// request is what a command asks for once flags and environment are read and
// checked: plain values, from which resolve makes a generation of specs. It is
// read again, unchanged, for every generation.
type request struct {
	Command string   // "run", "start" or "exec"
	Words   []string // run: TYPE[=N] …; exec: the command and its arguments
	Args    []string // run: what stands after --, for each process

	Config string               // --config or LAUNCHER_CONFIG; "": launcher.toml where there is one
	Types  map[string]typeTable // launcher.toml: [process.TYPE]
	From   map[string]string    // what is set by its top: flag → "launcher.toml:12"
	Given  map[string]string    // what flags and environment set: flag → "--count" or "COUNT"

	Procfile      string   // path
	EnvFiles      []string // in the order given
	EnvFilesGiven bool     // false: .env where there is one (exec: none)

	// Count is --count, COUNT or SIDEKIQ_COUNT; CountFrom names which ("" for none).
	Count     procfile.Counts
	CountFrom string
	Formation *procfile.Counts // start: -m; nil: all=1

	Index chosen[int] // --index or INDEX; not set: derived (DESIGN 4)

	Budget      time.Duration   // effective
	QuietFor    time.Duration   // negative: by budget
	QuietSignal unix.Signal     // 0: by server; launcher.NoSignal: none
	StopSignal  unix.Signal     // 0: by server
	MaxMemory   int64           // bytes; 0: no limit
	Ready, Live *launcher.Probe // nil: not given; of Kind 0: the default
	Rolling     rolling         // how a restart replaces processes
	Restart     chosen[launcher.Restart]
	Listen      string // addresses, not filled in; "": none
	ListenNone  bool   // --listen none: several may share $PORT
	Nested      bool   // we run below a launcher (WITHIN_LAUNCHER)

	Sockets *listen.Set       // those opened for Listen, or tried by a check; nil: neither
	Handed  []launcher.Socket // by the service manager

	Environ  []string // the environment we were given, not filtered
	Dir      string   // working directory by its logical name ($PWD where it is true)
	Terminal bool     // standard input is a terminal
}

// chosen is a value whose zero is one too.
type chosen[T comparable] struct {
	Value T
	Set   bool
}

// source is the flag, the variable or the line of a file that a setting came from.
func (r *request) source(flag string) string {
	return cmp.Or(r.From[flag], r.Given[flag], "--"+flag)
}

// generation is what resolve makes of a request and the files as they are now.
type generation struct {
	Specs      []launcher.Spec
	Slot       func(name string, slot int) (launcher.Spec, bool) // any slot of a type, for scale
	Decisions  []decision                                        // for check: every value and where it came from
	Warnings   []string                                          // to be logged at start
	EnvRead    []envRead                                         // which env files were read, and how many variables
	Revision   string                                            // of the release in the directory; "": not known
	OneCommand bool                                              // exec of one process: its exit status is ours
	Pass       bool                                              // … that is no known server: signals are forwarded unchanged
}

// decision is one resolved setting and its source ("flag --count", "COUNT", "default").
type decision struct{ Name, Value, Source string }

// envRead is one env file that was read.
type envRead struct {
	File      string
	Variables int
}
