package http1

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// write sends an answer. A client that has gone is no concern.
func (s *Server) write(conn net.Conn, a Answer, head bool) {
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	b := make([]byte, 0, 256+len(a.Body))
	b = fmt.Appendf(b, "HTTP/1.1 %d %s\r\nDate: ", a.Status, http.StatusText(a.Status))
	b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
	b = append(b, "\r\nContent-Type: "+a.Type...)
	if a.Allow != "" {
		b = append(b, "\r\nAllow: "+a.Allow...)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(a.Body)), 10)
	b = append(b, "\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"...)
	if !head {
		b = append(b, a.Body...)
	}
	_ = conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, _ = conn.Write(b)
}

// words say what is wrong with a request that could not be read.
func words(status int, mostBody int64) string {
	switch status {
	case http.StatusRequestHeaderFieldsTooLarge:
		return fmt.Sprintf("the request's head is larger than %d bytes", mostHead)
	case http.StatusRequestEntityTooLarge:
		return fmt.Sprintf("the request is larger than %d bytes", mostBody)
	case http.StatusHTTPVersionNotSupported:
		return "this is HTTP/1.1"
	case http.StatusRequestTimeout:
		return fmt.Sprintf("the request did not come within %s", readTimeout)
	}
	return "this is no request of HTTP/1.1"
}

// turnAway answers a client that is not served. The answer fits the socket's
// buffer, so nobody is waited for.
func (s *Server) turnAway(conn net.Conn, a Answer) {
	s.write(conn, a, false)
	select {
	case s.away <- struct{}{}:
		go func() {
			linger(conn)
			conn.Close()
			<-s.away
		}()
	default:
		conn.Close()
	}
}

// linger reads on for a moment: what the client is about to write must find a
// reader, or it would see an error in place of the answer.
func linger(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	_ = conn.SetReadDeadline(time.Now().Add(lingering))
	_, _ = io.Copy(io.Discard, io.LimitReader(conn, 1<<20))
}
