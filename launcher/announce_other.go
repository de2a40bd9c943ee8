//go:build !linux

package launcher

// monotonic has no reader where there is no systemd.
func monotonic() int64 { return 0 }
