package control

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dyno/internal/http1"
)

// placeVariable makes the test binary a client of another user.
const placeVariable = "CONTROL_TEST_PLACE"

func TestMain(m *testing.M) {
	if place := os.Getenv(placeVariable); place != "" {
		os.Exit(stranger(place))
	}
	os.Exit(m.Run())
}

// stranger prints what a client gets to hear there.
func stranger(place string) int {
	status, _, err := http1.Ask(context.Background(), place, http.MethodGet, "/status")
	if err != nil {
		fmt.Println("error:", err)
		return 0
	}
	fmt.Println(status)
	return 0
}

// TestOtherUser: only the same user and root are served, also where the
// socket's mode keeps nobody out.
func TestOtherUser(t *testing.T) {
	const nobody = 65534
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be somebody else")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Fatal(err)
	}
	dir := short(t)
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "stranger")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := Serve(filepath.Join(dir, "s"), newLoop(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hear := func(place string) string {
		cmd := exec.Command("setpriv", fmt.Sprintf("--reuid=%d", nobody), fmt.Sprintf("--regid=%d", nobody), "--clear-groups", program)
		cmd.Env = append(os.Environ(), placeVariable+"="+place)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Skipf("cannot be another user here: %v\n%s", err, out)
		}
		return string(out)
	}
	if said := hear(s.Place); !strings.Contains(said, "permission denied") {
		t.Errorf("by the file: %s", said)
	}
	if err := os.Chmod(s.Place, 0o666); err != nil {
		t.Fatal(err)
	}
	if said := hear(s.Place); strings.TrimSpace(said) != fmt.Sprint(http.StatusForbidden) {
		t.Errorf("with the mode open: %s", said)
	}
	if len(s.asker.(*loop).asked) != 0 {
		t.Error("the loop was asked")
	}
}

func TestAbstract(t *testing.T) {
	name := fmt.Sprintf("@launcher-%d-%d-test", os.Geteuid(), os.Getpid())
	s, err := Serve(name, newLoop(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := Serve(name, newLoop(), Options{}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("taken twice: %v", err)
	}
	if !slices.Contains(places(), name) {
		t.Error("it is not found")
	}
	c, err := Find(Which{PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Status(limited(t)); err != nil {
		t.Error(err)
	}
}
