//go:build !linux

// Package cgroup reads what this container may use; there are containers on
// Linux only.
package cgroup

import "runtime"

// Limits are all cores, and no limit of memory.
func Limits() (cores float64, memory int64) { return float64(runtime.NumCPU()), 0 }

// OOMKills cannot be told here.
func OOMKills() (n int, ok bool) { return 0, false }

// Used is not known here.
func Used() (used, limit int64, ok bool) { return 0, 0, false }

// OOMGroup is not known here.
func OOMGroup() bool { return false }
