package http1

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// deadline is far longer than anything here takes.
const deadline = 20 * time.Second

func failText(status int, text string) Answer {
	return Answer{Status: status, Type: "text/plain", Body: []byte(text)}
}

// echo answers with method, path and body.
func echo(r *Request) Answer {
	if r.URL.Path == "/panic" {
		panic("as asked")
	}
	body, _ := io.ReadAll(r.Body)
	return failText(200, fmt.Sprintf("%s %s %s", r.Method, r.URL.Path, body))
}

// serve serves on a unix socket, and returns its path.
func serve(t *testing.T, c Config) (*Server, string) {
	t.Helper()
	place := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", place)
	if err != nil {
		t.Fatal(err)
	}
	if c.Handle == nil {
		c.Handle = echo
	}
	c.Fail, c.Most, c.MostBody = failText, max(c.Most, 4), 1000
	s := Serve(l, c)
	t.Cleanup(func() { s.Close(0) })
	return s, place
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

func TestRequests(t *testing.T) {
	_, place := serve(t, Config{})
	chunked := "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct {
		request string
		status  int
		body    string
	}{
		{"GET /x?y HTTP/1.1\r\nHost: x\r\n\r\n", 200, "GET /x "},
		{"GET /x HTTP/1.0\r\n\r\n", 200, "GET /x "},
		{"GET http://a/x HTTP/1.1\r\nHost: x\r\n\r\n", 200, "GET /x "},
		{"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 200, "POST /x abc"},
		{chunked + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 200, "POST /x abcde"},
		{chunked + "zz\r\n", 400, ""},
		{chunked + "7d0\r\n" + strings.Repeat("x", 2000) + "\r\n0\r\n\r\n", 413, ""},
		{"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413, ""},
		{"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, ""},
		{"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n", 500, ""},
		{"PRI * HTTP/2.0\r\n\r\n", 505, ""},
		{"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, ""}, // TLS
		{"GET /x HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("x", 20000) + "\r\n\r\n", 431, ""},
		{"GET /x HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", 4000) + "\r\n", 431, ""},
	} {
		conn := dial(t, place)
		_, _ = io.WriteString(conn, c.request)
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%.60q: %v", c.request, err)
			continue
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != c.status || c.body != "" && string(body) != c.body || !r.Close {
			t.Errorf("%.60q: %s, %q, %v", c.request, r.Status, body, err)
		}
	}
}

func TestHead(t *testing.T) {
	_, place := serve(t, Config{})
	conn := dial(t, place)
	_, _ = io.WriteString(conn, "HEAD /x HTTP/1.1\r\nHost: x\r\n\r\n")
	text, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(text), "\r\nContent-Length: 8\r\n") || !strings.HasSuffix(string(text), "\r\n\r\n") {
		t.Errorf("%q, %v", text, err)
	}
}

// TestContinue: curl sends a larger body only when it is asked to.
func TestContinue(t *testing.T) {
	_, place := serve(t, Config{})
	conn := dial(t, place)
	_, _ = io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	lines := bufio.NewReader(conn)
	if line, _ := lines.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q", line)
	}
	_, _ = io.WriteString(conn, "ab")
	if rest, _ := io.ReadAll(lines); !strings.HasSuffix(string(rest), "POST /x ab") {
		t.Errorf("%q", rest)
	}
}

func TestAsk(t *testing.T) {
	s, place := serve(t, Config{Handle: func(r *Request) Answer {
		gone, stop := r.Gone()
		defer stop()
		if r.URL.Path == "/wait" {
			<-gone.Done()
		}
		return echo(r)
	}})
	if status, body, err := Ask(context.Background(), place, "POST", "/x"); status != 200 || string(body) != "POST /x " || err != nil {
		t.Errorf("%d %q %v", status, body, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := Ask(ctx, place, "GET", "/wait"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	s.Close(deadline) // the one that waited has seen that its client has gone
	if _, _, err := Ask(context.Background(), place, "GET", "/x"); !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
}

// TestSlow: those who dribble their request keep nobody out.
func TestSlow(t *testing.T) {
	_, place := serve(t, Config{})
	for range 20 {
		_, _ = io.WriteString(dial(t, place), "GET /x HT")
	}
	begin := time.Now()
	if status, _, err := Ask(context.Background(), place, "GET", "/x"); status != 200 {
		t.Errorf("%d, %v", status, err)
	}
	if took := time.Since(begin); took >= readTimeout {
		t.Errorf("it took %s", took)
	}
}

func TestRefuse(t *testing.T) {
	_, place := serve(t, Config{Refuse: func(net.Conn) string { return "not you" }})
	if status, body, err := Ask(context.Background(), place, "GET", "/x"); status != 403 || string(body) != "not you" || err != nil {
		t.Errorf("%d %q %v", status, body, err)
	}
}

// failing has no descriptors left.
type failing struct {
	net.Listener
	tries atomic.Int64
}

func (f *failing) Accept() (net.Conn, error) {
	f.tries.Add(1)
	return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
}
func (f *failing) Close() error { return nil }

// TestNoDescriptors: a minute without them is no spin.
func TestNoDescriptors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(failing)
		s := Serve(f, Config{Most: 1})
		time.Sleep(time.Minute)
		s.Close(0)
		if n := f.tries.Load(); n < 60 || n > 80 {
			t.Errorf("%d tries", n)
		}
	})
}
