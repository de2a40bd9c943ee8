//go:build !linux || outputpoll

// With the tag outputpoll the tests run this on Linux too (make packages).

package output

import (
	"errors"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxGrown: the size of pipes is only Linux's to set.
const maxGrown = 0

func enlarge(int) {}

// closeOnExecPipe keeps forks out between the two calls that it takes.
func closeOnExecPipe(p *[2]int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(p[:]); err != nil {
		return err
	}
	unix.CloseOnExec(p[0])
	unix.CloseOnExec(p[1])
	return nil
}

// readNow reads without waiting: the descriptor does not block.
func readNow(fd int, b []byte) (int, error) {
	for {
		n, err := unix.Read(fd, b)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// poller waits for sources and for wake, in poll(2).
type poller struct {
	mu     sync.Mutex
	closed bool
	r, w   int // the pipe of wake
	fds    map[uint64]int
}

func newPoller() (*poller, error) {
	r, w, err := pipe()
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(w, true); err != nil {
		return nil, errors.Join(err, unix.Close(r), unix.Close(w))
	}
	return &poller{r: r, w: w, fds: map[uint64]int{}}, nil
}

// add waits for a descriptor to become readable, told as id.
func (p *poller) add(fd int, id uint64) error {
	p.mu.Lock()
	p.fds[id] = fd
	p.mu.Unlock()
	p.wake()
	return nil
}

// remove has to come before the descriptor is closed.
func (p *poller) remove(_ int, id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.fds, id)
}

// wait appends the ids of what is readable to ready; with block it waits until
// there is something, or wake is called.
func (p *poller) wait(ready []uint64, block bool) []uint64 {
	p.mu.Lock()
	polled := make([]unix.PollFd, 1, len(p.fds)+1)
	polled[0] = unix.PollFd{Fd: int32(p.r), Events: unix.POLLIN}
	ids := make([]uint64, 1, len(p.fds)+1)
	for id, fd := range p.fds {
		polled = append(polled, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		ids = append(ids, id)
	}
	p.mu.Unlock()
	timeout := 0
	if block {
		timeout = -1
	}
	if _, err := unix.Poll(polled, timeout); err != nil {
		return ready
	}
	for i, f := range polled {
		switch {
		case f.Revents == 0:
		case i == 0:
			_, _ = readNow(p.r, make([]byte, 512))
		default:
			ready = append(ready, ids[i])
		}
	}
	return ready
}

// wake ends a wait from another goroutine.
func (p *poller) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		_, _ = unix.Write(p.w, []byte{0})
	}
}

func (p *poller) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		_ = unix.Close(p.r)
		_ = unix.Close(p.w)
	}
}
