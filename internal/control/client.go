package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dyno/internal/http1"
	"dyno/launcher"
)

// ErrGone says that no launcher serves the socket any more.
var ErrGone = errors.New("the launcher has gone")

// Client asks one launcher.
type Client struct {
	Place string // its socket
	// PID is the launcher's as it is seen from here; 0: it is in a PID namespace
	// that is not ours.
	PID int
}

// Status asks for the status as it is now.
func (c *Client) Status(ctx context.Context) (Status, error) { return c.status(ctx, "/status") }

// Watch waits until the status is another than that of version since, a minute
// at most, and returns the present one. 0 does not wait.
func (c *Client) Watch(ctx context.Context, since uint64) (Status, error) {
	return c.status(ctx, "/status?since="+strconv.FormatUint(since, 10))
}

func (c *Client) status(ctx context.Context, path string) (Status, error) {
	var s Status
	err := c.do(ctx, http.MethodGet, path, &s)
	return s, err
}

// Ask has a verb carried out. The error is why it cannot be, in the launcher's own
// words, or why nobody was asked.
func (c *Client) Ask(ctx context.Context, r launcher.Request) (Reply, error) {
	values := url.Values{}
	if r.Target != "" {
		values.Set("target", r.Target)
	}
	switch r.Verb {
	case launcher.AskScale:
		values.Set("count", strconv.Itoa(r.Count))
	case launcher.AskSignal:
		values.Set("signal", launcher.SignalName(r.Signal))
	case launcher.AskRestart:
		if r.Force {
			values.Set("force", "true")
		}
	case launcher.AskStop:
		if r.Budget > 0 {
			values.Set("budget", r.Budget.String())
		}
	}
	var reply Reply
	for path, verb := range verbs {
		if verb == r.Verb {
			err := c.do(ctx, http.MethodPost, path+"?"+values.Encode(), &reply)
			return reply, err
		}
	}
	return reply, fmt.Errorf("no path asks for verb %d", r.Verb)
}

// busyPause is between tries while the launcher is busy.
const busyPause = 100 * time.Millisecond

// do asks until there is an answer or ctx ends: a busy launcher is asked again.
func (c *Client) do(ctx context.Context, method, path string, into any) error {
	for {
		err := c.once(ctx, method, path, into)
		var busy *busyError
		if !errors.As(err, &busy) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(busyPause):
		}
	}
}

type busyError struct{ text string }

func (b *busyError) Error() string { return b.text }

func (c *Client) once(ctx context.Context, method, path string, into any) error {
	status, body, err := http1.Ask(ctx, c.Place, method, path)
	if err != nil {
		return c.explain(err)
	}
	if status == http.StatusOK {
		if err := json.Unmarshal(body, into); err != nil {
			return fmt.Errorf("%s does not answer as a launcher: %w", c.Place, err)
		}
		return nil
	}
	var reply Reply
	if err := json.Unmarshal(body, &reply); err != nil || reply.Error == "" {
		return fmt.Errorf("%s answers %d %s", c.Place, status, http.StatusText(status))
	}
	if status == http.StatusServiceUnavailable {
		return &busyError{reply.Error}
	}
	return errors.New(reply.Error)
}

// explain puts what the network says into words about the launcher.
func (c *Client) explain(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the launcher at %s did not answer in time: %w", c.Place, context.DeadlineExceeded)
	case errorIs(err, syscall.ECONNREFUSED, syscall.ENOENT, syscall.ECONNRESET, syscall.EPIPE), strings.HasSuffix(err.Error(), "EOF"):
		return ErrGone
	}
	return err
}

func errorIs(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
