package output

import (
	"errors"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// openPTY makes a pseudo-terminal with the size of the terminal that one of the
// given descriptors is, if any. It is nobody's controlling terminal. Both
// descriptors are closed at exec; only the master is without blocking.
func openPTY(like ...int) (master, slave int, err error) {
	m, s, err := pty.Open()
	if err != nil {
		return -1, -1, err
	}
	// The files go, as the runtime waits for them in a poller of its own; the
	// terminal stays open through copies of their descriptors.
	master, err1 := copyDescriptor(m, true)
	slave, err2 := copyDescriptor(s, false)
	err = errors.Join(err1, err2, m.Close(), s.Close())
	if err == nil {
		err = prepareTerminal(slave, like)
	}
	if err != nil {
		closeOpen(master)
		closeOpen(slave)
		return -1, -1, err
	}
	return master, slave, nil
}

// copyDescriptor returns a second descriptor of a file, closed at exec.
func copyDescriptor(f *os.File, nonblock bool) (int, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd := -1
	var dupErr error
	if err := raw.Control(func(old uintptr) {
		fd, dupErr = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 3)
	}); err != nil {
		return -1, err
	}
	if dupErr != nil {
		return -1, dupErr
	}
	return fd, unix.SetNonblock(fd, nonblock)
}

func closeOpen(fd int) {
	if fd >= 0 {
		_ = unix.Close(fd)
	}
}

// prepareTerminal gives a terminal its size, and has it leave newlines alone:
// lines are not to end in a carriage return.
func prepareTerminal(fd int, like []int) error {
	t, err := unix.IoctlGetTermios(fd, ioctlGetTermios)
	if err != nil {
		return err
	}
	t.Oflag &^= unix.ONLCR
	if err := unix.IoctlSetTermios(fd, ioctlSetTermios, t); err != nil {
		return err
	}
	for _, l := range like {
		if size, err := unix.IoctlGetWinsize(l, unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size)
		}
	}
	return nil
}
