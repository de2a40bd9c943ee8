package notify

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestManager(t *testing.T) {
	for _, name := range []string{filepath.Join(t.TempDir(), "notify"), "@launcher-test-" + strconv.Itoa(os.Getpid())} {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		Above(name).Tell("READY=1\nSTATUS=3/3 ready")
		buf := make([]byte, 100)
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
		n, err := c.Read(buf)
		if err != nil || string(buf[:n]) != "READY=1\nSTATUS=3/3 ready" {
			t.Errorf("%s: %q, %v", name, buf[:n], err)
		}
	}
}

func TestManagerThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	m := Above(name)
	for range 10000 { // far more than the queue holds
		m.Tell("STATUS=again")
	}
}

func TestNoManager(t *testing.T) {
	for _, path := range []string{"", "@", "relative", "/"} {
		if Above(path) != nil {
			t.Errorf("%q is a service manager", path)
		}
	}
	Above("/nowhere/at/all").Tell("READY=1")
}

func TestWatchdogEvery(t *testing.T) {
	self := strconv.Itoa(os.Getpid())
	for _, tt := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"30000000", self, 15 * time.Second}, {"30000000", "1", 0}, {"", self, 0}, {"x", self, 0},
	} {
		if got := WatchdogEvery(tt.usec, tt.pid); got != tt.want {
			t.Errorf("WATCHDOG_USEC=%s WATCHDOG_PID=%s: %s, want %s", tt.usec, tt.pid, got, tt.want)
		}
	}
}
