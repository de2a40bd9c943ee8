package launcher

import "golang.org/x/sys/unix"

// response is what a signal to the launcher means.
type response int

const (
	drop      response = iota // nothing
	stop                      // the whole stop, with its quiet phase
	interrupt                 // the stop without a quiet phase; the second kills
	quiet                     // quiet, and stay so
	reload                    // rolling restart
	report                    // to the children, and our own status to the log
	forward                   // to the children
	knowing                   // to the children known to take it, else said
	hint                      // say what to use instead
)

// respond is the table of DESIGN 3. With a controlling terminal none of TTOU,
// TTIN, TSTP is forwarded, HUP stops like INT, and WINCH stays with us: the
// window's size is no news to workers, and to Apache WINCH means stop.
func respond(sig unix.Signal, c *Config) response {
	switch sig {
	case unix.SIGTERM:
		return stop
	case unix.SIGINT:
		if c.IgnoreINT {
			return drop
		}
		return interrupt
	case unix.SIGHUP:
		return respondHUP(c)
	case unix.SIGCHLD, unix.SIGURG, unix.SIGPIPE, unix.SIGPROF:
		return drop
	}
	switch {
	case c.Pass:
		return passed(sig, c)
	case c.Terminal && sig == unix.SIGTSTP:
		return hint
	case c.Terminal && (sig == unix.SIGTTIN || sig == unix.SIGTTOU || sig == unix.SIGWINCH):
		return drop
	}
	switch sig {
	case unix.SIGTSTP, unix.SIGUSR1:
		return quiet
	case unix.SIGTTIN:
		return report
	case unix.SIGUSR2:
		return knowing
	}
	return forward
}

func respondHUP(c *Config) response {
	switch {
	case c.IgnoreHUP:
		return drop
	case c.Pass && !c.Terminal:
		return forward
	case c.Terminal:
		return interrupt
	}
	return reload
}

// passed is respond for a launcher in tini's place: all but the terminal's own
// signals go on unchanged.
func passed(sig unix.Signal, c *Config) response {
	if c.Terminal && (sig == unix.SIGTSTP || sig == unix.SIGTTIN || sig == unix.SIGTTOU) {
		return drop
	}
	return forward
}

// takesUSR2 names the servers for which USR2 is a command of their own; others
// die of it or, like Ruby with no trap, seem to catch it and die (P38).
func takesUSR2(s Server) bool {
	switch s.Name {
	case "puma", "unicorn", "gunicorn", "nginx", "php-fpm", "resque", "launcher":
		return true
	}
	return false
}
