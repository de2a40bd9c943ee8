package launcher

import (
	"fmt"
	"time"
)

// memoryEvery is how often memory is looked at where a setting asks for it.
const memoryEvery = 5 * time.Second

// MemoryGuard watches the whole container's memory.
type MemoryGuard struct {
	// Used is what counts against the limit and cannot be given back: anon,
	// shared and kernel memory, never the page cache (P53). ok false: not known,
	// or no limit.
	Used func() (used, limit int64, ok bool)
	// Share of the limit, of (0, 1], from which the largest process is replaced.
	Share float64
}

// weighDue looks at memory every 5 s, and replaces the largest process that is
// over its limit, or the largest of all where the container is near its own:
// one at a time over all types, and none before the last one's replacement is
// ready. One that does not obey goes down the ladder of every stop.
func (s *supervisor) weighDue(now time.Time) {
	if now.Before(s.weighAt) || s.weighAt.IsZero() {
		return
	}
	s.weighAt = now.Add(memoryEvery)
	largest, over := s.weigh(now)
	if !s.mayReplace() {
		return
	}
	if s.Guard.Used != nil && largest != nil {
		if used, limit, ok := s.Guard.Used(); ok && float64(used) >= s.Guard.Share*float64(limit) {
			s.replace(largest, now, fmt.Sprintf("the container has used %s of its %s of memory, and this is the largest process, with %s",
				megabytes(used), megabytes(limit), megabytes(largest.memory)))
			return
		}
	}
	if over != nil {
		s.replace(over, now, fmt.Sprintf("its memory, %s, is over its limit of %s", megabytes(over.memory), megabytes(over.spec.MaxMemory)))
	}
}

// weigh reads the memory of every working process, and finds the largest, and
// the largest of those over their limit.
func (s *supervisor) weigh(now time.Time) (largest, over *process) {
	for _, p := range s.processes {
		if !p.working() {
			continue
		}
		p.memory = 0
		for _, k := range s.family(p, now) {
			if n, err := s.Kernel.Memory(k.PID); err == nil {
				p.memory += n
			}
		}
		if largest == nil || p.memory > largest.memory {
			largest = p
		}
		if p.spec.MaxMemory > 0 && p.memory > p.spec.MaxMemory && (over == nil || p.memory > over.memory) {
			over = p
		}
	}
	return largest, over
}

// weighs tells whether any setting asks for memory to be looked at.
func (s *supervisor) weighs() bool {
	if s.Guard.Used != nil {
		return true
	}
	for _, p := range s.processes {
		if p.spec.MaxMemory > 0 {
			return true
		}
	}
	return false
}

// megabytes are what sizes are given in.
func megabytes(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
