package main

import (
	"slices"

	"dyno/launcher"
)

// settings is what the command line and the environment came to.
type settings struct {
	request
	Broadcast launcher.Broadcast
	Log       string // "prefix", "raw" or "json"; "" by what standard output is
	PTY       bool
	Guard     float64 // the share of the container's memory from which the largest process is replaced; 0: off
	Health    string  // the endpoint's address; "": none
	Socket    string  // a path, "none", or "" for the usual place

	asked  request     // by flags and environment alone: what a restart begins with
	config *configFile // launcher.toml as it was at the start

	decisions []decision
	warnings  []string
}

// setting is one line of DESIGN 1's table: everything that is known of a
// setting, for flags, environment, help, completion and check alike.
type setting struct {
	flag, short string
	env         []string // in the order in which they count
	on          string   // the commands that take it
	group       string   // heading in the help
	value       string   // what the help calls its value; "" for a switch
	def         string   // the default, in words
	help        string
	words       []string // values that have names, for completion and suggestions

	parse func(s *settings, name, text string) error
}

const (
	everywhere   = "run start exec"
	withProcfile = "run start"

	groupWhat    = "What runs"
	groupStop    = "Stopping"
	groupRestart = "Restarting"
	groupHealth  = "Health"
	groupLog     = "Output"
	groupTold    = "Control"
)

// table is a function, so that nothing is built before main begins (P50).
func table() []setting {
	return slices.Concat(
		settingsWhat(), settingsStop(), settingsOutput(), settingsControl(),
		settingsListen(), settingsHealth(), settingsProbes(), settingsRestart(),
	)
}
