package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"dyno/launcher"
)

// What one client may cost. The loop never waits for any of it.
const (
	mostConnections = 64
	mostWatchers    = 48 // of these, so that a command still gets through
	mostBody        = 64 << 10
	headerTimeout   = 5 * time.Second
	watchTimeout    = 55 * time.Second // below the minute at which many a client gives up
	askTimeout      = 10 * time.Second
	writeTimeout    = watchTimeout + askTimeout + 5*time.Second
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
	listener *listener
	http     *http.Server
	watchers chan struct{}
	ended    context.Context
	end      context.CancelFunc
}

// Serve listens at path and passes on to asker what clients ask for. path ""
// means the first of the usual places that can be had. *InUseError: somebody
// listens there already. While nobody asks, it costs no wake-up.
func Serve(path string, asker Asker, o Options) (*Server, error) {
	l, err := listen(path)
	if err != nil {
		return nil, err
	}
	l.whenIdle(o.Idle)
	s := &Server{
		Place: l.place, asker: asker, options: o, listener: l,
		watchers: make(chan struct{}, mostWatchers),
	}
	s.ended, s.end = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout, // the body is as small
		WriteTimeout:      writeTimeout,
		MaxHeaderBytes:    16 << 10,
		// Standard error is the children's too, and may be stuck.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	// One request a connection: one that is kept open for another holds a place.
	s.http.SetKeepAlivesEnabled(false)
	go func() { _ = s.http.Serve(l) }()
	return s, nil
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
	ctx, cancel := context.WithTimeout(context.Background(), lastWrite)
	defer cancel()
	s.Ended()
	_ = s.http.Shutdown(ctx)
	s.end()
	_ = s.http.Close()
	_ = s.listener.Close() // where Serve has not begun yet
}

// badRequest is the client's own mistake.
type badRequest struct{ text string }

func (b badRequest) Error() string { return b.text }

func wrong(format string, args ...any) error { return badRequest{fmt.Sprintf(format, args...)} }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	verb, known := verbs[r.URL.Path]
	switch {
	case r.URL.Path == "/status":
		if allowed(w, r, http.MethodGet, http.MethodHead) {
			s.status(w, r)
		}
	case known:
		if allowed(w, r, http.MethodPost) {
			s.carryOut(w, r, verb)
		}
	default:
		answer(w, http.StatusNotFound, Reply{Error: "there is GET /status and POST /quiet, /resume, /stop, /restart, /scale, /signal"})
	}
}

func allowed(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	answer(w, http.StatusMethodNotAllowed, Reply{Error: r.URL.Path + " takes " + strings.Join(methods, " or ")})
	return false
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	request := launcher.Request{Verb: launcher.AskStatus}
	values, err := form(r, "since")
	if err == nil && values.Has("since") {
		if request.Since, err = strconv.ParseUint(values.Get("since"), 10, 64); err != nil {
			err = wrong("since=%q is no version", values.Get("since"))
		}
	}
	if err != nil {
		fail(w, err)
		return
	}
	limit := askTimeout
	if request.Since != 0 {
		select {
		case s.watchers <- struct{}{}:
			defer func() { <-s.watchers }()
		default:
			fail(w, launcher.ErrBusy)
			return
		}
		limit = watchTimeout
	}
	reply, err := s.ask(r.Context(), request, limit)
	if errors.Is(err, context.DeadlineExceeded) && request.Since != 0 {
		request.Since = 0
		reply, err = s.ask(r.Context(), request, askTimeout)
	}
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, statusOf(reply.Status, s.options.Budget))
}

func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, verb launcher.Verb) {
	request, err := requestOf(r, verb)
	if err != nil {
		fail(w, err)
		return
	}
	reply, err := s.ask(r.Context(), request, askTimeout)
	if err != nil {
		fail(w, err)
		return
	}
	status := http.StatusOK
	if reply.Err != "" {
		status = http.StatusConflict
	}
	answer(w, status, Reply{
		Error: reply.Err, Text: reply.Text, Names: reply.Names,
		Status: statusOf(reply.Status, s.options.Budget),
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
	keys := map[launcher.Verb]string{launcher.AskScale: "count", launcher.AskSignal: "signal", launcher.AskStop: "budget"}
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
	return request, nil
}

// form are the values of query and body; what is in neither of keys is a mistake.
func form(r *http.Request, keys ...string) (url.Values, error) {
	if err := r.ParseForm(); err != nil {
		if large := new(http.MaxBytesError); errors.As(err, &large) {
			return nil, wrong("the request is larger than %d bytes", large.Limit)
		}
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
func fail(w http.ResponseWriter, err error) {
	status, text := http.StatusServiceUnavailable, err.Error()
	switch {
	case errors.As(err, new(badRequest)):
		status = http.StatusBadRequest
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		text = "the launcher did not answer in time"
	}
	answer(w, status, Reply{Error: text})
}

// answer writes one JSON object. A client that has gone is no concern.
func answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
