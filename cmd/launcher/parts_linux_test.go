package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"dyno/internal/early"

	"github.com/zenazn/goji/bind"
)

// childVariable names the part that the test binary plays as a child, where a
// shell cannot.
const childVariable = "PROCESS_TEST_CHILD"

func init() {
	play, ok := map[string]func() error{
		"ready":     sayReady,
		"large":     mortal(beLarge),
		"leaks":     mortal(leak),
		"serve":     mortal(serveHanded),
		"einhorn":   mortal(serveAsEinhornDoes),
		"quietable": beQuietable,
		"shellless": workWithNoShell,
	}[os.Getenv(childVariable)]
	if !ok {
		return
	}
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// mortal is a part that dies of TERM as other programs do, from its first moment on:
// early, which is linked in, has listened to it since then, and whoever has not asked
// it cannot know whether one has come.
func mortal(play func() error) func() error {
	return func() error {
		go func() {
			for sig := range early.Urgent {
				if sig == syscall.SIGTERM {
					signal.Reset(syscall.SIGTERM)
					_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
				}
			}
		}()
		return play()
	}
}

// sayReady says READY=1.
func sayReady() error {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err == nil {
		_, err = conn.Write([]byte("READY=1\n"))
	}
	return err
}

// grow uses n bytes more.
func grow(n int) []byte {
	memory := make([]byte, n)
	for i := range memory {
		memory[i] = 1
	}
	return memory
}

func beLarge() error {
	use := grow(64 << 20)
	time.Sleep(time.Hour)
	return fmt.Errorf("%d", use[0])
}

func leak() error {
	use := [][]byte{grow(20 << 20)}
	for {
		time.Sleep(250 * time.Millisecond)
		use = append(use, grow(1<<20))
	}
}

// serveHanded answers on the socket that it was handed.
func serveHanded() error {
	l, err := net.FileListener(os.NewFile(3, "socket"))
	if err != nil {
		return err
	}
	return answer(l)
}

func serveAsEinhornDoes() error {
	l := bind.Socket(bind.Sniff())
	bind.Ready()
	return answer(l)
}

// answer tells each caller who answers, and with what LISTEN_PID; to one that
// says so it does not, but dies.
func answer(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		var word [3]byte
		_, _ = io.ReadFull(conn, word[:])
		if string(word[:]) == "die" {
			os.Exit(9)
		}
		fmt.Fprintf(conn, "%d %s %s", os.Getpid(), os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDNAMES"))
		conn.Close()
	}
}

// quietable is the line of a Procfile whose worker plays that part.
const quietable = "worker: env " + childVariable + "=quietable $TEST_BINARY\n"

// beQuietable is ready at once, takes work until TSTP, then ends as soon as the
// file finish is there; TERM ends it at once. It names itself by its pid.
func beQuietable() error {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTSTP)
	_ = sayReady()
	_ = os.WriteFile("up."+os.Getenv("PS"), fmt.Appendf(nil, "%d", os.Getpid()), 0o644)
	select {
	case <-early.Urgent:
		return nil
	case <-signals:
	}
	for {
		if _, err := os.Stat("finish"); err == nil {
			return nil
		}
		select {
		case <-signals:
			return nil
		case <-early.Urgent:
			return nil
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// workWithNoShell says READY=1 where it can and that it is up, and ends at TERM.
func workWithNoShell() error {
	if os.Geteuid() == 0 && os.Getuid() != 0 {
		if err := syscall.Setuid(0); err != nil {
			fmt.Println(err)
		}
	}
	ready := "not asked"
	if os.Getenv("NOTIFY_SOCKET") != "" {
		ready = fmt.Sprint("asked: ", sayReady())
	}
	fmt.Printf("up, uid %d, %s\n", os.Getuid(), ready)
	<-early.Urgent
	return nil
}
