package notify

import "golang.org/x/sys/unix"

// Manager is the service manager above us, which gave us its NOTIFY_SOCKET.
// coreos/go-systemd was looked at: it dials anew for each message, and its write
// may wait for a reader; a supervisor's loop must not.
type Manager struct {
	fd   int
	addr unix.Sockaddr
}

// Above is the service manager that listens at path, our own NOTIFY_SOCKET
// (sd_notify(3)); nil: there is none. A name that begins with "@" is of the
// abstract namespace.
func Above(path string) *Manager {
	if len(path) < 2 || path[0] != '/' && path[0] != '@' {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return &Manager{fd: fd, addr: &unix.SockaddrUnix{Name: path}}
}

// Tell sends lines of NAME=VALUE. It never waits: a manager that does not read
// misses them.
func (m *Manager) Tell(text string) {
	for {
		if err := unix.Sendto(m.fd, []byte(text), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, m.addr); err != unix.EINTR {
			return
		}
	}
}
