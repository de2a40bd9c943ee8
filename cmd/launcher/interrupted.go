package main

import (
	"os"
	"syscall"

	"dyno/internal/early"
)

// What TERM and INT mean while the supervisor, which hears them, does not run:
// before it begins, after it has ended, and in the commands that need none.

// endOnSignal makes TERM and INT end a command that supervises nothing, as they
// would if package early had not taken them.
func endOnSignal() {
	go func() {
		for sig := range early.Urgent {
			if early.Ends(sig) {
				os.Exit(stoppedBy(sig.(syscall.Signal)).status())
			}
		}
	}()
}

// stoppedBy is the error of what a signal has interrupted.
type stoppedBy syscall.Signal

func (s stoppedBy) Error() string { return "stopped by a signal" }

// status is the exit status of a command that a signal has ended.
func (s stoppedBy) status() int { return 128 + int(s) }

// task is what runs on a goroutine of its own, for a file system may hang and a
// reader be slow.
type task[T any] struct {
	done  chan struct{}
	value T
	err   error
}

func begin[T any](f func() (T, error)) *task[T] {
	t := &task[T]{done: make(chan struct{})}
	go func() {
		defer close(t.done)
		t.value, t.err = f()
	}()
	return t
}

// unlessStopped waits for the end of the task, or for TERM or INT: then the error
// is a stoppedBy, and nobody may touch what the task has.
func (t *task[T]) unlessStopped() (T, error) {
	for {
		select {
		case <-t.done:
			return t.value, t.err
		case sig := <-early.Urgent:
			if early.Ends(sig) {
				var none T
				return none, stoppedBy(sig.(syscall.Signal))
			}
		}
	}
}
