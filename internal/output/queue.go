package output

import (
	"bytes"
	"strconv"
	"sync"
)

// queueLimit is how many bytes of the launcher's own lines are kept for a
// Stderr that is stuck, those in a write under way included.
const queueLimit = 256 << 10

// What became of a line put into the queue.
const (
	queueMore   = iota // it waits with others, or was dropped
	queueFirst         // it is the only one: the copier is to be woken
	queueClosed        // nobody takes lines any more
)

// queue keeps the launcher's own lines until the copier of Stderr takes them.
type queue struct {
	notice func(text string) []byte

	mu      sync.Mutex
	lines   []byte
	writing int   // bytes taken and not yet written
	dropped int64 // lines dropped and not yet told
	closed  bool
}

// put adds a line, or drops and counts it where there is no room.
func (q *queue) put(line []byte) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return queueClosed
	}
	if len(q.lines)+q.writing+len(line)+1 > queueLimit {
		q.dropped += int64(max(1, bytes.Count(line, []byte{'\n'})))
		return queueMore
	}
	first := len(q.lines) == 0
	q.lines = append(q.lines, line...)
	if n := len(q.lines); n == 0 || q.lines[n-1] != '\n' || len(line) == 0 {
		q.lines = append(q.lines, '\n')
	}
	if first {
		return queueFirst
	}
	return queueMore
}

// take returns what waits, with the number of dropped lines told at its end.
// The lines count as kept until wrote is called.
func (q *queue) take() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	lines := q.lines
	if q.dropped > 0 {
		n := strconv.FormatInt(q.dropped, 10)
		lines = append(lines, completed(q.notice("stderr was stuck: "+n+" lines of the launcher's own dropped"))...)
		q.dropped = 0
	}
	q.lines = nil
	q.writing = len(lines)
	return lines
}

// wrote says that what was taken is written or given up.
func (q *queue) wrote() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing = 0
}

// close lets no more lines in and returns how many bytes wait and are not being
// written.
func (q *queue) close() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	return int64(len(q.lines))
}
