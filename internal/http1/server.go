// Package http1 is as much of HTTP/1.1 as the launcher needs: a server that
// answers one request a connection, and a client that asks one. Requests and
// answers are read by net/http; its Server and Transport, which the launcher
// would pay 2.3 MB of binary for, are not linked.
package http1

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// What one client may take of time, and of memory.
const (
	readTimeout  = 5 * time.Second // for the whole request
	writeTimeout = 5 * time.Second
	mostHead     = 16 << 10
	bufferSize   = 1 << 10

	// patience is how long a connection beyond the most waits for its turn: a
	// burst of short calls is no flood.
	patience = time.Second
	// grace is what one that has not sent its request yet is left, where others
	// wait for its place.
	grace = 250 * time.Millisecond

	// How long, and by how many at once, one who is not served is listened to.
	lingering = 200 * time.Millisecond
	mostAway  = 16

	// acceptPause and mostPause are between tries while there are no descriptors.
	acceptPause = 5 * time.Millisecond
	mostPause   = time.Second
)

// nothing is in a status's place where the client said nothing.
const nothing = -1

// Answer is what a request is answered with.
type Answer struct {
	Status int    // 0: 200
	Type   string // Content-Type
	Allow  string // with 405: the methods that there are
	Body   []byte
}

// Request is what a client asks. Its body has been read already, where bodies are.
type Request struct {
	*http.Request
	conn net.Conn
}

// Config says what is served, and to whom.
type Config struct {
	// Handle answers a request. It is called from several goroutines.
	Handle func(*Request) Answer
	// Fail makes the answer of what goes wrong before Handle is asked.
	Fail func(status int, text string) Answer
	// Refuse tells why a connection is not served, "" where it is. nil: all are.
	Refuse func(net.Conn) string
	// Most is how many connections are served at once.
	Most int
	// MostBody is how many bytes a request's body may have; more is answered 413.
	// 0: no request has one that matters, and none is read.
	MostBody int64
	// Idle is called from a goroutine of its own a second after the last client
	// has gone, at most every 10 s. nil: nothing.
	Idle func()
}

// Server serves until Close. While nobody asks, nothing of it wakes up.
type Server struct {
	Config
	listener net.Listener
	places   chan struct{} // those who are served
	away     chan struct{} // those who are not, and hear why
	closing  chan struct{}
	idle     idle

	mutex  sync.Mutex
	conns  map[*client]struct{}
	closed bool
	empty  chan struct{} // with closed: closed once conns is empty
}

// client is a connection that is served.
type client struct {
	net.Conn
	since  time.Time
	asking bool // its request has not come yet; under the server's mutex
}

// Serve serves what listener accepts.
func Serve(listener net.Listener, c Config) *Server {
	s := &Server{
		Config: c, listener: listener,
		places: make(chan struct{}, c.Most), away: make(chan struct{}, mostAway),
		closing: make(chan struct{}), empty: make(chan struct{}),
		conns: make(map[*client]struct{}),
	}
	s.idle.begin(c.Idle)
	go s.accept()
	return s
}

// accept takes connections in until Close. Where descriptors are used up it
// waits, at last a second, and never spins.
func (s *Server) accept() {
	pause := acceptPause
	for {
		conn, err := s.listener.Accept()
		switch {
		case err == nil:
			pause = acceptPause
			s.take(conn)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			select {
			case <-time.After(pause):
			case <-s.closing:
				return
			}
			pause = min(2*pause, mostPause)
		}
	}
}

// take has a connection served, or told why not.
func (s *Server) take(conn net.Conn) {
	if s.Refuse != nil {
		if why := s.Refuse(conn); why != "" {
			s.turnAway(conn, s.Fail(http.StatusForbidden, why))
			return
		}
	}
	if !s.admit() {
		s.turnAway(conn, s.busy())
		return
	}
	c := &client{Conn: conn, since: time.Now(), asking: true}
	_ = c.SetReadDeadline(c.since.Add(readTimeout))
	s.mutex.Lock()
	closed := s.closed
	if !closed {
		s.conns[c] = struct{}{}
	}
	s.mutex.Unlock()
	if closed {
		conn.Close()
		return
	}
	go s.serve(c)
}

