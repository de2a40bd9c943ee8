package http1

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// mostAnswer is how large an answer may be that is read.
const mostAnswer = 64 << 20

// Ask sends one request without a body to a unix socket, and returns the
// answer. The error is the context's once that has ended.
func Ask(ctx context.Context, socket, method, path string) (status int, body []byte, err error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return 0, nil, ended(ctx, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	length := ""
	if method == http.MethodPost {
		length = "Content-Length: 0\r\n"
	}
	// An error is the answer's to explain: one that is turned away may find
	// nobody to write to, and the reason to read.
	_, _ = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: launcher\r\n%sConnection: close\r\n\r\n", method, path, length)
	response, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, mostAnswer)), nil)
	if err != nil {
		return 0, nil, ended(ctx, err)
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, ended(ctx, err)
}

func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
