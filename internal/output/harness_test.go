package output

import (
	"bytes"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// As in the launcher: EPIPE is to be an error and not the end.
func init() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// generous is how long is waited for what takes milliseconds on an idle machine.
const generous = 30 * time.Second

// reader is the far end of one of the launcher's descriptors.
type reader struct {
	r, w *os.File
	// number is w's; to ask for it again would make it blocking (P32).
	number int
	mu     sync.Mutex
	got    bytes.Buffer
	end    chan struct{}
	once   sync.Once
}

// newReader makes a pipe of which nothing is read before start.
func newReader(t testing.TB) *reader {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	rd := &reader{r: r, w: w, number: int(w.Fd()), end: make(chan struct{})}
	// Blocking, as descriptors 1 and 2 are.
	if err := unix.SetNonblock(rd.number, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close(); r.Close() })
	return rd
}

func (r *reader) fd() int { return r.number }

// start reads all there is from now on.
func (r *reader) start() *reader {
	r.once.Do(func() {
		go func() {
			defer close(r.end)
			b := make([]byte, 32<<10)
			for {
				n, err := r.r.Read(b)
				r.mu.Lock()
				r.got.Write(b[:n])
				r.mu.Unlock()
				if err != nil {
					return
				}
			}
		}()
	})
	return r
}

// text returns what has been read so far.
func (r *reader) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.String()
}

// all returns what was written, when everybody has closed the pipe.
func (r *reader) all(t testing.TB) string {
	t.Helper()
	r.start()
	r.w.Close()
	select {
	case <-r.end:
	case <-time.After(generous):
		t.Fatal("the pipe was not closed")
	}
	return r.text()
}

// waitFor waits until so much has been read.
func (r *reader) waitFor(t testing.TB, text string) {
	t.Helper()
	eventually(t, func() bool { return strings.Contains(r.text(), text) }, "output %q", text)
}

func eventually(t testing.TB, ok func() bool, format string, args ...any) {
	t.Helper()
	for end := time.Now().Add(generous); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for "+format, args...)
		}
	}
}

func open(t testing.TB, cfg Config) *Output {
	t.Helper()
	o, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close(time.Now()) })
	return o
}

// process stands for a child: it has descriptors of its own, as after fork.
type process struct {
	*Stream
	stdout, stderr *os.File
}

func start(t testing.TB, o *Output, name string) *process {
	t.Helper()
	s, err := o.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := s.Child()
	p := &process{Stream: s, stdout: duplicate(t, stdout), stderr: duplicate(t, stderr)}
	s.Started()
	return p
}

func duplicate(t testing.TB, fd int) *os.File {
	t.Helper()
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(n), "child")
	t.Cleanup(func() { f.Close() }) // and not whenever the collector runs
	return f
}

// exit is what the kernel and the launcher do at the end of a process.
func (p *process) exit() {
	p.stdout.Close()
	p.stderr.Close()
	p.Ended()
}

func (p *process) print(t testing.TB, text string) {
	t.Helper()
	if _, err := io.WriteString(p.stdout, text); err != nil {
		t.Error(err)
	}
}

// within fails the test when f takes longer than a user would bear.
func within(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(generous):
		t.Fatalf("%s does not return", what)
	}
}
