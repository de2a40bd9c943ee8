package listenpid

import (
	"syscall"
	"unsafe"
)

const (
	mostSignal = 64
	setSize    = mostSignal / 8
	setMask    = 2 // SIG_SETMASK of sigprocmask(2)
)

func duplicate(from, to int) error { return syscall.Dup3(from, to, 0) }

// defaultSignals gives every signal its default action, and then lets those
// through that are blocked. Package initialisation runs on the main thread.
func defaultSignals() {
	var none [4]uint64 // struct sigaction of the kernel: SIG_DFL, and nothing else
	for sig := uintptr(1); sig <= mostSignal; sig++ {
		// KILL and STOP are refused.
		_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&none)), 0, setSize, 0, 0)
	}
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&none)), 0, setSize, 0, 0)
}
