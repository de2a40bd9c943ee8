package main

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestServiceManager: under a service manager it says READY when all are ready,
// then STATUS and STOPPING; what a child says of itself is not passed up.
func TestServiceManager(t *testing.T) {
	tr := newTrial(t, map[string]string{
		"Procfile": "one: sh child.sh\n",
		"child.sh": childVariable + `=ready "$TEST_BINARY"; exec sleep 1000` + "\n",
	})
	// A short name: the path of a socket has 107 letters.
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "@" + tr.mark + ".manager", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()

	tr.before = []string{"env", "NOTIFY_SOCKET=@" + tr.mark + ".manager"}
	tr.start("run", "one")
	var told []string
	hear := func(want string) {
		t.Helper()
		buf := make([]byte, 4096)
		for {
			_ = socket.SetReadDeadline(time.Now().Add(patience))
			n, err := socket.Read(buf)
			if err != nil {
				t.Fatalf("%v; heard %q, want %s", err, told, want)
			}
			told = append(told, string(buf[:n]))
			if strings.Contains(string(buf[:n]), want) {
				return
			}
		}
	}
	hear("READY=1\nSTATUS=1/1 ready")
	if err := tr.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	hear("STOPPING=1\nSTATUS=stopping: asked by TERM")
	<-tr.ended
	if all := strings.Join(told, "\n"); strings.Count(all, "READY=1") != 1 {
		t.Errorf("heard %q", told)
	}
}
