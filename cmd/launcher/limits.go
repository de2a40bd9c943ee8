package main

import (
	"dyno/internal/cgroup"
	"dyno/procfile"
)

// capacity is what this container may use: its cores by quota and affinity, its
// memory by the limit of its cgroup.
func capacity() procfile.Capacity {
	cores, memory := cgroup.Limits()
	return procfile.Capacity{Cores: cores, Memory: memory}
}
