package launcher

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A window that is closed sends HUP twice: the shell does to its jobs, and the
// kernel when that has ended.
func TestAClosedWindowIsNoKill(t *testing.T) {
	h := inHouse(t, Config{Specs: specs("worker", 1), Terminal: true}, always(behaviour{work: 2 * time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(10 * time.Millisecond)
		h.deliver(unix.SIGHUP)
		<-h.done
	})
	wantHistory(t, h, "worker.1", "start, TERM, CONT, gone")
	wantStatus(t, h, 0)
}
