package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// request is GET /slow, which takes three seconds and tells by a file when it
// is in the app's hands.
func slowRequest(t *testing.T, d *deployment) work {
	return web(d, func() bool {
		_, err := os.Stat(filepath.Join(d.dir, "started"))
		return !errors.Is(err, fs.ErrNotExist)
	})
}

// proxied is GET /slow through a server in front of a slow backend, which is
// this test itself.
func proxied(t *testing.T, d *deployment) work {
	begun := make(chan struct{})
	backend := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			time.Sleep(3 * time.Second)
		}
		io.WriteString(w, "finished\n")
	})}
	listener, err := net.Listen("unix", filepath.Join(d.dir, "backend.sock"))
	if err != nil {
		t.Fatal(err)
	}
	go backend.Serve(listener)
	t.Cleanup(func() { backend.Close() })
	return web(d, func() bool { return isClosed(begun) })
}

// web is a slow request over the deployment's socket.
func web(d *deployment, inHand func() bool) work {
	answer := make(chan error, 1)
	asked := false
	return work{
		begin: func(*testing.T) {},
		begun: func() (bool, string) {
			if !asked {
				// Not before it answers a quick one: a request that is refused is not lost.
				if err := d.get("/", 5*time.Second); err != nil {
					return false, err.Error()
				}
				asked = true
				go func() { answer <- d.get("/slow", time.Minute) }()
			}
			return inHand(), "waiting for the slow request to arrive"
		},
		finished: func(t *testing.T) {
			t.Helper()
			if err := <-answer; err != nil {
				t.Errorf("the request in flight was lost: %v", err)
			}
		},
	}
}

// get asks for a page on a connection of its own and wants it whole.
func (d *deployment) get(page string, limit time.Duration) error {
	return getPage("unix", filepath.Join(d.dir, "web.sock"), page, limit)
}

// getPage is get of any server.
func getPage(network, address, page string, limit time.Duration) error {
	client := http.Client{Timeout: limit, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}}
	response, err := client.Get("http://server" + page)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode != http.StatusOK || string(body) != "finished\n":
		return fmt.Errorf("%s: %q", response.Status, body)
	}
	return nil
}
