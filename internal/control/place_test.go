package control

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func response(t *testing.T, conn net.Conn) *http.Response {
	t.Helper()
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// leave makes a socket file that nobody listens on, as a KILL leaves it.
func leave(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func TestStaleIsTakenOver(t *testing.T) {
	path := filepath.Join(short(t), "s")
	leave(t, path)
	s, err := Serve(path, newLoop(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if _, err := client(t, path).Status(limited(t)); err != nil {
		t.Error(err)
	}
	s.Close()
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

func TestLiveIsRefused(t *testing.T) {
	s := serve(t, newLoop(), Options{})
	_, err := Serve(s.Place, newLoop(), Options{})
	if err == nil || !strings.HasPrefix(err.Error(), s.Place+" is in use: ") {
		t.Fatalf("%v", err)
	}
	if _, err := client(t, s.Place).Status(limited(t)); err != nil {
		t.Errorf("the first is no longer reached: %v", err)
	}
}

func TestOtherFilesAreLeftAlone(t *testing.T) {
	path := filepath.Join(short(t), "s")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(path, newLoop(), Options{}); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Error(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "precious" {
		t.Error("it was touched")
	}
	if _, err := Serve("/"+strings.Repeat("x", 120), newLoop(), Options{}); err == nil || !strings.Contains(err.Error(), "longer") {
		t.Error(err)
	}
}

// TestSuccessorKeepsItsFile: a server that was replaced does not take away its successor's file.
func TestSuccessorKeepsItsFile(t *testing.T) {
	first := serve(t, newLoop(), Options{})
	if err := os.Remove(first.Place); err != nil {
		t.Fatal(err)
	}
	second, err := Serve(first.Place, newLoop(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	first.Close()
	if _, err := client(t, second.Place).Status(limited(t)); err != nil {
		t.Error(err)
	}
}

func TestUsualPlace(t *testing.T) {
	run := short(t)
	t.Setenv("XDG_RUNTIME_DIR", run)
	if err := os.Mkdir(filepath.Join(run, "launcher"), 0o700); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(run, "launcher", "4194999.sock")
	leave(t, stale)
	s, err := Serve("", newLoop(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if want := fmt.Sprintf("%s/launcher/%d.sock", run, os.Getpid()); s.Place != want {
		t.Errorf("%s, want %s", s.Place, want)
	}
	if _, err := os.Lstat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what a killed launcher left is there still: %v", err)
	}
	c, err := Find(Which{PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	if c.Place != s.Place || c.PID != os.Getpid() {
		t.Errorf("%s, pid %d", c.Place, c.PID)
	}
}

// TestUntrustedDirectory: a place that others can write, or a link, is not used.
func TestUntrustedDirectory(t *testing.T) {
	run := short(t)
	dir := filepath.Join(run, "launcher")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := ownDirectory(dir, os.Geteuid()); err == nil || !strings.Contains(err.Error(), "written by others") {
		t.Error(err)
	}
	if err := os.Symlink(run, filepath.Join(run, "link")); err != nil {
		t.Fatal(err)
	}
	if err := ownDirectory(filepath.Join(run, "link"), os.Geteuid()); err == nil || !strings.Contains(err.Error(), "no directory") {
		t.Error(err)
	}
	if err := ownDirectory(run, os.Geteuid()+1); err == nil || !strings.Contains(err.Error(), "belongs to user") {
		t.Error(err)
	}
}

func TestFindNone(t *testing.T) {
	_, err := Find(Which{Socket: filepath.Join(short(t), "none")})
	if err == nil || !strings.Contains(err.Error(), "no such socket") {
		t.Error(err)
	}
	path := filepath.Join(short(t), "s")
	leave(t, path)
	if _, err := Find(Which{Socket: path}); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Error(err)
	}
	if _, err := Find(Which{PID: unix.Getppid()}); err == nil || !strings.Contains(err.Error(), "no control socket") {
		t.Error(err)
	}
}
