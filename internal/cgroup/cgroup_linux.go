// Package cgroup reads what this container may use, and whether the OOM killer
// has struck in it: cgroup v2, v1, and a mix of both.
package cgroup

import (
	"math"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Limits are the cores and the bytes of memory that we may use. Cores are the
// least of the CPU quota of our cgroup and of those above it, and of the CPUs
// that our affinity allows: 0.5 is half a core. Memory 0: no limit. What cannot
// be read counts as no limit.
func Limits() (cores float64, memory int64) {
	return limitsUnder("/", affinity())
}

// OOMKills counts the processes of our cgroup, and of those below it, that the
// OOM killer has ended since the cgroup was made: oom_kill of memory.events, or
// of v1's memory.oom_control. ok is false where neither can be read.
func OOMKills() (n int, ok bool) {
	return oomKillsUnder("/")
}

// Used is how much of its memory limit the tightest cgroup of ours has used, by
// what cannot be given back: anon, shared and kernel memory of memory.stat, or
// v1's rss and shmem; never the page cache (P53). ok is false where there is no
// limit, or nothing can be read.
func Used() (used, limit int64, ok bool) { return usedUnder("/") }

// OOMGroup tells whether the OOM killer, once our memory limit is reached, ends
// the whole cgroup and us with it instead of one process: memory.oom.group of
// cgroup v2, which Kubernetes sets from 1.28 on.
func OOMGroup() bool { return oomGroupUnder("/") }

// oomGroupUnder looks from our cgroup up to the first limit: there the kernel
// begins, too (mem_cgroup_get_oom_group).
func oomGroupUnder(root string) bool {
	together := false
	for dir := range ownGroups(root).unified.upwards() {
		group := words(dir, "memory.oom.group")
		together = together || len(group) == 1 && group[0] == "1"
		if bytes(words(dir, "memory.max")) < math.MaxInt64 {
			return together
		}
	}
	return false
}

func usedUnder(root string) (used, limit int64, ok bool) {
	limit = math.MaxInt64
	groups := ownGroups(root)
	var tightest string
	legacy := false // v1
	for dir := range groups.unified.upwards() {
		if n := bytes(words(dir, "memory.max")); n < limit {
			limit, tightest = n, dir
		}
	}
	for dir := range groups.memory.upwards() {
		if n := bytes(words(dir, "memory.limit_in_bytes")); n < limit {
			limit, tightest, legacy = n, dir, true
		}
	}
	if tightest == "" {
		return 0, 0, false
	}
	counted := []string{"anon", "shmem", "kernel"}
	if legacy {
		counted = []string{"total_rss", "total_shmem"}
	}
	stat := numbers(tightest, "memory.stat")
	for _, name := range counted {
		n, told := stat[name]
		used += n
		ok = ok || told
	}
	return used, limit, ok
}

// affinity counts the CPUs of sched_getaffinity(2).
func affinity() float64 {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil || set.Count() == 0 {
		return float64(runtime.NumCPU())
	}
	return float64(set.Count())
}

// limitsUnder is Limits with everything below root.
func limitsUnder(root string, cpus float64) (cores float64, memory int64) {
	cores, memory = cpus, math.MaxInt64
	groups := ownGroups(root)
	for dir := range groups.unified.upwards() {
		cores = min(cores, quota(words(dir, "cpu.max")))
		memory = min(memory, bytes(words(dir, "memory.max")))
	}
	for dir := range groups.cpu.upwards() {
		limit, period := words(dir, "cpu.cfs_quota_us"), words(dir, "cpu.cfs_period_us")
		cores = min(cores, quota(append(limit, period...)))
	}
	for dir := range groups.memory.upwards() {
		memory = min(memory, bytes(words(dir, "memory.limit_in_bytes")))
	}
	if memory == math.MaxInt64 {
		memory = 0
	}
	return cores, memory
}

// oomKillsUnder is OOMKills with everything below root.
func oomKillsUnder(root string) (n int, ok bool) {
	groups := ownGroups(root)
	for _, file := range []struct {
		of   group
		name string
	}{{groups.unified, "memory.events"}, {groups.memory, "memory.oom_control"}} {
		if file.of.mount == "" {
			continue
		}
		if n, told := numbers(file.of.dir(), file.name)["oom_kill"]; told {
			return int(n), true
		}
	}
	return 0, false
}

// quota is the cores of "200000 100000"; without end for "max 100000" and v1's -1.
func quota(fields []string) float64 {
	if len(fields) < 2 {
		return math.Inf(1)
	}
	limit, err := strconv.ParseFloat(fields[0], 64)
	period, err2 := strconv.ParseFloat(fields[1], 64)
	if err != nil || err2 != nil || !(limit > 0 && period > 0) {
		return math.Inf(1)
	}
	return limit / period
}

// noLimit is where v1 starts to mean none: it writes the largest number of pages
// there can be.
const noLimit = 1 << 60

// bytes is a limit of memory; the largest there is for "max" and v1's none.
func bytes(fields []string) int64 {
	if len(fields) == 0 {
		return math.MaxInt64
	}
	n, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || n <= 0 || n >= noLimit {
		return math.MaxInt64
	}
	return n
}

// numbers reads a file of names and numbers.
func numbers(dir, name string) map[string]int64 {
	all := map[string]int64{}
	fields := words(dir, name)
	for i := 0; i+1 < len(fields); i += 2 {
		if n, err := strconv.ParseInt(fields[i+1], 10, 64); err == nil {
			all[fields[i]] = n
		}
	}
	return all
}

// words reads a small file; nil where it cannot.
func words(dir, name string) []string {
	text, err := os.ReadFile(path.Join(dir, name))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text))
}
