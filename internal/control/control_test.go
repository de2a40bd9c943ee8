package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dyno/launcher"

	"golang.org/x/sys/unix"
)

// deadline is far longer than anything here takes.
const deadline = 20 * time.Second

// loop stands in for the supervisor: it answers what a test says, and tells
// what it was asked.
type loop struct {
	asked   chan launcher.Request
	version atomic.Uint64
	changed chan struct{} // closed at the next change
	mutex   sync.Mutex
	refuse  string
	stuck   chan struct{} // not nil: no answer until it is closed
}

func newLoop() *loop {
	l := &loop{asked: make(chan launcher.Request, 4096), changed: make(chan struct{})}
	l.version.Store(1)
	return l
}

func (l *loop) change() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.version.Add(1)
	close(l.changed)
	l.changed = make(chan struct{})
}

func (l *loop) Ask(ctx context.Context, r launcher.Request) (launcher.Reply, error) {
	l.asked <- r
	if l.stuck != nil {
		select {
		case <-l.stuck:
		case <-ctx.Done():
			return launcher.Reply{}, ctx.Err()
		}
	}
	l.mutex.Lock()
	changed := l.changed
	l.mutex.Unlock()
	if r.Since != 0 && r.Since == l.version.Load() {
		select {
		case <-changed:
		case <-ctx.Done():
			return launcher.Reply{}, ctx.Err()
		}
	}
	reply := launcher.Reply{Err: l.refuse, Status: launcher.Status{
		Version: l.version.Load(), PID: os.Getpid(), Time: time.Unix(1e9, 0).UTC(),
		Processes: []launcher.ProcessStatus{{Name: "worker.1", Type: "worker", Slot: 1, State: launcher.Quieting, Drained: true, HearsQuiet: true}},
	}}
	if r.Verb != launcher.AskStatus && l.refuse == "" {
		reply.Text, reply.Names = "done", []string{"worker.1"}
	}
	return reply, nil
}

// short is a directory whose path leaves room for a socket's name.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func serve(t *testing.T, asker Asker, o Options) *Server {
	t.Helper()
	s, err := Serve(filepath.Join(short(t), "s"), asker, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func client(t *testing.T, place string) *Client {
	t.Helper()
	c, err := Find(Which{Socket: place})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func limited(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	t.Cleanup(cancel)
	return ctx
}

func TestVerbs(t *testing.T) {
	fake := newLoop()
	c := client(t, serve(t, fake, Options{}).Place)
	for _, want := range []launcher.Request{
		{Verb: launcher.AskQuiet},
		{Verb: launcher.AskQuiet, Target: "worker.2"},
		{Verb: launcher.AskResume, Target: "worker"},
		{Verb: launcher.AskStop, Target: "web", Budget: 3 * time.Second},
		{Verb: launcher.AskRestart, Target: "web"},
		{Verb: launcher.AskScale, Target: "web", Count: 0},
		{Verb: launcher.AskSignal, Signal: unix.SIGUSR2},
	} {
		reply, err := c.Ask(limited(t), want)
		if err != nil || reply.Text != "done" || len(reply.Names) != 1 || reply.Status == nil {
			t.Errorf("%+v: %+v, %v", want, reply, err)
		}
		if got := <-fake.asked; got != want {
			t.Errorf("the loop was asked %+v, want %+v", got, want)
		}
	}
}

func TestRefused(t *testing.T) {
	fake := newLoop()
	fake.refuse = "there is no process or type \"x\""
	_, err := client(t, serve(t, fake, Options{}).Place).Ask(limited(t), launcher.Request{Verb: launcher.AskQuiet, Target: "x"})
	if err == nil || err.Error() != fake.refuse {
		t.Errorf("%v, want %s", err, fake.refuse)
	}
}

func TestStatusForm(t *testing.T) {
	s := serve(t, newLoop(), Options{Budget: 10 * time.Second})
	response := raw(t, s.Place, "GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	defer response.Body.Close()
	var got struct {
		Time      string
		Budget    string
		StopBy    *string `json:"stop_by"`
		Processes []struct{ Name, State string }
	}
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Time != "2001-09-09T01:46:40Z" || got.Budget != "10s" || got.StopBy != nil || got.Processes[0].State != "quieting" {
		t.Errorf("%+v", got)
	}
}

func TestWatch(t *testing.T) {
	fake := newLoop()
	c := client(t, serve(t, fake, Options{}).Place)
	now, err := c.Watch(limited(t), 0)
	if err != nil {
		t.Fatal(err)
	}
	<-fake.asked
	got := make(chan Status, 1)
	go func() {
		s, _ := c.Watch(limited(t), now.Version)
		got <- s
	}()
	<-fake.asked // it waits now
	select {
	case s := <-got:
		t.Fatalf("answered though nothing changed: %+v", s)
	default:
	}
	fake.change()
	if s := <-got; s.Version != now.Version+1 {
		t.Errorf("version %d, want %d", s.Version, now.Version+1)
	}
}

// raw sends bytes and reads the answer.
func raw(t *testing.T, place, text string) *http.Response {
	t.Helper()
	conn := dial(t, place)
	_, _ = io.WriteString(conn, text)
	return response(t, conn)
}

func dial(t *testing.T, place string) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(deadline))
	return conn
}

func TestWrongRequests(t *testing.T) {
	s := serve(t, newLoop(), Options{})
	for text, want := range map[string]int{
		"GET / HTTP/1.1":                                    404,
		"POST /kill HTTP/1.1":                               404,
		"POST /status HTTP/1.1":                             405,
		"GET /quiet HTTP/1.1":                               405,
		"GET /status?since=x HTTP/1.1":                      400,
		"GET /status?x=1 HTTP/1.1":                          400,
		"POST /scale?target=web HTTP/1.1":                   400,
		"POST /scale?count=1 HTTP/1.1":                      400,
		"POST /scale?target=web&count=-1 HTTP/1.1":          400,
		"POST /scale?target=web&count=1&count=2 HTTP/1.1":   400,
		"POST /signal HTTP/1.1":                             400,
		"POST /signal?signal=NOPE HTTP/1.1":                 400,
		"POST /stop?budget=soon HTTP/1.1":                   400,
		"POST /stop?budget=-1s HTTP/1.1":                    400,
		"POST /quiet?signal=TERM HTTP/1.1":                  400,
		"POST /quiet?%zz HTTP/1.1":                          400,
		"nonsense":                                          400,
		"POST /quiet?target=" + strings.Repeat("x", 99<<10): 431,
	} {
		r := raw(t, s.Place, text+"\r\nHost: x\r\nConnection: close\r\n\r\n")
		r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("%.60s: %d, want %d", text, r.StatusCode, want)
		}
	}
}

