//go:build !linux

package early

import (
	"os"
	"syscall"
)

// rare are the signals that All installs.
func rare() []os.Signal {
	return []os.Signal{syscall.SIGVTALRM, syscall.SIGXCPU, syscall.SIGXFSZ, syscall.SIGIO}
}

// ClearMask does nothing: only on Linux is the mask we were given cleared for
// children.
func ClearMask() {}
