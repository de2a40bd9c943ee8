// Package health puts the questions of http and tcp probes (DESIGN 6).
package health

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"dyno/launcher"
)

// What of an answer is read at most, in bytes: its head, with hints before it;
// and of its body what lets a server end in peace. The kubelet has 10 KiB too.
const (
	mostHead = 64 << 10
	mostBody = 10 << 10
)

// Ask puts the question of an http or tcp probe once, on a connection of its
// own. It returns when there is an answer or ctx is over; nil is success. It is
// launcher.Config.Ask.
func Ask(ctx context.Context, p *launcher.Probe) error {
	if p.Kind == launcher.ProbeTCP {
		conn, err := dial(ctx, p.Target)
		if err != nil {
			return err
		}
		return conn.Close()
	}
	u, err := url.Parse(p.Target)
	if err != nil {
		return err
	}
	conn, err := dial(ctx, hostPort(u))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })() // ends what waits for it
	return get(conn, u)
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", address)
}

func hostPort(u *url.URL) string {
	if u.Port() == "" {
		return net.JoinHostPort(u.Hostname(), "80")
	}
	return u.Host
}

// get is one GET: 200 to 399 is success. A redirect is an answer, and is not
// followed: what it leads to is no longer this process.
func get(conn net.Conn, u *url.URL) error {
	_, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: launcher-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n",
		u.RequestURI(), u.Host)
	if err != nil {
		return err
	}
	in := bufio.NewReader(io.LimitReader(conn, mostHead+mostBody))
	for {
		response, err := http.ReadResponse(in, nil)
		switch {
		case err == io.ErrUnexpectedEOF || err == io.EOF:
			return fmt.Errorf("the connection ended before an answer")
		case err != nil:
			return err
		case response.StatusCode < 200 && response.StatusCode != http.StatusSwitchingProtocols:
			continue // 103 and its like: the answer follows
		case response.StatusCode < 200 || response.StatusCode > 399:
			return fmt.Errorf("answered %s", response.Status)
		}
		_, _ = io.CopyN(io.Discard, response.Body, mostBody)
		return nil
	}
}
