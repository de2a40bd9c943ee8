//go:build unix && !linux

package control

import (
	"net"
	"os"
)

// peer cannot be told here: the socket's mode keeps others out.
func peer(*net.UnixConn) (uid, pid int, err error) { return os.Geteuid(), 0, nil }

// listenPrivate makes a socket file of mode 0600. It stands in a directory
// that only we can enter.
func listenPrivate(path string) (*net.UnixListener, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}
