package notify

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const placeVariable = "NOTIFY_TEST_PLACE"

// TestMain also plays a launcher that is killed with its directory in place.
func TestMain(m *testing.M) {
	place := os.Getenv(placeVariable)
	if place == "" {
		os.Exit(m.Run())
	}
	d, err := openIn([]string{place}, false)
	if err == nil {
		_, err = d.Socket("worker.1")
	}
	if err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	os.Stdout.WriteString(d.path + "\n")
	select {}
}

// shortPlace is a directory whose path leaves room for a socket's.
func shortPlace(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func open(t *testing.T, root bool) *Dir {
	t.Helper()
	d, err := openIn([]string{shortPlace(t)}, root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func socket(t *testing.T, d *Dir, name string) *Socket {
	t.Helper()
	s, err := d.Socket(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func say(t *testing.T, path, text string) {
	t.Helper()
	c, err := net.Dial("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestMessages(t *testing.T) {
	s := socket(t, open(t, false), "worker.1")
	var buf [64]byte
	if text, _, ok := s.Read(buf[:]); ok {
		t.Fatalf("read %q before anything was sent", text)
	}
	for _, text := range []string{
		"READY=1", strings.Repeat("x", 65), "\xff\xfe", "A=1\x00B=2", "STATUS=ö\n\x00",
	} {
		say(t, s.Path(), text)
	}
	for _, want := range []string{"READY=1", "STATUS=ö"} {
		text, sender, ok := s.Read(buf[:])
		if !ok || text != want || sender != os.Getpid() {
			t.Errorf("read %q of %d, %v; want %q of %d", text, sender, ok, want, os.Getpid())
		}
	}
	if text, _, ok := s.Read(buf[:]); ok {
		t.Errorf("read %q", text)
	}
}

// TestDescriptorsAreClosed: sd_notify_barrier waits until the pipe that it sent is closed.
func TestDescriptorsAreClosed(t *testing.T) {
	s := socket(t, open(t, false), "worker.1")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.Sendmsg(fd, []byte("BARRIER=1"), unix.UnixRights(int(w.Fd())), &unix.SockaddrUnix{Name: s.Path()}, 0); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	var buf [64]byte
	if text, _, ok := s.Read(buf[:]); !ok || text != "BARRIER=1" {
		t.Errorf("read %q, %v", text, ok)
	}
	if n, err := r.Read(buf[:]); n != 0 || err == nil {
		t.Errorf("the pipe is still open: %d, %v", n, err)
	}
}

// TestNameIsUsedAgain: a slot's next process has a socket of its own at the same path.
func TestNameIsUsedAgain(t *testing.T) {
	d := open(t, false)
	before := socket(t, d, "worker.1")
	say(t, before.Path(), "STATUS=old")
	before.Close()
	before.Close()
	if _, _, ok := before.Read(make([]byte, 64)); ok || before.FD() != -1 {
		t.Error("a closed socket can be read")
	}
	after := socket(t, d, "worker.1")
	if after.Path() != before.Path() {
		t.Errorf("%s, then %s", before.Path(), after.Path())
	}
	say(t, after.Path(), "READY=1")
	if text, _, ok := after.Read(make([]byte, 64)); !ok || text != "READY=1" {
		t.Errorf("read %q, %v", text, ok)
	}
}

func TestNames(t *testing.T) {
	d := open(t, false)
	for _, name := range []string{"", ".", "..", "a/b", "ünï", strings.Repeat("long", 50) + ".2"} {
		s := socket(t, d, name)
		if filepath.Dir(s.Path()) != d.path || len(s.Path()) > longestPath {
			t.Errorf("%q is at %s", name, s.Path())
		}
		if strings.HasSuffix(name, ".2") && !strings.HasSuffix(s.Path(), ".2") {
			t.Errorf("%q is at %s: its slot is gone", name, s.Path())
		}
	}
}

// TestModes: as root a worker that drops its privileges has to reach its socket;
// else nobody else has to.
func TestModes(t *testing.T) {
	for _, c := range []struct {
		root      bool
		dir, file os.FileMode
	}{{false, 0o700, 0}, {true, 0o711, 0o666}} {
		d := open(t, c.root)
		s := socket(t, d, "worker.1")
		if st, err := os.Stat(d.path); err != nil || st.Mode().Perm() != c.dir {
			t.Errorf("root %v: directory %v, %v", c.root, st.Mode(), err)
		}
		if st, err := os.Stat(s.Path()); err != nil || c.file != 0 && st.Mode().Perm() != c.file {
			t.Errorf("root %v: socket %v, %v", c.root, st.Mode(), err)
		}
	}
}

func TestCloseRemovesAll(t *testing.T) {
	d := open(t, false)
	left, used := socket(t, d, "worker.1"), socket(t, d, "worker.2")
	left.Close()
	d.Close()
	if used.FD() != -1 {
		t.Error("a socket is still open")
	}
	if _, err := os.Lstat(d.path); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", d.path, err)
	}
	d.Close()
}

// TestFirstPlaceThatWorks: what does not work is passed over, and named where
// nothing does.
func TestFirstPlaceThatWorks(t *testing.T) {
	good := shortPlace(t)
	bad := []string{"", "relative", filepath.Join(good, "absent"), filepath.Join(good, strings.Repeat("x", 100))}
	d, err := openIn(append(bad, good), false)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if filepath.Dir(d.path) != good {
		t.Errorf("opened in %s", d.path)
	}
	_, err = openIn(bad, false)
	if err == nil {
		t.Fatal("opened in a bad place")
	}
	for _, place := range bad[1:] {
		if !strings.Contains(err.Error(), place) {
			t.Errorf("%v does not name %s", err, place)
		}
	}
}

// TestPlace: in memory where that can be had; $XDG_RUNTIME_DIR for a user, but not
// for root, whose workers may be other users.
func TestPlace(t *testing.T) {
	private, err := os.MkdirTemp("/dev/shm", "notify")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(private)
	t.Setenv("XDG_RUNTIME_DIR", private)
	d, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if inside, user := strings.HasPrefix(d.path, private+"/"), os.Geteuid() != 0; inside != user {
		t.Errorf("%s, where $XDG_RUNTIME_DIR is %s", d.path, private)
	}
	for _, place := range []string{private, d.path} {
		var fs unix.Statfs_t
		if err := unix.Statfs(place, &fs); err != nil {
			t.Fatal(err)
		}
		if place == private && fs.Type != unix.TMPFS_MAGIC {
			break // not in memory either
		}
		if fs.Type != unix.TMPFS_MAGIC {
			t.Errorf("%s is on a disk, and /dev/shm is not", d.path)
		}
	}
}

// TestStale: the directory of a launcher that lives stays; that of one which was
// killed is removed by the next; what is not ours is left alone.
func TestStale(t *testing.T) {
	place := shortPlace(t)
	for _, other := range []string{"launcher-x-y", "launcher-12-", "launcher-12-abc.d", "launcher"} {
		if err := os.Mkdir(filepath.Join(place, other), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), placeVariable+"="+place)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	theirs := strings.TrimSpace(line)

	beside, err := openIn([]string{place}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if _, err := os.Stat(filepath.Join(theirs, "worker.1")); err != nil {
		t.Errorf("the socket of a launcher that lives is gone: %v", err)
	}

	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	after, err := openIn([]string{place}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	if _, err := os.Stat(theirs); !os.IsNotExist(err) {
		t.Errorf("%s of a dead launcher is still there: %v", theirs, err)
	}
	if _, err := os.Stat(beside.path); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(place); err != nil || len(left) != 6 {
		t.Errorf("%v, %v; want the four of others and our two", left, err)
	}
}
