package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// launcherBinary is the program as it is shipped, built once for all tests.
var launcherBinary string

func TestMain(m *testing.M) { os.Exit(withBinary(m)) }

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "launcher-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	launcherBinary = filepath.Join(dir, "launcher")
	if err := goBuild("-trimpath", "-ldflags", "-s -w -X main.version=1.2.3-test", "-o", launcherBinary, "."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// goBuild is go build, of a program that needs no library.
func goBuild(args ...string) error {
	build := exec.Command("go", append([]string{"build"}, args...)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// patience is how long a test waits for what must come: far longer than it takes.
const patience = 30 * time.Second

// within polls until it is so, and tells whether it came to be in that time.
func within(limit time.Duration, is func() bool) bool {
	for end := time.Now().Add(limit); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// freeAddress is one of this machine where nobody listens, and its port.
func freeAddress(t *testing.T) (address, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	address = l.Addr().String()
	_, port, _ = net.SplitHostPort(address)
	return address, port
}

// launcherSays runs a command of the launcher's, with its status and all it wrote.
func launcherSays(dir string, environ []string, args ...string) (status int, text string, err error) {
	cmd := exec.Command(launcherBinary, args...)
	cmd.Dir, cmd.Env = dir, environ
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		return 0, "", err
	}
	return cmd.ProcessState.ExitCode(), string(out), nil
}
