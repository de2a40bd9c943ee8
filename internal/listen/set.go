package listen

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Socket is an open one.
type Socket struct {
	FD   int
	Name string // for LISTEN_FDNAMES
	Addr string // as Address.String writes it; "" where that is not known
}

// Set are the sockets that the launcher has opened. Each stays open, so that no
// restart refuses a connection, until Release or Close. A generation may still be
// read, and open some, while the launcher ends: hence the lock.
type Set struct {
	lock  sync.Mutex
	open  map[Address]Socket
	made  map[Address]file // of unix sockets
	named map[Address]bool // since Begin
	fresh []Address        // opened since Begin
	over  bool
	trial bool
}

// NewSet is an empty one.
func NewSet() *Set {
	return &Set{open: map[Address]Socket{}, made: map[Address]file{}}
}

// NewTrial is one that opens nothing: Open tells whether the socket could be opened
// now, as far as that can be told without opening it.
func NewTrial() *Set {
	s := NewSet()
	s.trial = true
	return s
}

// Trial tells whether this one opens nothing.
func (s *Set) Trial() bool { return s.trial }

// Begin begins a generation: see Abort and Unnamed.
func (s *Set) Begin() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.named, s.fresh = map[Address]bool{}, nil
}

// Open opens a, or gives the socket that is open there already. After Release it
// is ECANCELED. On a trial the socket, in any case, has no descriptor.
func (s *Set) Open(a Address) (Socket, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	one, ok := s.open[a]
	switch {
	case s.trial:
		return Socket{FD: -1, Name: a.Name(), Addr: a.String()}, try(a)
	case s.over:
		return Socket{}, unix.ECANCELED
	case !ok:
		fd, made, err := open(a)
		if err != nil {
			return Socket{}, err
		}
		one = Socket{FD: fd, Name: a.Name(), Addr: a.String()}
		s.open[a], s.made[a] = one, made
		s.fresh = append(s.fresh, a)
	}
	s.named[a] = true
	return one, nil
}

// Abort closes what was opened since Begin: the generation is not to be.
func (s *Set) Abort() {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, a := range s.fresh {
		s.forget(a)
	}
	s.fresh = nil
}

func (s *Set) forget(a Address) {
	s.made[a].remove()
	delete(s.made, a)
	if one, ok := s.open[a]; ok {
		_ = unix.Close(one.FD)
		delete(s.open, a)
	}
}

// Unnamed are the addresses, sorted, that are open and that the generation has
// not asked for.
func (s *Set) Unnamed() []string {
	s.lock.Lock()
	defer s.lock.Unlock()
	var rest []string
	for a := range s.open {
		if !s.named[a] {
			rest = append(rest, a.String())
		}
	}
	slices.Sort(rest)
	return rest
}

// Release closes our own ends, when nothing is started any more: from the moment
// at which the last process closes its own, connections are refused, and do not
// wait for somebody who never comes. The files of unix sockets stay.
func (s *Set) Release() {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.over = true
	for a, one := range s.open {
		_ = unix.Close(one.FD)
		delete(s.open, a)
	}
}

// Close ends everything: it is Release, and removes the files of unix sockets.
func (s *Set) Close() {
	s.Release()
	s.lock.Lock()
	defer s.lock.Unlock()
	for a := range s.made {
		s.forget(a)
	}
}