// admit takes one of the places, if there comes to be one.
func (s *Server) admit() bool {
	until := time.Now().Add(patience)
	for {
		select {
		case s.places <- struct{}{}:
			return true
		default:
		}
		wait := min(s.makeRoom(), time.Until(until))
		if wait <= 0 {
			return false
		}
		timer := time.NewTimer(wait)
		select {
		case s.places <- struct{}{}:
			timer.Stop()
			return true
		case <-s.closing:
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

// makeRoom gives up the connection that has not sent its request for the
// longest time, if that is too long, and tells when to look again.
func (s *Server) makeRoom() time.Duration {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var oldest *client
	for c := range s.conns {
		if c.asking && (oldest == nil || c.since.Before(oldest.since)) {
			oldest = c
		}
	}
	if oldest == nil {
		return patience
	}
	if left := time.Until(oldest.since.Add(grace)); left > 0 {
		return left
	}
	oldest.asking = false
	_ = oldest.SetReadDeadline(time.Unix(1, 0))
	delete(s.conns, oldest)
	return patience // its place is given back in a moment
}

// serve reads one request, answers it, and closes.
func (s *Server) serve(c *client) {
	request, status := s.read(c)
	if !s.asked(c) { // a request that has come in that moment is to be sent again
		s.free()
		s.turnAway(c.Conn, s.busy())
		return
	}
	defer s.leave(c)
	if status == nothing {
		return
	}
	var answer Answer
	if status == 0 {
		answer = s.handle(&Request{request, c.Conn})
	} else {
		answer = s.Fail(status, words(status, s.MostBody))
	}
	s.write(c, answer, request != nil && request.Method == http.MethodHead)
	if status != 0 || s.MostBody == 0 && request.ContentLength != 0 {
		linger(c.Conn)
	}
}

// asked notes that a request has come; false: its place was given to another.
func (s *Server) asked(c *client) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	_, there := s.conns[c]
	c.asking = false
	return there
}

func (s *Server) leave(c *client) {
	_ = c.Conn.Close()
	s.mutex.Lock()
	delete(s.conns, c)
	if s.closed && len(s.conns) == 0 {
		s.emptied()
	}
	s.mutex.Unlock()
	s.free()
}

func (s *Server) busy() Answer {
	return s.Fail(http.StatusServiceUnavailable, "too many clients at once; try again")
}

// free gives a place back.
func (s *Server) free() {
	<-s.places
	if len(s.places) == 0 {
		s.idle.left()
	}
}

// emptied tells Close that nobody is served any more.
func (s *Server) emptied() {
	select {
	case <-s.empty:
	default:
		close(s.empty)
	}
}

// read reads a request and its body. A status other than 0 says what is wrong
// with it. request is nil where not even its head could be read.
func (s *Server) read(c net.Conn) (request *http.Request, status int) {
	limited := &io.LimitedReader{R: c, N: mostHead}
	request, err := http.ReadRequest(bufio.NewReaderSize(limited, bufferSize))
	switch {
	case err != nil && limited.N <= 0:
		return nil, http.StatusRequestHeaderFieldsTooLarge
	case errors.Is(err, io.EOF): // it came to see whether somebody listens
		return nil, nothing
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, http.StatusRequestTimeout
	case err != nil:
		return nil, http.StatusBadRequest
	case request.ProtoMajor != 1:
		return request, http.StatusHTTPVersionNotSupported
	case s.MostBody == 0:
		return request, 0
	case request.ContentLength > s.MostBody:
		return request, http.StatusRequestEntityTooLarge
	}
	if request.Header.Get("Expect") == "100-continue" && request.ContentLength != 0 {
		_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	limited.N = 2*s.MostBody + mostHead // chunks have heads of their own
	body, err := io.ReadAll(io.LimitReader(request.Body, s.MostBody+1))
	switch {
	case int64(len(body)) > s.MostBody:
		return request, http.StatusRequestEntityTooLarge
	case err != nil:
		return request, http.StatusBadRequest
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	return request, 0
}

// handle asks Handle. A panic is answered, and ends nothing else.
func (s *Server) handle(r *Request) (answer Answer) {
	defer func() {
		if recover() != nil {
			answer = s.Fail(http.StatusInternalServerError, "a mistake of the launcher's own")
		}
	}()
	return s.Handle(r)
}

// Gone is cancelled when the client has gone, and by stop, which must be called
// before the request is answered. It is for answers that take long.
func (r *Request) Gone() (gone context.Context, stop func()) {
	gone, cancel := context.WithCancel(context.Background())
	_ = r.conn.SetReadDeadline(time.Time{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer cancel()
		var more [1]byte
		for { // what it says beyond its request is of no interest
			if _, err := r.conn.Read(more[:]); err != nil {
				return
			}
		}
	}()
	return gone, func() {
		_ = r.conn.SetReadDeadline(time.Unix(1, 0))
		<-ended
	}
}

// Close takes no more connections, drops those that have not sent their
// request, lets answers that are on their way arrive for as long as limit, and
// closes everything. Where nobody asks it takes no time.
func (s *Server) Close(limit time.Duration) {
	s.mutex.Lock()
	first := !s.closed
	s.closed = true
	if first {
		close(s.closing)
		_ = s.listener.Close()
		s.idle.end()
	}
	for c := range s.conns {
		if c.asking {
			_ = c.Conn.Close()
		}
	}
	if len(s.conns) == 0 {
		s.emptied()
	}
	s.mutex.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.empty:
	case <-timer.C:
		s.mutex.Lock()
		defer s.mutex.Unlock()
		for c := range s.conns {
			_ = c.Conn.Close()
		}
	}
}
