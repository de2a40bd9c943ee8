package early

import (
	"os"
	"syscall"
	"unsafe"
)

// rare are the signals that All installs. 32 and 33 belong to the C library
// (signal(7)), and the Go runtime leaves 34 to musl's (golang/go#39343): RTMIN
// itself cannot be handled, and ends a Go program.
func rare() []os.Signal {
	signals := []os.Signal{
		syscall.SIGVTALRM, syscall.SIGXCPU, syscall.SIGXFSZ, syscall.SIGIO, syscall.SIGPWR,
	}
	for sig := syscall.Signal(35); sig <= 64; sig++ {
		signals = append(signals, sig)
	}
	return signals
}

// ClearMask empties the signal mask of the calling thread, the main one. A child
// gets the mask of the thread that starts it, and we may have been started with
// signals blocked (P44: catatonit leaves TSTP, TTIN and TTOU so).
func ClearMask() {
	const setMask = 2 // SIG_SETMASK of sigprocmask(2)
	var none uint64
	// It cannot fail with these arguments.
	_, _, _ = syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, setMask, uintptr(unsafe.Pointer(&none)), 0, unsafe.Sizeof(none), 0, 0)
}
