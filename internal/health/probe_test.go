package health

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"dyno/launcher"
)

// serve answers one connection with text, and tells what it was asked. hold
// leaves the connection open.
func serve(t *testing.T, text string, hold bool) (address string, asked chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked = make(chan string, 1)
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		var head strings.Builder
		for {
			line, err := in.ReadString('\n')
			head.WriteString(line)
			if err != nil || line == "\r\n" {
				break
			}
		}
		asked <- head.String()
		_, _ = io.WriteString(conn, text)
		if hold {
			_, _ = in.ReadByte() // until the other end closes
		}
	}()
	return l.Addr().String(), asked
}

func ask(t *testing.T, kind launcher.ProbeKind, target string, limit time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return Ask(ctx, &launcher.Probe{Kind: kind, Target: target})
}

func TestGet(t *testing.T) {
	endless := strings.Repeat("x", 1<<20)
	for _, row := range []struct{ answer, want string }{
		{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
		{"HTTP/1.0 204 No Content\r\n\r\n", ""},
		{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", ""},
		{"HTTP/1.1 399 Odd\r\n\r\n", ""},
		{"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ""},
		{"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n", "answered 500 Oh"},
		{"HTTP/1.1 400 Bad\r\n\r\n", "answered 400 Bad"},
		{"HTTP/1.1 503 Service Unavailable\r\n\r\nno database", "answered 503 Service Unavailable"},
		{"HTTP/1.1 101 Switching Protocols\r\n\r\n", "answered 101 Switching Protocols"},
		{"", "the connection ended before an answer"},
		{"SSH-2.0-OpenSSH_9.2\r\n", "malformed HTTP"},
		{"HTTP/1.1 200 OK\r\nX: " + endless, "ended"},
		{"HTTP/1.1 200 OK\r\n\r\n" + endless, ""},
	} {
		address, _ := serve(t, row.answer, false)
		err := ask(t, launcher.ProbeHTTP, "http://"+address+"/up", 30*time.Second)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%.40q: %q, want %q", row.answer, got, row.want)
		}
	}
}

func TestGetAsks(t *testing.T) {
	address, asked := serve(t, "HTTP/1.1 200 OK\r\n\r\n", false)
	if err := ask(t, launcher.ProbeHTTP, "http://"+address+"/up?a=b%2Cc", 30*time.Second); err != nil {
		t.Fatal(err)
	}
	want := "GET /up?a=b%2Cc HTTP/1.1\r\nHost: " + address + "\r\nUser-Agent: launcher-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
	if got := <-asked; got != want {
		t.Errorf("asked %q, want %q", got, want)
	}
}

// Whoever does not answer is left when the time is over: with nothing, with half
// a head, or with a body that does not end.
func TestAskEndsWithItsContext(t *testing.T) {
	for _, answer := range []string{"", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\n\r\nfirst"} {
		address, _ := serve(t, answer, true)
		begin := time.Now()
		err := ask(t, launcher.ProbeHTTP, "http://"+address, 100*time.Millisecond)
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("%q: it took %s", answer, took)
		}
		if whole := strings.Contains(answer, "200"); (err == nil) != whole {
			t.Errorf("%q: %v", answer, err)
		}
	}
}

func TestConnect(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := ask(t, launcher.ProbeTCP, l.Addr().String(), 30*time.Second); err != nil {
		t.Error(err)
	}
	l.Close()
	if err := ask(t, launcher.ProbeTCP, l.Addr().String(), 30*time.Second); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("nobody listens, and %v", err)
	}
}
