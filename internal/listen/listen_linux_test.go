package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		":3000":                  "tcp://0.0.0.0:3000",
		"*:3000":                 "tcp://0.0.0.0:3000",
		"localhost:3000":         "tcp://127.0.0.1:3000",
		"10.0.0.1:80":            "tcp://10.0.0.1:80",
		"tcp://0.0.0.0:3000":     "tcp://0.0.0.0:3000",
		"tcp4://127.0.0.1:1":     "tcp://127.0.0.1:1",
		"tcp6://:3000":           "tcp://[::]:3000",
		"[::]:3000":              "tcp://[::]:3000",
		"tcp://[::1]:65535":      "tcp://[::1]:65535",
		"/run/app.sock":          "unix:///run/app.sock",
		"unix:/run/app.sock":     "unix:///run/app.sock",
		"unix:///run/app.sock":   "unix:///run/app.sock",
		"unix:tmp/app.sock":      "unix:///srv/app/tmp/app.sock",
		"unix://tmp/app.sock":    "unix:///srv/app/tmp/app.sock",
		"":                       "",
		"3000":                   "",
		":0":                     "",
		":65536":                 "",
		":http":                  "",
		"example.com:80":         "",
		"::1:80":                 "",
		"[127.0.0.1]:80":         "",
		"[fe80::1%eth0]:80":      "",
		"tcp4://[::1]:80":        "",
		"tcp6://127.0.0.1:80":    "",
		"udp://127.0.0.1:80":     "",
		"http://127.0.0.1:80":    "",
		"unix:":                  "",
		"unix:@app":              "",
		"/run/":                  "",
		"unix:/run/app\x00.sock": "",
	} {
		a, err := Parse(text)
		got := ""
		if err == nil {
			got = a.In("/srv/app").String()
		}
		if got != want {
			t.Errorf("%q is %q (%v), want %q", text, got, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	for text, want := range map[string]string{":3000": "3000", "/run/a b:c.sock": "a_b_c.sock"} {
		if a, err := Parse(text); err != nil || a.Name() != want {
			t.Errorf("%s is called %q (%v), want %q", text, a.Name(), err, want)
		}
	}
}

// openAt opens an address in a new set.
func openAt(t *testing.T, a Address) (*Set, Socket) {
	t.Helper()
	s := NewSet()
	t.Cleanup(s.Close)
	s.Begin()
	one, err := s.Open(a)
	if err != nil {
		t.Fatal(err)
	}
	return s, one
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	a := Address{Path: path}
	old := unix.Umask(0o027)
	s, one := openAt(t, a)
	unix.Umask(old)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v; want 0666 less the umask", info.Mode(), err)
	}
	if flags, _ := unix.FcntlInt(uintptr(one.FD), unix.F_GETFD, 0); flags&unix.FD_CLOEXEC == 0 {
		t.Error("it would be inherited by whatever is started")
	}
	if flags, _ := unix.FcntlInt(uintptr(one.FD), unix.F_GETFL, 0); flags&unix.O_NONBLOCK != 0 {
		t.Error("it does not block")
	}
	if again, err := s.Open(a); err != nil || again != one {
		t.Errorf("a second time: %v, %v", again, err)
	}

	// Another launcher: this one listens.
	other := NewSet()
	other.Begin()
	if _, err := other.Open(a); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("what listens was taken over: %v", err)
	}
	// Killed: nobody does.
	_ = unix.Close(one.FD)
	next, _ := openAt(t, a)
	if conn, err := net.Dial("unix", path); err != nil {
		t.Errorf("the stale file was not replaced: %v", err)
	} else {
		conn.Close()
	}
	// The file is the other's now.
	delete(s.open, a)
	s.Close()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("another's file was removed: %v", err)
	}
	next.Close()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its own file is left: %v", err)
	}
}

