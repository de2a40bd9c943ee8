package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// checked runs `launcher check` with a Procfile and returns all it printed.
func checked(t *testing.T, before []string, files []*os.File, wantStatus int, args ...string) string {
	t.Helper()
	words := append(append(before, launcherBinary, "check"), args...)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = t.TempDir()
	cmd.ExtraFiles = files
	if err := os.WriteFile(cmd.Dir+"/Procfile", []byte("web: cat\nworker: cat\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := cmd.CombinedOutput()
	if status := cmd.ProcessState.ExitCode(); status != wantStatus {
		t.Errorf("%v: status %d, want %d\n%s", args, status, wantStatus, out)
	}
	return string(out)
}

// TestCheckListens: check says what a start could not listen to, and opens nothing
// that a client could see.
func TestCheckListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	place := l.Addr().String()

	out := checked(t, nil, nil, 0, "web", "--listen", place, "--health", place, "--socket", "none")
	for _, what := range []string{"--listen: cannot listen on tcp://" + place, "--health: cannot listen on " + place} {
		if !strings.Contains(out, "warning: "+what+" now: address already in use; ") {
			t.Errorf("nothing about %s:\n%s", what, out)
		}
	}
	free, _ := freeAddress(t)
	other, _ := freeAddress(t)
	if out = checked(t, nil, nil, 0, "web", "--listen", free, "--health", other); strings.Contains(out, "warning") {
		t.Error(out)
	}
	// No other machine's address (RFC 5737), no missing directory, no plain file.
	out = checked(t, nil, nil, 2, "web", "--listen", "192.0.2.1:3000,unix:none/a.sock,unix:Procfile,unix:new.sock",
		"--health", "192.0.2.1:3000", "--socket", "none/b.sock")
	for _, what := range []string{
		"--listen: cannot listen on tcp://192.0.2.1:3000: ", `--listen: cannot listen on unix:///\S*/none/a.sock: no such file or directory; create`,
		`--listen: cannot listen on unix:///\S*/Procfile: there is a file of that name`, "--health: .*192.0.2.1:3000", "--socket: .*none/b.sock",
	} {
		if !regexp.MustCompile(`(?m)^launcher: ` + what).MatchString(out) {
			t.Errorf("nothing about %s:\n%s", what, out)
		}
	}
	if strings.Contains(out, "new.sock: ") {
		t.Error(out)
	}
}

// TestCheckSystemd: the sockets of a .socket unit are shown with who gets them.
func TestCheckSystemd(t *testing.T) {
	address, _ := freeAddress(t)
	file := listening(t, address)
	given := func(n int) []string {
		return []string{"sh", "-c", fmt.Sprintf(`LISTEN_PID=$$ LISTEN_FDS=%d exec "$@"`, n), "sh"}
	}
	out := checked(t, given(1), []*os.File{file}, 0)
	if !regexp.MustCompile(`(?m)^web:\n(  .*\n)*  listen +tcp://` + address + ` +LISTEN_FDS$`).MatchString(out) {
		t.Error(out)
	}
	if out = checked(t, given(9999), []*os.File{file}, 2); !strings.Contains(out, `launcher: LISTEN_FDS: `) {
		t.Error(out)
	}
}
