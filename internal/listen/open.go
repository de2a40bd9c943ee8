package listen

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// backlog is more than any somaxconn: listen(2) silently takes as many as that allows.
const backlog = 65535

// open opens the socket of a. It blocks, as systemd's do: a program that wants
// otherwise says so itself. made is the file of a unix socket.
func open(a Address) (fd int, made file, err error) {
	if a.Path != "" {
		return openUnix(a.Path)
	}
	if fd, err = bound(a); err != nil {
		return -1, file{}, err
	}
	if err = unix.Listen(fd, backlog); err != nil {
		unix.Close(fd)
		return -1, file{}, err
	}
	return fd, file{}, nil
}

// bound is a socket with a TCP address, which does not listen yet.
func bound(a Address) (fd int, err error) {
	domain, to := unix.AF_INET, unix.Sockaddr(&unix.SockaddrInet4{Port: int(a.Port)})
	if a.Host.Is6() {
		domain, to = unix.AF_INET6, &unix.SockaddrInet6{Port: int(a.Port), Addr: a.Host.As16()}
	} else {
		to.(*unix.SockaddrInet4).Addr = a.Host.As4()
	}
	if fd, err = socket(domain); err != nil {
		return -1, err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil && domain == unix.AF_INET6 {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, map[bool]int{true: 1}[a.SixOnly])
	}
	if err == nil {
		err = unix.Bind(fd, to)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// try tells why open would fail. No client sees anything of it: nobody listens.
func try(a Address) error {
	if a.Path != "" {
		return tryUnix(a.Path)
	}
	fd, err := bound(a)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func tryUnix(path string) error {
	if len(path) > longestPath {
		return errTooLong
	}
	if err := unix.Access(filepath.Dir(path), unix.W_OK|unix.X_OK); err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, err := isStale(path)
	return err
}

// file is one that we made: another that has taken its name is not ours to
// remove. Its inode's number may be the same, but it was made later.
type file struct {
	path     string
	dev, ino uint64
	made     time.Time
}

// remove removes the file if it is still ours.
func (f file) remove() {
	if now, err := fileAt(f.path); f.path != "" && err == nil && now == f {
		_ = unix.Unlink(f.path)
	}
}

func fileAt(path string) (file, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return file{}, err
	}
	return file{path, uint64(st.Dev), st.Ino, time.Unix(st.Mtim.Unix())}, nil
}

var (
	errLive      = fmt.Errorf("another program listens there: %w", unix.EADDRINUSE)
	errNotSocket = errors.New("there is a file of that name, and it is no socket")
	errTooLong   = fmt.Errorf("the path of a socket has at most %d bytes", longestPath)
)

// openUnix takes the place of a socket that nobody listens to any more.
func openUnix(path string) (int, file, error) {
	if len(path) > longestPath {
		return -1, file{}, errTooLong
	}
	fd, err := socket(unix.AF_UNIX)
	if err != nil {
		return -1, file{}, err
	}
	// On Linux the file gets the socket's own mode, less the umask (unix_bind_bsd
	// in the kernel); elsewhere this is refused, and the umask alone counts.
	_ = unix.Fchmod(fd, 0o666)
	to := &unix.SockaddrUnix{Name: path}
	err = unix.Bind(fd, to)
	if errors.Is(err, unix.EADDRINUSE) {
		if err = removeStale(path); err == nil {
			err = unix.Bind(fd, to)
		}
	}
	made := file{}
	if err == nil {
		if made, err = fileAt(path); err == nil {
			err = unix.Listen(fd, backlog)
		}
	}
	if err != nil {
		made.remove()
		unix.Close(fd)
		return -1, file{}, err
	}
	return fd, made, nil
}

// removeStale removes a socket that refuses connections: its program has gone.
func removeStale(path string) error {
	stale, err := isStale(path)
	if err == nil && stale {
		return unix.Unlink(path)
	}
	return err
}

// isStale tells whether a socket refuses connections; false: there is no file any
// more. An error says why it is not to be replaced.
func isStale(path string) (bool, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket == 0 {
		return false, errNotSocket
	}
	fd, err := socket(unix.AF_UNIX)
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	if err = unix.SetNonblock(fd, true); err != nil { // one whose queue is full would hold us up
		return false, err
	}
	switch err = unix.Connect(fd, &unix.SockaddrUnix{Name: path}); {
	case errors.Is(err, unix.ECONNREFUSED):
		return true, nil
	case errors.Is(err, unix.ENOENT):
		return false, nil
	case err == nil, errors.Is(err, unix.EAGAIN):
		return false, errLive
	}
	return false, fmt.Errorf("whether another program listens there cannot be told: %w", err)
}
