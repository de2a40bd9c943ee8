package control

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dyno/internal/http1"
	"dyno/launcher"
)

// What one client may cost. The loop never waits for any of it.
const (
	mostConnections = 64
	mostWatchers    = 48 // of these, so that a command still gets through
	mostBody        = 64 << 10
	watchTimeout    = 55 * time.Second // below the minute at which many a client gives up
	askTimeout      = 10 * time.Second
)

// Options are what Serve is told beside its place.
type Options struct {
	// Budget of a stop, which status tells.
	Budget time.Duration
	// Idle is called a second after the last client has gone, at most every 10
	// s, from a goroutine of its own. nil: nothing.
	Idle func()
}

// Server serves the control socket until Close.
type Server struct {
	// Place is where it listens: a path, or an abstract name that begins with @.
	Place string

	asker    Asker
	options  Options
	http     *http1.Server
	watchers chan struct{}
	written  written
	ended    context.Context
	end      context.CancelFunc
}

// Serve listens at path and passes on to asker what clients ask for. path ""
// means the first of the usual places that can be had. It is an error where
// somebody listens there already. While nobody asks, it costs no wake-up.
func Serve(path string, asker Asker, o Options) (*Server, error) {
	l, err := listen(path)
	if err != nil {
		return nil, err
	}
	s := &Server{Place: l.place, asker: asker, options: o, watchers: make(chan struct{}, mostWatchers)}
	s.ended, s.end = context.WithCancel(context.Background())
	s.http = http1.Serve(l, http1.Config{
		Handle: s.handle, Fail: failed, Refuse: l.refuse,
		Most: mostConnections, MostBody: mostBody, Idle: s.idle,
	})
	return s, nil
}

// idle gives back what serving took.
func (s *Server) idle() {
	s.written.forget()
	if s.options.Idle != nil {
		s.options.Idle()
	}
}

// How long an answer that the loop has given may take to reach the client, when
// the loop itself has ended, and the launcher is about to.
const (
	lastAnswer = 50 * time.Millisecond
	lastWrite  = 3 * lastAnswer
)

// Ended says that the loop turns no more: who waits for it is told so.
func (s *Server) Ended() { time.AfterFunc(lastAnswer, s.end) }

// Close takes the socket away, lets answers that are on their way arrive, and
// closes every connection. Where nobody asks it takes no time.
func (s *Server) Close() {
	s.Ended()
	s.http.Close(lastWrite)
	s.end()
}

// badRequest is the client's own mistake.
type badRequest struct{ text string }

func (b badRequest) Error() string { return b.text }

func wrong(format string, args ...any) error { return badRequest{fmt.Sprintf(format, args...)} }

// handle answers one request.
func (s *Server) handle(r *http1.Request) http1.Answer {
	verb, known := verbs[r.URL.Path]
	switch {
	case r.URL.Path == "/status" && r.Method != http.MethodGet && r.Method != http.MethodHead:
		return notAllowed(r, "GET, HEAD")
	case r.URL.Path == "/status":
		return s.status(r)
	case known && r.Method != http.MethodPost:
		return notAllowed(r, http.MethodPost)
	case known:
		return s.carryOut(r, verb)
	}
	return failed(http.StatusNotFound, "there is GET /status and POST /quiet, /resume, /stop, /restart, /scale, /signal")
}

func notAllowed(r *http1.Request, methods string) http1.Answer {
	a := failed(http.StatusMethodNotAllowed, r.URL.Path+" takes "+strings.ReplaceAll(methods, ", ", " or "))
	a.Allow = methods
	return a
}

func (s *Server) status(r *http1.Request) http1.Answer {
	request := launcher.Request{Verb: launcher.AskStatus}
	values, err := form(r.Request, "since")
	if err == nil && values.Has("since") {
		if request.Since, err = strconv.ParseUint(values.Get("since"), 10, 64); err != nil {
			err = wrong("since=%q is no version", values.Get("since"))
		}
	}
	if err != nil {
		return fail(err)
	}
	var reply launcher.Reply
	if request.Since == 0 {
		reply, err = s.ask(context.Background(), request, askTimeout)
	} else {
		reply, err = s.watch(r, request)
	}
	if err != nil {
		return fail(err)
	}
	return http1.Answer{Type: "application/json", Body: s.written.text(reply.Status, s.options.Budget)}
}

