//go:build !linux

package listenpid

import "syscall"

func duplicate(from, to int) error { return syscall.Dup2(from, to) }

// defaultSignals does nothing: exec gives what was handled its default action,
// and nothing was blocked here.
func defaultSignals() {}
