//go:build !linux

package main

import "runtime/debug"

// releaseMemory gives back the free heap that only the start needed.
func releaseMemory() { debug.FreeOSMemory() }
