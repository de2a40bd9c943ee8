package notify

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// ackBacklog is how many workers may be ready in the same moment and wait for
// their turn; one more would wait in connect(2).
const ackBacklog = 1024

// Listen opens a stream socket called name that takes connections, and gives its
// descriptor, which does not block, and its path. Close does not close it, but
// removes its file.
func (d *Dir) Listen(name string) (fd int, path string, err error) {
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, "", fmt.Errorf("socket: %w", err)
	}
	path = d.socketPath(name)
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	if err == nil && d.root {
		err = unix.Chmod(path, 0o666)
	}
	if err == nil {
		err = unix.Listen(fd, ackBacklog)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, "", fmt.Errorf("%s: %w", path, err)
	}
	d.made[path] = true
	return fd, path, nil
}