func TestUnixSocketRefused(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(dir, fmt.Sprintf("%0200d", 1))
	for path, want := range map[string]error{plain: errNotSocket, long: errTooLong, dir + "/none/a": unix.ENOENT} {
		s := NewSet()
		s.Begin()
		if _, err := s.Open(Address{Path: path}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	if text, _ := os.ReadFile(plain); string(text) != "precious" {
		t.Error("the file is gone")
	}
}

func TestTCPSocket(t *testing.T) {
	port := freePort(t)
	a, err := Parse(fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	s, one := openAt(t, a)
	// A connection waits until somebody takes it.
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	other := NewSet()
	other.Begin()
	if _, err := other.Open(a); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("opened twice: %v", err)
	}
	fd, _, err := unix.Accept(one.FD)
	if err != nil {
		t.Fatal(err)
	}
	// Open again at once, although a connection of it is in TIME_WAIT.
	_ = unix.Close(fd)
	s.Close()
	next, _ := openAt(t, a)

	next.Release()
	if _, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("after Release: %v", err)
	}
	if _, err := next.Open(a); err == nil {
		t.Error("opened after Release")
	}
}

func TestBothFamilies(t *testing.T) {
	port := freePort(t)
	a, err := Parse(fmt.Sprintf("[::]:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	s := NewSet()
	defer s.Close()
	s.Begin()
	if _, err := s.Open(a); errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Skip("no IPv6 here")
	} else if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatalf("[::] is not for IPv4: %v", err)
	}
	conn.Close()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// TestGenerations: what is named no more stays; what a refused one opened goes.
func TestGenerations(t *testing.T) {
	dir := t.TempDir()
	first, second := Address{Path: dir + "/1"}, Address{Path: dir + "/2"}
	third, err := Parse(fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	s, _ := openAt(t, first)
	s.Begin()
	if _, err := s.Open(second); err != nil {
		t.Fatal(err)
	}
	if rest := s.Unnamed(); len(rest) != 1 || rest[0] != first.String() {
		t.Errorf("named no more: %v", rest)
	}
	s.Begin()
	for _, a := range []Address{second, third} {
		if _, err := s.Open(a); err != nil {
			t.Fatal(err)
		}
	}
	s.Abort()
	for a, open := range map[Address]bool{first: true, second: true, third: false} {
		network, to := "unix", a.Path
		if to == "" {
			network, to = "tcp", netip.AddrPortFrom(a.Host, a.Port).String()
		}
		conn, err := net.Dial(network, to)
		if (err == nil) != open {
			t.Errorf("%s: %v", a, err)
		}
		if err == nil {
			conn.Close()
		}
	}
}

func TestGiven(t *testing.T) {
	environ := func(pairs ...string) func(string) string {
		return func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		}
	}
	for name, lookup := range map[string]func(string) string{
		"none":      environ(),
		"another's": environ("LISTEN_PID", "8", "LISTEN_FDS", "1"),
		"no pid":    environ("LISTEN_FDS", "1"),
	} {
		if given, err := Given(lookup, 7); err != nil || len(given) > 0 {
			t.Errorf("%s: %v, %v", name, given, err)
		}
	}
	for _, count := range []string{"x", "-1", "1000000"} {
		if _, err := Given(environ("LISTEN_PID", "7", "LISTEN_FDS", count), 7); err == nil {
			t.Errorf("LISTEN_FDS=%s is taken", count)
		}
	}
	if _, err := Given(environ("LISTEN_PID", "7", "LISTEN_FDS", "1000"), 7); !errors.Is(err, unix.EBADF) {
		t.Errorf("descriptors that are not there: %v", err)
	}
}

// TestAddressOf: of a socket that we are given nobody tells the address but itself.
func TestAddressOf(t *testing.T) {
	tcp, err := Parse(fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []Address{tcp, {Path: filepath.Join(t.TempDir(), "s")}} {
		if _, one := openAt(t, a); addressOf(one.FD) != a.String() {
			t.Errorf("%s: %q", a, addressOf(one.FD))
		}
	}
	idle, err := socket(unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(idle)
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for what, fd := range map[string]int{"a socket that does not listen": idle, "no socket": int(null.Fd())} {
		if got := addressOf(fd); got != "" {
			t.Errorf("%s: %q", what, got)
		}
	}
}
