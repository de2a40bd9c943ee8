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
	return slices.Concat(settingsNow(), settingsListen(), settingsHealth(), settingsProbes(), settingsRestart())
}

func settingsNow() []setting {
	return []setting{
		{
			flag: "procfile", short: "f", env: []string{"LAUNCHER_PROCFILE"}, on: withProcfile, group: groupWhat,
			value: "FILE", def: "Procfile", help: "the Procfile", parse: parseProcfile,
		},
		{
			flag: "env-file", short: "e", env: []string{"LAUNCHER_ENV_FILE"}, on: everywhere, group: groupWhat,
			value: "FILE,...", def: ".env where there is one; exec: none",
			help: "dotenv files; the real environment wins over them", parse: parseEnvFiles,
		},
		{
			flag: "count", short: "c", env: []string{"COUNT", "SIDEKIQ_COUNT"}, on: everywhere, group: groupWhat,
			value: "N", def: "by type: for workers the cores, else 1",
			help:  "how many processes: a number from 1, auto, 50% of the cores, or worker=6,all=1",
			words: []string{"auto"}, parse: parseCount,
		},
		{
			flag: "config", env: []string{"LAUNCHER_CONFIG"}, on: everywhere, group: groupWhat,
			value: "FILE", def: "launcher.toml where there is one", help: "the same settings, for all and for each process type",
			parse: parseConfig,
		},
		{
			flag: "formation", short: "m", env: []string{"LAUNCHER_FORMATION"}, on: "start", group: groupWhat,
			value: "TYPE=N,...", def: "all=1", help: "how many of each type, as foreman's", parse: parseFormation,
		},
		{
			flag: "index", env: []string{"INDEX"}, on: everywhere, group: groupWhat,
			value: "N", def: "from DYNO, pod name or job index, else 0", help: "INDEX of the first process", parse: parseIndex,
		},
		{
			flag: "restart", env: []string{"LAUNCHER_RESTART"}, on: everywhere, group: groupWhat,
			value: "WHEN", def: "always; exec of one process, release, console and one-off dynos: never",
			help:  "when a process that ended is started again: always, on-failure, never",
			words: []string{"always", "on-failure", "never"}, parse: parseRestart,
		},
		{
			flag: "max-memory", env: []string{"LAUNCHER_MAX_MEMORY", "SIDEKIQ_MAXMEM_MB", "MAXMEM_MB"}, on: everywhere, group: groupWhat,
			value: "SIZE", def: "off", help: "a process that uses more memory, its children with it, is replaced: 512MB; a bare number is MB",
			words: []string{"off"}, parse: parseMaxMemory,
		},
		{
			flag: "memory-guard", env: []string{"LAUNCHER_MEMORY_GUARD"}, on: everywhere, group: groupWhat,
			value: "PERCENT", def: "off", help: "near the container's limit the largest process is replaced: on (95%), off, or a percentage",
			words: []string{"on", "off"}, parse: parseGuard,
		},
		{
			flag: "budget", short: "t", env: []string{"LAUNCHER_BUDGET"}, on: everywhere, group: groupStop,
			value: "TIME", def: "10s",
			help:  "from SIGTERM to the launcher's own exit, at least 2s; auto: 30s where Heroku or Kubernetes give it",
			words: []string{"auto"}, parse: parseBudget,
		},
		{
			flag: "quiet-for", env: []string{"LAUNCHER_QUIET_FOR"}, on: everywhere, group: groupStop,
			value: "TIME", def: "500ms, or a fifth of the budget", help: "from the quiet signal to the stop signal", parse: parseQuietFor,
		},
		{
			flag: "quiet-signal", env: []string{"LAUNCHER_QUIET_SIGNAL"}, on: everywhere, group: groupStop,
			value: "SIG", def: "by server", help: "tells a process to take no more work; none: no quiet phase",
			words: []string{"none", "TSTP", "USR1", "USR2"}, parse: parseQuietSignal,
		},
		{
			flag: "stop-signal", env: []string{"LAUNCHER_STOP_SIGNAL"}, on: everywhere, group: groupStop,
			value: "SIG", def: "by server", help: "tells a process to end",
			words: []string{"TERM", "QUIT", "INT", "USR1", "USR2", "WINCH", "HUP"}, parse: parseStopSignal,
		},
		{
			flag: "broadcast", env: []string{"LAUNCHER_BROADCAST"}, on: everywhere, group: groupStop,
			value: "WHETHER", def: "auto", help: "whether the platform sends TERM to every process itself: auto, yes, no",
			words: []string{"auto", "yes", "no"}, parse: parseBroadcast,
		},
		{
			flag: "log", env: []string{"LAUNCHER_LOG"}, on: everywhere, group: groupLog,
			value: "FORM", def: "prefix on a terminal, else raw", help: "the processes' output: prefix, raw, json",
			words: []string{"prefix", "raw", "json"}, parse: parseLog,
		},
		{
			flag: "pty", env: []string{"LAUNCHER_PTY"}, on: everywhere, group: groupLog,
			def: "off", help: "a pseudo-terminal for each process's output",
			words: []string{"on", "off"}, parse: parsePTY,
		},
		{
			flag: "socket", env: []string{"LAUNCHER_SOCKET"}, on: everywhere, group: groupTold,
			value: "PATH", def: "a private place; exec of one process: none",
			help:  "control socket, for launcher status and the like; none: there is none",
			words: []string{"none"}, parse: parseSocket,
		},
	}
}
