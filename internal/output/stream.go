package output

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// Stream is the output of one process.
type Stream struct {
	stdout, stderr int // the process's ends, -1 when closed here
	inherited      bool
	sources        []*source
	mu             sync.Mutex
}

// Open makes what is to be a process's descriptors 1 and 2: the launcher's own
// in raw mode, else pipes or a pseudo-terminal. name is what its lines carry.
// Where it fails, as with EMFILE or ENFILE, nothing stays open.
func (o *Output) Open(name string) (*Stream, error) {
	if o.out == nil {
		return &Stream{stdout: o.cfg.Stdout, stderr: o.cfg.Stderr, inherited: true}, nil
	}
	if o.cfg.PTY {
		return o.openPTY(name)
	}
	return o.openPipes(name)
}

func (o *Output) openPTY(name string) (*Stream, error) {
	master, slave, err := openPTY(o.cfg.Stdout, o.cfg.Stderr)
	if err != nil {
		return nil, fmt.Errorf("output of %s: pseudo-terminal: %w", name, err)
	}
	s := &source{fd: master, head: o.head(name, "stdout"), object: objectHead(name), pty: true}
	if err := o.out.add(s); err != nil {
		_ = unix.Close(slave)
		return nil, fmt.Errorf("output of %s: %w", name, err)
	}
	return &Stream{stdout: slave, stderr: slave, sources: []*source{s}}, nil
}

func (o *Output) openPipes(name string) (*Stream, error) {
	var ends [2]int
	sources := make([]*source, 2)
	for i, stream := range []string{"stdout", "stderr"} {
		r, w, err := pipe()
		if err != nil {
			closePipes(sources, ends)
			return nil, fmt.Errorf("output of %s: pipe: %w", name, err)
		}
		ends[i] = w
		sources[i] = &source{fd: r, head: o.head(name, stream), object: objectHead(name)}
	}
	err := o.out.add(sources[0])
	if err != nil {
		_ = unix.Close(sources[1].fd)
	} else {
		err = o.err.add(sources[1])
	}
	if err != nil {
		// A source that a copier has is closed by it, when it sees the end.
		_ = unix.Close(ends[0])
		_ = unix.Close(ends[1])
		return nil, fmt.Errorf("output of %s: %w", name, err)
	}
	return &Stream{stdout: ends[0], stderr: ends[1], sources: sources}, nil
}

// closePipes closes the pipes made so far when a further one cannot be made.
func closePipes(sources []*source, ends [2]int) {
	for i, s := range sources {
		if s != nil {
			_ = unix.Close(s.fd)
			_ = unix.Close(ends[i])
		}
	}
}

// pipe returns a pipe whose ends are closed at exec. Only the read end, an open
// file of its own, is without blocking.
func pipe() (r, w int, err error) {
	var p [2]int
	if err := closeOnExecPipe(&p); err != nil {
		return -1, -1, err
	}
	// A new pipe has no other flag that would have to be kept.
	if _, err := unix.FcntlInt(uintptr(p[0]), unix.F_SETFL, unix.O_NONBLOCK); err != nil {
		return -1, -1, errors.Join(err, unix.Close(p[0]), unix.Close(p[1]))
	}
	return p[0], p[1], nil
}

// Child returns the descriptors that are to be the process's 1 and 2. They are
// closed at exec here; dup2 in the process takes that off.
func (s *Stream) Child() (stdout, stderr int) { return s.stdout, s.stderr }

// Started closes the process's ends here, after fork and exec, so that the end
// of its output can be seen.
func (s *Stream) Started() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inherited || s.stdout < 0 {
		return
	}
	_ = unix.Close(s.stdout)
	if s.stderr != s.stdout {
		_ = unix.Close(s.stderr)
	}
	s.stdout, s.stderr = -1, -1
}

// Abandon closes all, when the process could not be started. The ends that are
// read are closed by the copiers, which see the end of file at once.
func (s *Stream) Abandon() { s.Started() }

// Ended says that the process was reaped. What is still in its pipes is copied,
// and so is what others write who have inherited them; a last line without
// newline is completed as soon as nothing more is to be read.
func (s *Stream) Ended() {
	for _, src := range s.sources {
		src.copier.end(src)
	}
}
