//go:build !linux

package listenpid

// defaultSignals does nothing: exec gives what was handled its default action,
// and nothing was blocked here.
func defaultSignals() {}
