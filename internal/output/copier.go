package output

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// outBuffer and errBuffer are the read buffers of the two copiers, made when
	// the first byte comes: a line that waits for its end, and a chunk. Large
	// chunks are what makes the copy fast (a third less time than with 32 KiB);
	// on Stderr that is not needed.
	outBuffer = maxLine + 128<<10
	errBuffer = maxLine + 32<<10
	// outSize is up to where lines are gathered for one write: what a pipe takes.
	outSize = 64 << 10
	// keepSize is the largest empty buffer that a source keeps for its next
	// unfinished line.
	keepSize = 512
	// readsInARow is how often one source is read before others get their turn.
	readsInARow = 16
	// smallRead is a read after which a source is taken for drained without
	// asking again.
	smallRead = 2 << 10
)

// copier reads the sources of one sink and writes their lines to it, all in one
// goroutine with one buffer.
type copier struct {
	mode   Mode
	sink   *sink
	own    *queue // the launcher's own lines, nil for Stdout
	inSize int
	poll   *poller
	done   chan struct{} // closed when the goroutine has ended

	mu       sync.Mutex
	running  bool
	sources  map[uint64]*source
	last     uint64    // the source added last
	ended    []*source // whose processes were reaped since the last turn
	closing  bool
	until    time.Time // with closing: when to stop at the latest
	given    bool      // with closing: Close has returned without the copier
	finished bool
	lost     int64 // with finished: unread bytes

	// Of the goroutine alone.
	in, out []byte
	stamp   []byte // the time of the last read, in JSON mode
	grown   int    // pipes enlarged

	read atomic.Int64 // bytes of processes, from first to last
}

// source is a pipe or a pseudo-terminal that is read.
type source struct {
	id           uint64
	fd           int
	copier       *copier
	head, object []byte
	pty          bool

	gone    bool   // closed; under the copier's mutex
	carried int    // bytes of carry; under the copier's mutex
	carry   []byte // an unfinished line
	ended   bool   // complete the line when drained
	grown   bool
}

func newCopier(mode Mode, s *sink, own *queue, inSize int) (*copier, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	return &copier{
		mode: mode, sink: s, own: own, inSize: inSize, poll: poll,
		done: make(chan struct{}), sources: map[uint64]*source{},
	}, nil
}

// begin starts the goroutine when there is something for it to wait for.
func (c *copier) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beginLocked()
}

func (c *copier) beginLocked() {
	if !c.running && !c.closing {
		c.running = true
		go c.run()
	}
}

// add begins to read a source; where that fails its descriptor is closed.
func (c *copier) add(s *source) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if c.closing {
		err = closedError()
	} else {
		c.last++
		s.id, s.copier = c.last, c
		err = c.poll.add(s.fd, s.id)
	}
	if err != nil {
		_ = unix.Close(s.fd)
		return err
	}
	c.sources[s.id] = s
	c.beginLocked()
	return nil
}

// end has the unfinished line of a source completed once it is drained.
func (c *copier) end(s *source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.gone || c.closing {
		return
	}
	c.ended = append(c.ended, s)
	if len(c.ended) == 1 {
		c.poll.wake()
	}
}

// run copies until Close.
func (c *copier) run() {
	defer close(c.done)
	var ready []uint64
	for {
		ended, closing, until := c.wishes()
		ready = c.poll.wait(ready[:0], !closing && len(ended) == 0)
		for _, s := range ended {
			s.ended = true
			c.copy(s)
		}
		for _, id := range ready {
			c.copy(c.source(id))
		}
		c.flush(0)
		c.writeOwn()
		if closing && (len(ready) == 0 || !time.Now().Before(until)) {
			c.finish()
			return
		}
	}
}

// wishes returns what was asked of the copier since the last turn.
func (c *copier) wishes() (ended []*source, closing bool, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ended, c.ended = c.ended, nil
	return ended, c.closing, c.until
}

func (c *copier) source(id uint64) *source {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sources[id]
}

