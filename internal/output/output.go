// Package output carries what processes write, and the launcher's own lines,
// to the launcher's standard output and standard error (DESIGN 5).
//
// One goroutine for each of the two descriptors waits in epoll for the pipes
// of all processes and writes blockingly; nobody else ever waits for a reader.
// A reader that is slow therefore slows the processes, through their pipes,
// and never the caller (P35). While nothing is written nothing wakes up.
package output

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Mode is how lines of processes are passed on.
type Mode int

const (
	// Raw lets processes write straight to the launcher's own descriptors.
	Raw Mode = iota
	// Prefix puts "name | " in front of each line.
	Prefix
	// JSON makes each line an object.
	JSON
)

// Config says where to and how.
type Config struct {
	Mode Mode
	// Stdout and Stderr are descriptors of the launcher's own output, usually 1
	// and 2: pipes, files, terminals. O_NONBLOCK is never set on them: their open
	// files are shared with others.
	Stdout, Stderr int
	// Color gives each process name a colour in prefix mode, in the order in
	// which names are first opened.
	Color bool
	// Width is the number of columns to which names are padded in prefix mode.
	Width int
	// PTY gives each process a pseudo-terminal as its output and error, whose
	// bytes go to Stdout. In raw mode they are passed on as they come.
	PTY bool
	// Notice makes a line, to be written to Stderr, of what this package has to
	// say itself, such as that nobody reads any more. It is called from several
	// goroutines. Default: "launcher: " in front of the text.
	Notice func(text string) []byte
}

// lastWord is how long a line is waited for that is said after Close, and that
// Stderr seems to have room for.
const lastWord = time.Second

// Output passes on what processes write. Its methods may be called from
// several goroutines.
type Output struct {
	cfg Config
	out *copier // nil where processes write straight to Stdout
	err *copier
	own *queue

	mu     sync.Mutex
	colors map[string]int
}

// New prepares the output; no goroutine runs before there is something to
// wait for. It fails where descriptors are used up.
func New(cfg Config) (*Output, error) {
	if cfg.Notice == nil {
		cfg.Notice = func(text string) []byte { return []byte("launcher: " + text + "\n") }
	}
	o := &Output{cfg: cfg, colors: map[string]int{}}
	o.own = &queue{notice: cfg.Notice}
	say := func(text string) { o.Line(cfg.Notice(text)) }

	errLock := &sync.Mutex{}
	outLock := errLock
	if !sameFile(cfg.Stdout, cfg.Stderr) {
		outLock = &sync.Mutex{}
	}
	var err error
	o.err, err = newCopier(cfg.Mode, &sink{fd: cfg.Stderr, name: "stderr", lock: errLock, say: say}, o.own, errBuffer)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if cfg.Mode == Raw && !cfg.PTY {
		return o, nil
	}
	out := &sink{fd: cfg.Stdout, name: "stdout", lock: outLock, say: say, raw: cfg.Mode == Raw}
	if o.out, err = newCopier(cfg.Mode, out, nil, outBuffer); err != nil {
		o.err.poll.close()
		return nil, fmt.Errorf("output: %w", err)
	}
	return o, nil
}

// Bytes are how many processes have written to stdout and stderr so far, as far
// as they have been read. ok false: they write straight to the launcher's own,
// and nobody knows.
func (o *Output) Bytes() (stdout, stderr int64, ok bool) {
	if o.out == nil {
		return 0, 0, false
	}
	return o.out.read.Load(), o.err.read.Load(), true
}

// sameFile reports whether two descriptors lead to one file, so that lines
// written through both could be torn into each other.
func sameFile(a, b int) bool {
	var x, y unix.Stat_t
	if unix.Fstat(a, &x) != nil || unix.Fstat(b, &y) != nil {
		return a == b
	}
	return x.Dev == y.Dev && x.Ino == y.Ino
}

// Line writes a line of the launcher's own to Stderr, completing it with a
// newline. It never waits: while Stderr is stuck up to 256 KiB are kept, the
// rest is dropped, and how many were dropped is said as soon as lines get
// through again. After Close it writes only where Stderr has room, and waits a
// second at most.
func (o *Output) Line(line []byte) {
	switch o.own.put(line) {
	case queueFirst:
		o.err.begin()
		o.err.poll.wake()
	case queueClosed:
		o.lineAfterClose(bytes.Clone(line))
	case queueMore:
	}
}

// lineAfterClose writes without the copier, which is gone or stuck.
func (o *Output) lineAfterClose(line []byte) {
	if !writable(o.cfg.Stderr) {
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = writeAll(o.cfg.Stderr, completed(line))
	}()
	t := time.NewTimer(lastWord)
	defer t.Stop()
	select {
	case <-written:
	case <-t.C:
	}
}

// Close ends all copying: what processes have written is still passed on, until
// nothing more can be read or until the given moment. It does not wait for
// somebody who holds a pipe and is silent (P7, P43); whoever still writes then
// gets EPIPE. A moment that has passed leaves no time even for what could be
// written at once.
//
// It returns how many bytes were lost from first to last: unread or unwritten
// now, or dropped earlier because nobody read or the disk was full. In prefix
// and JSON mode what was put around the lines counts too.
func (o *Output) Close(until time.Time) (lost int64) {
	if o.out != nil {
		// The rest is for what Stdout's end gives reason to say on Stderr.
		rest := min(time.Until(until)/4, 50*time.Millisecond)
		lost = o.out.close(until.Add(-max(rest, 0)))
	}
	return lost + o.err.close(until)
}

// closedError is what Open returns after Close.
func closedError() error { return fmt.Errorf("output: %w", os.ErrClosed) }