// watch waits for another status than that of request.Since.
func (s *Server) watch(r *http1.Request, request launcher.Request) (launcher.Reply, error) {
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		return launcher.Reply{}, launcher.ErrBusy
	}
	gone, stop := r.Gone()
	defer stop()
	reply, err := s.ask(gone, request, watchTimeout)
	if errors.Is(err, context.DeadlineExceeded) {
		request.Since = 0
		reply, err = s.ask(gone, request, askTimeout)
	}
	return reply, err
}

func (s *Server) carryOut(r *http1.Request, verb launcher.Verb) http1.Answer {
	request, err := requestOf(r.Request, verb)
	if err != nil {
		return fail(err)
	}
	reply, err := s.ask(context.Background(), request, askTimeout)
	if err != nil {
		return fail(err)
	}
	status := http.StatusOK
	if reply.Err != "" {
		status = http.StatusConflict
	}
	return answer(status, Reply{
		Error: reply.Err, Text: reply.Text, Names: reply.Names,
		Status: StatusOf(reply.Status, s.options.Budget),
	})
}

var errEnded = errors.New("the launcher has stopped all, and is about to exit")

// ask puts a request to the loop, which may have ended.
func (s *Server) ask(ctx context.Context, r launcher.Request, limit time.Duration) (launcher.Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer context.AfterFunc(s.ended, cancel)()
	reply, err := s.asker.Ask(ctx, r)
	if err != nil && s.ended.Err() != nil {
		return reply, errEnded
	}
	return reply, err
}

// requestOf reads what a verb is to be done with.
func requestOf(r *http.Request, verb launcher.Verb) (launcher.Request, error) {
	request := launcher.Request{Verb: verb}
	keys := map[launcher.Verb]string{launcher.AskScale: "count", launcher.AskSignal: "signal", launcher.AskStop: "budget", launcher.AskRestart: "force"}
	own := keys[verb]
	values, err := form(r, "target", own)
	if err != nil {
		return request, err
	}
	request.Target = values.Get("target")
	text := values.Get(own)
	switch {
	case verb == launcher.AskScale:
		if request.Target == "" {
			return request, wrong("scale needs target=TYPE")
		}
		if request.Count, err = strconv.Atoi(text); err != nil || request.Count < 0 {
			return request, wrong("count=%q is no whole number from 0", text)
		}
	case verb == launcher.AskSignal:
		if request.Signal, err = launcher.ParseSignal(text); err != nil {
			return request, wrong("signal: %v", err)
		}
	case verb == launcher.AskStop && text != "":
		if request.Budget, err = time.ParseDuration(text); err != nil || request.Budget <= 0 {
			return request, wrong("budget=%q is no duration; write it like 5s", text)
		}
	}
	if verb == launcher.AskRestart && text != "" {
		if request.Force, err = strconv.ParseBool(text); err != nil {
			return request, wrong("force=%q is neither true nor false", text)
		}
	}
	return request, nil
}

// form are the values of query and body; what is in neither of keys is a mistake.
func form(r *http.Request, keys ...string) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, wrong("%v", err)
	}
	for key, values := range r.Form {
		if key == "" || !slices.Contains(keys, key) {
			return nil, wrong("%s takes no value %q", r.URL.Path, key)
		}
		if len(values) > 1 {
			return nil, wrong("%s is given %d times", key, len(values))
		}
	}
	return r.Form, nil
}

// fail answers with what went wrong.
func fail(err error) http1.Answer {
	switch {
	case errors.As(err, new(badRequest)):
		return failed(http.StatusBadRequest, err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return failed(http.StatusServiceUnavailable, "the launcher did not answer in time")
	}
	return failed(http.StatusServiceUnavailable, err.Error())
}

func failed(status int, text string) http1.Answer { return answer(status, Reply{Error: text}) }

// answer is one JSON object.
func answer(status int, value any) http1.Answer {
	return http1.Answer{Status: status, Type: "application/json", Body: encoded(value)}
}
