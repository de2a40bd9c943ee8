package control

import (
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
)

// listener lets in the same user and root only.
type listener struct {
	*net.UnixListener
	place string
	file  os.FileInfo // of a socket file
	uid   int
	once  sync.Once
}

// listen makes the listener at path, or in one of the usual places for "".
func listen(path string) (*listener, error) {
	l := &listener{place: path, uid: os.Geteuid()}
	var err error
	switch {
	case path == "":
		l.UnixListener, l.place, err = listenUsual()
	case path[0] == '@':
		l.UnixListener, err = net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if errorIs(err, syscall.EADDRINUSE) {
			err = inUse(path)
		}
	default:
		l.UnixListener, err = listenFile(path)
	}
	if err != nil {
		return nil, err
	}
	if l.place[0] != '@' {
		l.file, _ = os.Lstat(l.place)
	}
	return l, nil
}

// refuse tells why a client is not served, "" where it is.
func (l *listener) refuse(conn net.Conn) string {
	if uid, _, err := peer(conn.(*net.UnixConn)); err != nil || uid != l.uid && uid != 0 {
		return fmt.Sprintf("only user %d and root are served", l.uid)
	}
	return ""
}

// Close ends the listening, and removes the socket file if it is still ours.
func (l *listener) Close() error {
	var err error
	l.once.Do(func() {
		if l.file != nil {
			if now, e := os.Lstat(l.place); e == nil && os.SameFile(now, l.file) {
				_ = os.Remove(l.place)
			}
		}
		err = l.UnixListener.Close()
	})
	return err
}
