// Command launcher is a small, PID-1-safe process launcher: it runs the
// processes of a Procfile, keeps them running, and stops them inside one budget
// with nothing left behind. The README and `launcher help` say how it is used.
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