// copy passes on what a source has. It reads again at once while there is more:
// going back to the poller for each chunk costs more than the chunk.
func (c *copier) copy(s *source) {
	if s == nil || s.gone {
		return
	}
	if c.in == nil {
		c.in = make([]byte, c.inSize)
		c.out = make([]byte, 0, outSize)
	}
	kept := copy(c.in, s.carry)
	for range readsInARow {
		n, err := readNow(s.fd, c.in[kept:])
		if errors.Is(err, unix.EAGAIN) {
			if s.ended {
				c.complete(s, kept)
				kept, s.ended = 0, false
			}
			break
		}
		if n <= 0 || err != nil { // a pseudo-terminal ends with EIO
			c.complete(s, kept)
			c.remove(s)
			return
		}
		c.read.Add(int64(n))
		c.grow(s, n)
		kept = c.lines(s, c.in[:kept+n])
		if n < smallRead && !s.ended && !s.pty {
			break
		}
	}
	c.keep(s, kept)
	if s.ended {
		c.end(s) // its turn was over before it was drained
	}
}

// grow enlarges the pipe of a source that fills it, so that its process can
// write on while we do; a few at most, as an unprivileged user has a limited
// number of pages for pipes (pipe(7)).
func (c *copier) grow(s *source, n int) {
	if n < outSize || s.grown || c.grown == maxGrown {
		return
	}
	s.grown = true
	c.grown++
	enlarge(s.fd)
}

// lines passes on the whole lines of data, which lies at the beginning of the
// read buffer, moves the rest there and returns its length.
func (c *copier) lines(s *source, data []byte) int {
	switch c.mode {
	case Raw:
		c.room(len(data), 0)
		c.out = append(c.out, data...)
		return 0
	case JSON:
		c.stamp = time.Now().UTC().AppendFormat(c.stamp[:0], timeLayout)
	case Prefix:
		data = c.prefixed(s.head, data)
	}
	for {
		i := bytes.IndexByte(data[:min(len(data), maxLine+1)], '\n')
		switch {
		case i >= 0:
			c.line(s, data[:i], len(data), false)
			data = data[i+1:]
		case len(data) > maxLine:
			i = pieceEnd(data)
			c.line(s, data[:i], len(data), true)
			data = data[i:]
		default:
			return copy(c.in, data)
		}
	}
}

// prefixed passes on whole lines up to one that has no end or is too long, and
// returns what is left. All that there is to do for a line is done here.
func (c *copier) prefixed(head, data []byte) []byte {
	for {
		i := bytes.IndexByte(data, '\n')
		if i < 0 || i > maxLine {
			return data
		}
		if len(c.out)+len(head)+i+1 > outSize {
			c.flush(len(data))
		}
		out := append(c.out, head...)
		c.out = append(out, data[:i+1]...)
		data = data[i+1:]
	}
}

// line appends one line, or a piece of one. rest is how much was read and not
// yet appended.
func (c *copier) line(s *source, line []byte, rest int, partial bool) {
	c.room(len(s.head)+len(line)+1, rest)
	if c.mode == JSON {
		c.out = appendJSON(c.out, s, c.stamp, line, partial)
		return
	}
	c.out = append(c.out, s.head...)
	c.out = append(c.out, line...)
	c.out = append(c.out, '\n')
}

// complete passes on an unfinished line, of which the read buffer has n bytes.
func (c *copier) complete(s *source, n int) {
	if n > 0 {
		c.lines(s, append(c.in[:n], '\n'))
	}
}

// room writes what is gathered where n bytes more are too many for one write.
func (c *copier) room(n, rest int) {
	if len(c.out)+n > outSize {
		c.flush(rest)
	}
}

// flush writes what is gathered.
func (c *copier) flush(rest int) {
	c.sink.write(c.out, rest)
	c.out = c.out[:0]
	if cap(c.out) > 2*outSize {
		c.out = make([]byte, 0, outSize) // one long line must not cost for ever
	}
}

// keep stores the unfinished line of a source, of which the read buffer has n
// bytes.
func (c *copier) keep(s *source, n int) {
	switch {
	case n == 0 && cap(s.carry) > keepSize:
		s.carry = nil
	default:
		s.carry = append(s.carry[:0], c.in[:n]...)
	}
	if n != s.carried {
		c.mu.Lock()
		s.carried = n
		c.mu.Unlock()
	}
}

// remove ends the reading of a source.
func (c *copier) remove(s *source) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.removeLocked(s)
}

func (c *copier) removeLocked(s *source) {
	if s.grown {
		c.grown--
	}
	s.gone, s.carry, s.carried = true, nil, 0
	delete(c.sources, s.id)
	c.poll.remove(s.fd, s.id)
	_ = unix.Close(s.fd)
}

// writeOwn writes the launcher's own lines.
func (c *copier) writeOwn() {
	if c.own == nil {
		return
	}
	if b := c.own.take(); len(b) > 0 {
		c.sink.write(b, 0)
		c.own.wrote()
	}
}
