// A small web app for the image without anything else: it takes the socket that
// the launcher opened, or listens at $PORT, says when it is ready, and on TERM
// finishes the requests that it has.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	listener, err := listen()
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(answer), ReadHeaderTimeout: 10 * time.Second}
	drained := make(chan error)
	go func() {
		<-stop.Done()
		drained <- server.Shutdown(context.Background())
	}()
	if err := tell("READY=1"); err != nil {
		log.Print(err)
	}
	if err := server.Serve(listener); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	if err := <-drained; err != nil {
		log.Fatal(err)
	}
}

// answer takes a moment, as work does.
func answer(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/up" {
		time.Sleep(50 * time.Millisecond)
	}
	fmt.Fprintf(w, "%s, index %s\n", os.Getenv("PS"), os.Getenv("INDEX"))
}

// listen takes the first socket that was handed over (LISTEN_FDS), else $PORT.
func listen() (net.Listener, error) {
	if os.Getenv("LISTEN_FDS") != "" {
		return net.FileListener(os.NewFile(3, "listen"))
	}
	return net.Listen("tcp", ":"+os.Getenv("PORT"))
}

// tell speaks systemd's notify protocol with the launcher.
func tell(state string) error {
	socket := os.Getenv("NOTIFY_SOCKET")
	if socket == "" {
		return nil
	}
	conn, err := net.Dial("unixgram", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Write([]byte(state))
	return err
}
