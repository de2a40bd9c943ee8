//go:build unix && !linux

package launcher

import (
	"errors"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// platform is what is missing elsewhere: no epoll, no /proc, no PDEATHSIG, no
// notify sockets, and no way to look at a zombie and leave it.
type platform struct {
	bell  chan struct{}
	ended []ended // reaped by Peek or Paused, not yet by Reap
}

type ended struct {
	pid    int
	status unix.WaitStatus
}

func (s *System) open() error {
	s.bell = make(chan struct{}, 1)
	return nil
}

func (s *System) close() {}

func (s *System) ring() { s.bell <- struct{}{} }

func (s *System) hear(*child) error { return errors.ErrUnsupported }

func (s *System) deafen(*child) {}

func (s *System) forget() {}

// Wait blocks until signals came, Wake was called, or until has come.
func (s *System) Wait(until time.Time) Heard {
	var deadline <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		deadline = timer.C
	}
	select {
	case <-s.bell:
		s.rung.Store(false)
	case <-deadline:
	}
	return Heard{Signals: s.take()}
}

// Peek names a child that ended. There is no waitid(2) to be used: it is reaped
// already, and its pid its own no more.
func (s *System) Peek() (int, error) {
	if len(s.ended) > 0 {
		return s.ended[0].pid, nil
	}
	pid, status, err := wait(-1, unix.WNOHANG)
	if err != nil || pid == 0 {
		return 0, err
	}
	s.ended = append(s.ended, ended{pid, status})
	return pid, nil
}

// Paused tells whether pid stopped since last asked.
func (s *System) Paused(pid int) bool {
	if pid <= 1 {
		return false
	}
	got, status, err := wait(pid, unix.WNOHANG|unix.WUNTRACED)
	if err != nil || got != pid {
		return false
	}
	if !status.Stopped() {
		s.ended = append(s.ended, ended{pid, status})
	}
	return status.Stopped()
}

func wait(pid, options int) (int, unix.WaitStatus, error) {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(pid, &status, options, nil)
		if err != unix.EINTR {
			return got, status, err
		}
	}
}

// collect gives back what Peek reaped, or reaps pid.
func (s *System) collect(pid int) (unix.WaitStatus, error) {
	for i, e := range s.ended {
		if e.pid == pid {
			s.ended = slices.Delete(s.ended, i, i+1)
			return e.status, nil
		}
	}
	got, status, err := wait(pid, unix.WNOHANG)
	if err == nil && got == 0 {
		return 0, unix.EAGAIN
	}
	return status, err
}

// Look needs /proc.
func (s *System) Look(int) (Sight, error) { return Sight{}, errors.ErrUnsupported }

// Title needs /proc.
func (s *System) Title(int) ([]string, error) { return nil, errors.ErrUnsupported }

// Memory cannot be read here.
func (s *System) Memory(int) (int64, error) { return 0, errors.ErrUnsupported }

// Origin cannot be read here.
func (s *System) Origin(int) string { return "" }

// Children needs /proc.
func (s *System) Children(int, int) ([]int, error) { return nil, errors.ErrUnsupported }

// Awaits needs signalfd(2): there is none.
func (s *System) Awaits(int, unix.Signal) bool { return false }

func endWithUs(*syscall.SysProcAttr, unix.Signal) {}

// blocking needs a thread's mask, which cannot be had without cgo: TTOU, where
// it is caught, is sent once more for every call.
func blocking(_ unix.Signal, do func() error) error { return do() }

// blockingAll cannot block anything here, as blocking cannot.
func blockingAll(do func() error) error { return do() }

// ackPath is empty: worker:ack is taken on Linux only.
func (s *System) ackPath(*Spec) string { return "" }

func pipe(ends []int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(ends); err != nil {
		return err
	}
	unix.CloseOnExec(ends[0])
	unix.CloseOnExec(ends[1])
	return nil
}

// again shares the one pipe: it cannot be opened by name.
func (i *idleInput) again() (fd int, opened bool, err error) { return i.reader, false, nil }

func openFiles() []int { return probeFiles() }
