//go:build !linux

package output

import "golang.org/x/sys/unix"

const (
	ioctlGetTermios = unix.TIOCGETA
	ioctlSetTermios = unix.TIOCSETA
	ioctlUnread     = 0x4004667f // FIONREAD of <sys/filio.h>, the same on macOS and the BSDs
)
