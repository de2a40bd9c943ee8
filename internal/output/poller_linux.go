//go:build linux && !outputpoll

package output

import (
	"errors"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// maxGrown is how many pipes of one copier are enlarged at a time.
	maxGrown = 8
	// grownSize is the size of an enlarged pipe; the usual is 64 KiB.
	grownSize = 256 << 10
)

func closeOnExecPipe(p *[2]int) error { return unix.Pipe2(p[:], unix.O_CLOEXEC) }

// enlarge makes a pipe hold more, where that is allowed.
func enlarge(fd int) { _, _ = unix.FcntlInt(uintptr(fd), unix.F_SETPIPE_SZ, grownSize) }

// readNow reads without waiting. The descriptor does not block, so the
// scheduler need not be told, which halves the price of a small read.
func readNow(fd int, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return -1, errno
		}
	}
}

// poller waits for sources and for wake, in epoll(7).
type poller struct {
	mu     sync.Mutex // guards wake against close
	closed bool
	epoll  int
	event  int // eventfd(2) of wake; its id is 0
	events [128]unix.EpollEvent
}

func newPoller() (*poller, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	ev, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, errors.Join(err, unix.Close(ep))
	}
	p := &poller{epoll: ep, event: ev}
	if err := p.add(ev, 0); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// add waits for a descriptor to become readable, told as id.
func (p *poller) add(fd int, id uint64) error {
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd,
		&unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(id), Pad: int32(id >> 32)})
}

// remove has to come before the descriptor is closed: a process that is between
// fork and exec has the open file too and would keep it in the epoll set.
func (p *poller) remove(fd int, _ uint64) {
	_ = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, fd, nil)
}

// wait appends the ids of what is readable to ready; with block it waits until
// there is something, or wake is called.
func (p *poller) wait(ready []uint64, block bool) []uint64 {
	n, err := p.epollWait(block)
	if err != nil {
		return ready
	}
	for _, e := range p.events[:n] {
		if id := uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32; id != 0 {
			ready = append(ready, id)
			continue
		}
		var count [8]byte
		_, _ = readNow(p.event, count[:])
	}
	return ready
}

func (p *poller) epollWait(block bool) (int, error) {
	if block {
		return unix.EpollWait(p.epoll, p.events[:], -1)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// wake ends a wait from another goroutine.
func (p *poller) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		_, _ = unix.Write(p.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // any number but all ones
	}
}

func (p *poller) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		_ = unix.Close(p.event)
		_ = unix.Close(p.epoll)
	}
}
