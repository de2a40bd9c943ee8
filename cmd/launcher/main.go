// Command launcher is a small, PID-1-safe process launcher: it runs the
// processes of a Procfile, keeps them running, and stops them inside one budget
// with nothing left behind. The README and `launcher help` say how it is used.
//
// Each command has a file of its name. What those share reads in this order:
//
//	flags         the command line as it is read, and what is wrong with its flags
//	settings*     flags and environment; values reads a single one, config* a launcher.toml
//	request       what they come to, as plain values
//	specs         makes a generation of a request and the files as they are now, by
//	              directory, environment, choose (which types run), wrapped, decide
//	              (how many), sockets, probes, rolling; inspect* finds what cannot
//	              be right, and explain says for check what was decided
//	supervise     runs a generation, with endpoints and journal
//	interrupted   what a signal means while nothing is supervised
//	mistakes      how the user's are noted, and all told at once
//	operate       what the commands that ask a running launcher share
//
// Descriptors 0, 1 and 2 that were closed are opened on /dev/null by the Go
// runtime before anything of ours runs, so that no file or socket can take
// their place.
package main

import (
	"os"

	// First to be initialised, for it imports next to nothing: signal handlers,
	// because a TERM that comes to PID 1 before there is one is lost (P50), and
	// the lock to the main thread (P51).
	_ "dyno/internal/early"
)

func main() {
	os.Exit(execute(os.Args, os.Environ()))
}
