// Package endpoint is the launcher's health endpoint (DESIGN 6): /livez and /,
// /readyz, /metrics and /status by HTTP, read-only, for whoever can reach its
// address. What it is asked, it asks the supervisor's loop, one request at a
// time, so that no flood of scrapes holds the loop up or takes the room of the
// control socket's commands.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"dyno/internal/control"
	"dyno/internal/http1"
	"dyno/launcher"
)

const (
	mostConnections = 32
	// askTimeout is how long the loop may take to answer: less than the second
	// after which the kubelet gives a probe up by default, and very much longer
	// than a turn of the loop.
	askTimeout = 900 * time.Millisecond
	lastWrite  = 150 * time.Millisecond // for answers on their way when all has ended
)

// Options are what is served beside the loop's answers.
type Options struct {
	Budget  time.Duration // of a stop, which /status tells
	Version string        // of the launcher
	// Output tells how many bytes processes have written; ok false: nobody knows.
	Output func() (stdout, stderr int64, ok bool)
	// Idle is as control's: called when nobody has asked for a while. nil: nothing.
	Idle func()
}

// Server serves the endpoint until Close.
type Server struct {
	Address string // where it listens: "[::]:7433"

	asker   control.Asker
	options Options
	http    *http1.Server
	turn    chan struct{} // held by the request that the loop has
	ended   context.Context
	end     context.CancelFunc
}

// Serve listens at address, HOST:PORT or :PORT. While nobody asks, it costs no
// wake-up.
func Serve(address string, asker control.Asker, o Options) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	s := &Server{Address: l.Addr().String(), asker: asker, options: o, turn: make(chan struct{}, 1)}
	s.ended, s.end = context.WithCancel(context.Background())
	s.http = http1.Serve(l, http1.Config{Handle: s.handle, Fail: plain, Most: mostConnections, Idle: o.Idle})
	return s, nil
}

// Ended says that the loop turns no more: it is live until the launcher exits,
// and not ready.
func (s *Server) Ended() { s.end() }

// Close ends it. Where nobody asks it takes no time.
func (s *Server) Close() {
	s.end()
	s.http.Close(lastWrite)
}

func plain(status int, text string) http1.Answer {
	return http1.Answer{Status: status, Type: "text/plain; charset=utf-8", Body: []byte(text + "\n")}
}

// handle answers one request.
func (s *Server) handle(r *http1.Request) http1.Answer {
	var answer func(*http1.Request) http1.Answer
	switch r.URL.Path {
	case "/", "/livez":
		answer = s.livez
	case "/readyz":
		answer = s.readyz
	case "/metrics":
		answer = s.metrics
	case "/status":
		answer = s.status
	default:
		return plain(http.StatusNotFound, "there is /livez, /readyz, /metrics and /status")
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		a := plain(http.StatusMethodNotAllowed, r.URL.Path+" takes GET or HEAD")
		a.Allow = "GET, HEAD"
		return a
	}
	return answer(r)
}

// livez is 200 for as long as the loop turns.
func (s *Server) livez(r *http1.Request) http1.Answer {
	_, err := s.ask(launcher.AskStatus)
	if err != nil && s.ended.Err() == nil {
		return checked(r, "livez", false, []control.Check{{Name: "loop", Reason: err.Error()}})
	}
	return checked(r, "livez", true, []control.Check{{Name: "loop"}})
}

// readyz is 200 while every slot's process is ready.
func (s *Server) readyz(r *http1.Request) http1.Answer {
	reply, err := s.ask(launcher.AskStatus)
	if err != nil {
		return checked(r, "readyz", false, []control.Check{{Name: "loop", Reason: err.Error()}})
	}
	ready, checks := control.StatusOf(reply.Status, s.options.Budget).Readiness()
	return checked(r, "readyz", ready, checks)
}

// checked answers as the kubelet and the API server do: "ok", or all the checks
// where that was asked for or one has failed.
func checked(r *http1.Request, name string, ok bool, checks []control.Check) http1.Answer {
	if ok && !r.URL.Query().Has("verbose") {
		return plain(http.StatusOK, "ok")
	}
	var b strings.Builder
	for _, c := range checks {
		if c.Reason == "" {
			fmt.Fprintf(&b, "[+]%s ok\n", c.Name)
		} else {
			fmt.Fprintf(&b, "[-]%s not ready: %s\n", c.Name, strings.Join(strings.Fields(c.Reason), " "))
		}
	}
	if ok {
		return plain(http.StatusOK, b.String()+name+" check passed")
	}
	return plain(http.StatusServiceUnavailable, b.String()+name+" check failed")
}

// status answers as GET /status of the control socket.
func (s *Server) status(*http1.Request) http1.Answer {
	reply, err := s.ask(launcher.AskStatus)
	if err != nil {
		return plain(http.StatusServiceUnavailable, err.Error())
	}
	return http1.Answer{Type: "application/json", Body: control.StatusOf(reply.Status, s.options.Budget).JSON()}
}

func (s *Server) metrics(*http1.Request) http1.Answer {
	reply, err := s.ask(launcher.AskMetrics)
	if err != nil {
		return plain(http.StatusServiceUnavailable, err.Error())
	}
	return http1.Answer{Type: metricsType, Body: s.exposition(reply)}
}

var (
	errStuck = errors.New("the supervisor's loop does not answer")
	errEnded = errors.New("the launcher has stopped all, and is about to exit")
)

// ask puts a request to the loop, which is never given a second one before it
// has answered the first, also where that is no longer waited for.
func (s *Server) ask(verb launcher.Verb) (launcher.Reply, error) {
	ctx, cancel := context.WithTimeout(s.ended, askTimeout)
	defer cancel()
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return launcher.Reply{}, s.failed()
	}
	answered := make(chan launcher.Reply, 1)
	go func() {
		defer func() { <-s.turn }()
		if reply, err := s.asker.Ask(s.ended, launcher.Request{Verb: verb}); err == nil {
			answered <- reply
		}
	}()
	select {
	case reply := <-answered:
		return reply, nil
	case <-ctx.Done():
		return launcher.Reply{}, s.failed()
	}
}

func (s *Server) failed() error {
	if s.ended.Err() != nil {
		return errEnded
	}
	return errStuck
}
