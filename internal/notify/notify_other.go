//go:build !linux

package notify

import "errors"

// Dir is the directory of notify sockets, which only Linux has.
type Dir struct{}

// Socket is one process's NOTIFY_SOCKET, which only Linux has.
type Socket struct{}

var errNotLinux = errors.New("notify sockets are for Linux only")

// Open always fails here.
func Open() (*Dir, error) { return nil, errNotLinux }

// Socket always fails here.
func (*Dir) Socket(string) (*Socket, error) { return nil, errNotLinux }

// Close does nothing.
func (*Dir) Close() {}

// Path is empty.
func (*Socket) Path() string { return "" }

// FD is no descriptor.
func (*Socket) FD() int { return -1 }

// Read brings nothing.
func (*Socket) Read([]byte) (text string, sender int, ok bool) { return "", 0, false }

// Close does nothing.
func (*Socket) Close() {}

// Manager is the service manager above, which only Linux has.
type Manager struct{}

// Above finds none.
func Above(string) *Manager { return nil }

// Tell does nothing.
func (*Manager) Tell(string) {}
