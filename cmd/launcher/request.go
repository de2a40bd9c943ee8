package main

import (
	"time"

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

	Procfile      string   // path
	EnvFiles      []string // in the order given
	EnvFilesGiven bool     // false: .env where there is one (exec: none)

	// Count is --count, COUNT or SIDEKIQ_COUNT; CountFrom names which ("" for none).
	Count     procfile.Counts
	CountFrom string
	Formation *procfile.Counts // start: -m; nil: all=1

	Index      int  // --index or INDEX
	IndexGiven bool // false: derived (DESIGN 4)

	Budget       time.Duration // effective
	QuietFor     time.Duration // negative: by budget
	QuietSignal  unix.Signal   // 0: by server; launcher.NoSignal: none
	StopSignal   unix.Signal   // 0: by server
	MaxMemory    int64         // bytes; 0: no limit
	Restart      launcher.Restart
	RestartGiven bool
	ListenNone   bool // --listen none: several may share $PORT
	Nested       bool // we run below a launcher (WITHIN_LAUNCHER)

	Sources map[string]string // by flag: the flag or variable that a setting came from

	Environ  []string // the environment we were given, not filtered
	Dir      string   // working directory by its logical name ($PWD where it is true)
	Terminal bool     // standard input is a terminal
}

// source is the flag or variable that a setting came from.
func (r *request) source(flag string) string { return firstSet(r.Sources[flag], "--"+flag) }

// generation is what resolve makes of a request and the files as they are now.
type generation struct {
	Specs      []launcher.Spec
	Slot       func(name string, slot int) (launcher.Spec, bool) // any slot of a type, for scale
	Decisions  []decision                                        // for check: every value and where it came from
	Warnings   []string                                          // to be logged at start
	EnvRead    []envRead                                         // which env files were read, and how many variables
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
