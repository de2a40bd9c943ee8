package launcher

import (
	"bytes"
	"slices"

	"dyno/internal/notify"

	"golang.org/x/sys/unix"
)

// Einhorn's acknowledgement comes by a connection, with one short line (FACTS 5).
// Those that say nothing cost no timer: the oldest goes when there are too many.
const (
	mostAcks    = 32
	longestAck  = 4096
	acksAtOnce  = 4096 // more than the queue of the socket holds
	mostParents = 64   // between a process that acknowledges and its slot's
)

// acks is the socket that EINHORN_SOCK_PATH names, and the connections to it.
type acks struct {
	path     string // "": not open
	listener int
	callers  []caller // whose line is not complete, the oldest first
}

// caller is a connection.
type caller struct {
	fd, pid int // pid connected, by SO_PEERCRED
	line    []byte
}

// ackPath is the path of the socket, which is opened for the first process that
// is handed sockets; "" where that cannot be.
func (s *System) ackPath(spec *Spec) string {
	if len(spec.Sockets) == 0 || s.acks.path != "" || s.config.Notify == nil {
		return s.acks.path
	}
	fd, path, err := s.config.Notify.Listen("einhorn")
	if err != nil {
		return ""
	}
	// Told once of each caller: one that cannot be accepted now (EMFILE) must not
	// wake us again and again.
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd)}
	if unix.EpollCtl(s.epoll, unix.EPOLL_CTL_ADD, fd, &event) != nil {
		unix.Close(fd)
		return ""
	}
	s.acks.listener, s.acks.path = fd, path
	return path
}

func (a *acks) close() {
	if a.path == "" {
		return
	}
	unix.Close(a.listener)
	for _, c := range a.callers {
		unix.Close(c.fd)
	}
	*a = acks{}
}

// acknowledged takes what came by fd. An acknowledgement counts as READY=1 from
// the slot's process that sent it, or that is above the one that did.
func (s *System) acknowledged(fd int) []Note {
	if s.acks.path != "" && fd == s.acks.listener {
		return s.acceptCallers()
	}
	at := slices.IndexFunc(s.acks.callers, func(c caller) bool { return c.fd == fd })
	if at < 0 {
		return nil
	}
	return s.hearCaller(at)
}

// acceptCallers accepts all that wait, and hears them: most have said their line
// by then, and some have ended.
func (s *System) acceptCallers() []Note {
	var notes []Note
	for range acksAtOnce {
		fd, _, err := unix.Accept4(s.acks.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err == unix.EINTR || err == unix.ECONNABORTED {
			continue
		}
		if err != nil {
			break
		}
		peer, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err != nil || s.watch(fd) != nil {
			unix.Close(fd)
			continue
		}
		if len(s.acks.callers) == mostAcks {
			s.hangUp(0)
		}
		s.acks.callers = append(s.acks.callers, caller{fd: fd, pid: int(peer.Pid)})
		notes = append(notes, s.hearCaller(len(s.acks.callers)-1)...)
	}
	return notes
}

// hearCaller reads what a caller says, and hangs up when that is all.
func (s *System) hearCaller(at int) []Note {
	c := &s.acks.callers[at]
	if c.read() {
		return nil
	}
	pid, line := c.pid, string(c.line)
	s.hangUp(at)
	if !notify.IsAck(line) {
		return nil
	}
	if p := s.slotOf(pid); p != 0 {
		return []Note{{PID: p, Text: "READY=1"}}
	}
	return nil
}

// hangUp closes the connection, which takes it out of the epoll set too. There
// is no answer, as einhorn gives none.
func (s *System) hangUp(at int) {
	unix.Close(s.acks.callers[at].fd)
	s.acks.callers = slices.Delete(s.acks.callers, at, at+1)
}

// read takes what is there; false when the line is complete, or never will be.
func (c *caller) read() (more bool) {
	var buf [longestAck]byte
	n, err := unix.Read(c.fd, buf[:])
	switch {
	case err == unix.EINTR || err == unix.EAGAIN:
		return true
	case err != nil || n <= 0:
		return false
	}
	c.line = append(c.line, buf[:n]...)
	if line, _, ended := bytes.Cut(c.line, []byte("\n")); ended {
		c.line = line
		return false
	}
	return len(c.line) < longestAck
}

// slotOf is the slot's process that pid is, or descends from; 0: it is no slot's.
func (s *System) slotOf(pid int) int {
	for range mostParents {
		if pid <= 1 {
			return 0
		}
		if s.children[pid] != nil {
			return pid
		}
		sight, err := s.Look(pid)
		if err != nil {
			return 0
		}
		pid = sight.Parent
	}
	return 0
}