// posted is the head of a form of that many bytes.
func posted(path string, n int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n", path, n)
}

func TestLargeBody(t *testing.T) {
	s := serve(t, newLoop(), Options{})
	body := "target=" + strings.Repeat("x", mostBody)
	r := raw(t, s.Place, posted("/quiet", len(body))+body)
	defer r.Body.Close()
	if r.StatusCode != http.StatusRequestEntityTooLarge {
		t.Error(r.Status)
	}
}

func TestForm(t *testing.T) {
	fake := newLoop()
	s := serve(t, fake, Options{})
	const body = "target=web&count=3"
	raw(t, s.Place, posted("/scale", len(body))+body).Body.Close()
	if got := <-fake.asked; got.Target != "web" || got.Count != 3 {
		t.Errorf("%+v", got)
	}
}

// TestStuckLoop: where the loop does not answer, the client is told, in its own time.
func TestStuckLoop(t *testing.T) {
	fake := newLoop()
	fake.stuck = make(chan struct{})
	s := serve(t, fake, Options{})
	c := client(t, s.Place)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx); err == nil || !strings.Contains(err.Error(), "did not answer in time") {
		t.Error(err)
	}
	s.Ended()
	ctx, cancel = context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx); err == nil {
		t.Error("answered though the loop has ended")
	}
	s.Close()
	if _, err := c.Status(limited(t)); !errors.Is(err, ErrGone) {
		t.Errorf("after Close: %v, want ErrGone", err)
	}
}

// TestFlood: clients that connect and say nothing fill the places and keep
// nobody out; the loop hears of none of it.
func TestFlood(t *testing.T) {
	fake := newLoop()
	s := serve(t, fake, Options{})
	for range 3 * mostConnections {
		dial(t, s.Place)
	}
	if _, err := client(t, s.Place).Status(limited(t)); err != nil {
		t.Error(err)
	}
	if len(fake.asked) != 1 {
		t.Errorf("the loop was asked %d times", len(fake.asked))
	}
}

// TestCrowd: where all places are of those who wait for the loop, one more is
// told so; and when they have gone all is well.
func TestCrowd(t *testing.T) {
	fake := newLoop()
	fake.stuck = make(chan struct{})
	s := serve(t, fake, Options{})
	for range mostConnections {
		_, _ = io.WriteString(dial(t, s.Place), "GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
		<-fake.asked
	}
	if r := response(t, dial(t, s.Place)); r.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one too many: %s", r.Status)
	}
	close(fake.stuck)
	if _, err := client(t, s.Place).Status(limited(t)); err != nil {
		t.Error(err)
	}
}

// TestGone: a watcher that goes away gives its place back.
func TestGone(t *testing.T) {
	fake := newLoop()
	s := serve(t, fake, Options{})
	for range 2 * mostWatchers {
		conn := dial(t, s.Place)
		_, _ = io.WriteString(conn, "GET /status?since=1 HTTP/1.1\r\nHost: x\r\n\r\n")
		<-fake.asked
		conn.Close()
		for end := time.Now().Add(deadline); len(s.watchers) > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("its place is not given back")
			}
		}
	}
}

// TestStall: a client that stops in the middle of its header is dropped.
func TestStall(t *testing.T) {
	t.Parallel()
	s := serve(t, newLoop(), Options{})
	conn := dial(t, s.Place)
	if _, err := io.WriteString(conn, "GET /status HTTP/1.1\r\nHo"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("not dropped: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := serve(t, newLoop(), Options{})
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			c, err := Find(Which{Socket: s.Place})
			if err == nil {
				_, err = c.Status(limited(t))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestIdle(t *testing.T) {
	idle := make(chan struct{}, 10)
	s := serve(t, newLoop(), Options{Idle: func() { idle <- struct{}{} }})
	c := client(t, s.Place)
	if _, err := c.Status(limited(t)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-idle:
	case <-time.After(deadline):
		t.Error("never told")
	}
}
