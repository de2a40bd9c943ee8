package launcher

import "golang.org/x/sys/unix"

// monotonic is CLOCK_MONOTONIC in microseconds, as MONOTONIC_USEC wants it.
func monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano() / 1000
}
