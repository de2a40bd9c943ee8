package output

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// settle is how long writes must have worked before a trouble counts as over,
// and how long after EPIPE nothing is written: P26, no spinning on SIGPIPE.
const settle = time.Second

// sink is one of the two descriptors that all output goes to. Only its copier
// writes to it.
type sink struct {
	fd   int
	name string
	lock *sync.Mutex // shared by both sinks where they are one file
	raw  bool        // bytes are not lines: nothing is put right between them
	say  func(text string)

	pending atomic.Int64 // bytes in hand while a write is under way
	lost    atomic.Int64 // bytes dropped, all in all

	// Of the copier's goroutine alone.
	trouble error     // why bytes are dropped, nil while all is well
	failed  time.Time // when a write last failed
	before  int64     // lost when the trouble began
	torn    bool      // the last write ended within a line
}

// write writes whole lines and waits as long as it takes. rest is how many
// further bytes the caller has in hand, for the count of a Close meanwhile.
func (s *sink) write(b []byte, rest int) {
	if len(b) == 0 {
		return
	}
	if errors.Is(s.trouble, unix.EPIPE) && time.Since(s.failed) < settle {
		s.lost.Add(int64(len(b)))
		return
	}
	s.pending.Store(int64(len(b) + rest))
	n, err := s.writeLocked(b)
	s.pending.Store(0)
	if n > 0 {
		s.torn = !s.raw && b[n-1] != '\n'
	}
	if err != nil {
		s.fail(err, len(b)-n)
	} else if s.trouble != nil && time.Since(s.failed) >= settle {
		s.recover()
	}
}

// writeLocked keeps the other sink of the same file out while a write that
// comes in parts is under way.
func (s *sink) writeLocked(b []byte) (int, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.torn {
		if _, err := writeAll(s.fd, []byte{'\n'}); err != nil {
			return 0, err
		}
		s.torn = false
	}
	return writeAll(s.fd, b)
}

// fail counts what is dropped, and says so when it begins. Of Stderr itself
// that can be said only later.
func (s *sink) fail(err error, dropped int) {
	if s.trouble == nil {
		s.before = s.lost.Load()
		if s.name != "stderr" {
			s.say(fmt.Sprintf("%s: %v: what the processes write there is dropped", s.name, err))
		}
	}
	s.lost.Add(int64(dropped))
	s.trouble, s.failed = err, time.Now()
}

// recover says that writes work again, and what the trouble has cost.
func (s *sink) recover() {
	s.say(fmt.Sprintf("%s: works again, %d bytes were dropped (%v)", s.name, s.lost.Load()-s.before, s.trouble))
	s.trouble = nil
}

// writeAll writes all of b and returns how much was written. It also waits
// where somebody else has set O_NONBLOCK on the shared open file.
func writeAll(fd int, b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := unix.Write(fd, b[done:])
		switch {
		case n > 0:
			done += n
		case errors.Is(err, unix.EAGAIN):
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, -1)
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return done, err
		default:
			return done, unix.EIO
		}
	}
	return done, nil
}

// writable reports whether a write of up to PIPE_BUF bytes would not wait now.
func writable(fd int) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	n, err := unix.Poll(p, 0)
	return err == nil && n == 1 && p[0].Revents&unix.POLLOUT != 0
}
