package launcher

import (
	"runtime"
	"sync"
)

// sparePerProcess is how many threads beyond one per GOMAXPROCS may be wanted at
// a time: the main thread, the one that reads signals, and system calls that
// block (a log pipe that is full, a disk).
const sparePerProcess = 3

// spareThreads has the runtime start n threads, which it keeps for ever: where
// pids run out later, a thread that cannot be made ends a Go program
// ("runtime: failed to create new OS thread"), and we must outlive a fork bomb
// among the children. Goroutines that are locked at the same moment need a
// thread each; unlocked before they end, they leave it to the runtime.
func spareThreads(n int) {
	var locked sync.WaitGroup
	locked.Add(n)
	for range n {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			locked.Done()
			locked.Wait()
		}()
	}
	locked.Wait()
}
