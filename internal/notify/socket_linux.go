package notify

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// Socket is one process's NOTIFY_SOCKET.
type Socket struct {
	dir  *Dir
	path string
	fd   int
}

// Socket opens the socket called name, as "worker.2". A file left by an earlier
// socket of the name is replaced: two of one name must not be open at the same
// time. A letter that has no place in a file's name becomes "_", and a name that
// is too long is cut.
func (d *Dir) Socket(name string) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	s := &Socket{dir: d, path: d.socketPath(name), fd: fd}
	if err := s.bind(); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	d.live[s], d.made[s.path] = true, true
	return s, nil
}

// socketPath cuts at the front: the slot at the end is what tells names apart.
func (d *Dir) socketPath(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '/' || r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, name)
	if room := longestPath - len(d.path) - 1; len(name) > room {
		name = name[len(name)-room:]
	}
	if strings.Trim(name, ".") == "" {
		name = "_" + name
	}
	return d.path + "/" + name
}

func (s *Socket) bind() error {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1); err != nil {
		return err
	}
	err := unix.Bind(s.fd, &unix.SockaddrUnix{Name: s.path})
	if errors.Is(err, unix.EADDRINUSE) {
		if err = unix.Unlink(s.path); err == nil {
			err = unix.Bind(s.fd, &unix.SockaddrUnix{Name: s.path})
		}
	}
	if err == nil && s.dir.root {
		err = unix.Chmod(s.path, 0o666)
	}
	return err
}

// Path is the value of NOTIFY_SOCKET.
func (s *Socket) Path() string { return s.path }

// FD is the descriptor to wait for; -1 once it is closed.
func (s *Socket) FD() int { return s.fd }

// mostDropped bounds what one Read drops, so that a child that floods its socket
// with nonsense cannot hold us up.
const mostDropped = 16

// Read takes one message, into buf for as long as it takes. sender is the pid
// that sent it, 0 where it is outside our pid namespace. ok is false when there is
// none, or only such as were dropped: empty, longer than buf, not UTF-8, or with a
// NUL in it. Descriptors that come with a message are closed, which is what
// sd_notify_barrier(3) waits for.
func (s *Socket) Read(buf []byte) (text string, sender int, ok bool) {
	if s.fd < 0 {
		return "", 0, false
	}
	var control [512]byte // credentials, and more descriptors than anybody sends; what is beyond the kernel closes
	for range mostDropped {
		n, controls, flags, _, err := unix.Recvmsg(s.fd, buf, control[:], unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return "", 0, false
		}
		sender = readControls(control[:controls])
		text = strings.TrimRight(string(buf[:n]), "\x00\n")
		if flags&unix.MSG_TRUNC == 0 && text != "" && utf8.ValidString(text) && !strings.Contains(text, "\x00") {
			return text, sender, true
		}
	}
	return "", 0, false
}

// readControls finds the sender and closes descriptors.
func readControls(control []byte) (sender int) {
	for len(control) > 0 {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		if err != nil {
			return sender
		}
		message := unix.SocketControlMessage{Header: header, Data: data}
		if credentials, err := unix.ParseUnixCredentials(&message); err == nil {
			sender = int(credentials.Pid)
		}
		if descriptors, err := unix.ParseUnixRights(&message); err == nil {
			for _, fd := range descriptors {
				_ = unix.Close(fd)
			}
		}
		control = rest
	}
	return sender
}

// Close closes the socket. Its file is left for Dir.Close or the next socket of
// the name: an unlink for every process would cost a tenth of a stop of 100.
func (s *Socket) Close() {
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
		s.fd = -1
		delete(s.dir.live, s)
	}
}
