package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	extension   = ".sock"
	dialTimeout = 2 * time.Second
	mostStale   = 64 // left-over sockets that are looked at
)

// directories are the usual places of user uid's sockets, the best first.
func directories(uid int) []string {
	var dirs []string
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		dirs = append(dirs, filepath.Join(dir, "launcher"))
	}
	return append(dirs, "/run/launcher", fmt.Sprintf("/tmp/launcher-%d", uid))
}

// abstractName is where a launcher listens that can write no directory.
func abstractName(uid, pid int) string { return fmt.Sprintf("@launcher-%d-%d", uid, pid) }

// listenUsual listens in the first of the usual places that can be had.
func listenUsual() (*net.UnixListener, string, error) {
	uid, pid := os.Geteuid(), os.Getpid()
	var reasons []error
	for _, dir := range directories(uid) {
		if err := ownDirectory(dir, uid); err != nil {
			reasons = append(reasons, err)
			continue
		}
		sweep(dir)
		path := filepath.Join(dir, strconv.Itoa(pid)+extension)
		l, err := listenFile(path)
		if err == nil {
			return l, path, nil
		}
		reasons = append(reasons, err)
	}
	// A pod's containers share these names, and in each we may be process 1.
	const most = 9
	name := abstractName(uid, pid)
	for n := 2; ; n++ {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
		if err == nil {
			return l, name, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) || n > most {
			return nil, "", errors.Join(append(reasons, err)...)
		}
		name = fmt.Sprintf("%s-%d", abstractName(uid, pid), n)
	}
}

// ownDirectory makes sure that dir is there, no link, ours, and that nobody
// else can write it.
func ownDirectory(dir string, uid int) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return &os.PathError{Op: "lstat", Path: dir, Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("%s is no directory", dir)
	case int(st.Uid) != uid:
		return fmt.Errorf("%s belongs to user %d", dir, st.Uid)
	case st.Mode&0o022 != 0:
		return fmt.Errorf("%s can be written by others", dir)
	}
	return nil
}

// sweep removes what launchers that were killed have left: those that live are
// not woken for it.
func sweep(dir string) {
	entries, _ := os.ReadDir(dir)
	for i, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), extension)
		pid, err := strconv.Atoi(name)
		if i >= mostStale || !ok || err != nil || pid < 1 || !errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			continue
		}
		if path := filepath.Join(dir, e.Name()); e.Type()&os.ModeSocket != 0 && dead(path) { // else in another PID namespace
			_ = os.Remove(path)
		}
	}
}

// dead tells whether nobody listens on the socket file.
func dead(path string) bool {
	conn, err := net.DialTimeout("unix", path, dialTimeout)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// listenFile listens at path exactly. What nobody listens on is taken over; no
// file that is anything but a socket is touched.
func listenFile(path string) (*net.UnixListener, error) {
	unlock := lock(filepath.Dir(path))
	defer unlock()
	stale, err := takeable(path)
	if err == nil && stale {
		err = os.Remove(path)
	}
	if err != nil {
		return nil, err
	}
	l, err := listenPrivate(path)
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false) // it may be another's by then
	return l, nil
}

// takeable tells whether a launcher may listen at path, and whether what a dead
// one left there is to be removed first.
func takeable(path string) (stale bool, err error) {
	if most := len(unix.RawSockaddrUnix{}.Path) - 1; len(path) > most {
		return false, fmt.Errorf("%s is longer than the %d bytes that a socket's path may have", path, most)
	}
	switch info, err := os.Lstat(path); {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	case info.Mode()&os.ModeSocket == 0:
		return false, fmt.Errorf("%s is there, and is no socket", path)
	case !dead(path):
		return false, inUse(path)
	}
	return true, nil
}

// Try tells why Serve could not listen at path now, "" for any place. It changes
// nothing.
func Try(path string) error {
	if path == "" || path[0] == '@' {
		return nil
	}
	if _, err := takeable(path); err != nil {
		return err
	}
	if err := unix.Access(filepath.Dir(path), unix.W_OK|unix.X_OK); err != nil {
		return &os.PathError{Op: "listen", Path: path, Err: err}
	}
	return nil
}

// inUse says who listens at path, or why that cannot be found out.
func inUse(path string) error {
	conn, err := net.DialTimeout("unix", path, dialTimeout)
	if errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPROTOTYPE) {
		return fmt.Errorf("%s is not ours: %w", path, err)
	}
	who := "another process"
	if err == nil {
		defer conn.Close()
		if _, pid, _ := peer(conn.(*net.UnixConn)); pid > 0 {
			who = fmt.Sprintf("process %d", pid)
		}
	}
	return inUseError(fmt.Sprintf("%s is in use: %s serves it", path, who))
}

// inUseError is EADDRINUSE that says more.
type inUseError string

func (e inUseError) Error() string        { return string(e) }
func (e inUseError) Is(target error) bool { return target == syscall.EADDRINUSE }

// lock keeps two launchers from taking over the same stale socket at once. It
// is let go by the function returned. Where it cannot be had, we go on without.
func lock(dir string) (unlock func()) {
	f, err := os.Open(dir)
	if err != nil {
		return func() {}
	}
	for range 100 {
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return func() { f.Close() }
}
