package control

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// patience is how long a connection beyond the most waits for its turn: a burst
// of short calls is no flood.
const patience = time.Second

// How long, and by how many at once, one who is not served is listened to.
const (
	lingering = 200 * time.Millisecond
	mostAway  = 16
)

// A while after the last client has gone, what serving it took is given back,
// but not again and again where somebody asks every second.
const (
	idleAfter   = time.Second
	idleAgainAt = 10 * time.Second
	farOff      = time.Duration(1<<63 - 1)
)

// listener lets in the same user and root only, and so many at once.
type listener struct {
	*net.UnixListener
	place string
	file  os.FileInfo // of a socket file
	uid   int
	slots chan struct{} // those who are served
	away  chan struct{} // those who are not, and hear why
	once  sync.Once
	idle  *time.Timer  // nil: nobody wants to know
	calm  atomic.Int64 // when idle ran last, in ns since the epoch
}

// whenIdle has call called, on a goroutine of its own, a while after the last
// client has gone.
func (l *listener) whenIdle(call func()) {
	if call == nil {
		return
	}
	l.idle = time.AfterFunc(farOff, func() {
		l.calm.Store(time.Now().UnixNano())
		call()
	})
}

// left gives a slot back.
func (l *listener) left() {
	<-l.slots
	if l.idle != nil && len(l.slots) == 0 {
		l.idle.Reset(max(idleAfter, time.Until(time.Unix(0, l.calm.Load()).Add(idleAgainAt))))
	}
}

// listen makes the listener at path, or in one of the usual places for "".
func listen(path string) (*listener, error) {
	l := &listener{place: path, uid: os.Geteuid(), slots: make(chan struct{}, mostConnections), away: make(chan struct{}, mostAway)}
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

// Accept waits for a client that is to be served.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}
		if uid, _, err := peer(conn); err != nil || uid != l.uid && uid != 0 {
			l.turnAway(conn, "403 Forbidden", fmt.Sprintf("only user %d and root are served", l.uid))
			continue
		}
		if !l.admit() {
			l.turnAway(conn, "503 Service Unavailable", "too many clients at once")
			continue
		}
		return &admitted{UnixConn: conn, leave: sync.OnceFunc(l.left)}, nil
	}
}

// admit takes one of the slots, if there comes to be one.
func (l *listener) admit() bool {
	select {
	case l.slots <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case l.slots <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
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
		if l.idle != nil {
			l.idle.Stop()
		}
		err = l.UnixListener.Close()
	})
	return err
}

// turnAway answers a client that is not served. The answer fits the socket's
// buffer, so nobody is waited for; but what the client is about to write must
// find a reader for a moment, or it would see an error in place of the answer.
func (l *listener) turnAway(conn *net.UnixConn, status, text string) {
	body := fmt.Sprintf("{\"error\":%q}\n", text)
	_ = conn.SetDeadline(time.Now().Add(lingering))
	fmt.Fprintf(conn, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, len(body), body)
	_ = conn.CloseWrite()
	select {
	case l.away <- struct{}{}:
		go func() {
			_, _ = io.Copy(io.Discard, conn)
			conn.Close()
			<-l.away
		}()
	default:
		conn.Close()
	}
}

// admitted is a connection that holds a slot until it is closed.
type admitted struct {
	*net.UnixConn
	leave func()
}

// Close closes the connection and gives its slot back.
func (a *admitted) Close() error {
	defer a.leave()
	return a.UnixConn.Close()
}
