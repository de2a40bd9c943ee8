package output

import (
	"time"

	"golang.org/x/sys/unix"
)

// close has the copier finish and waits for it up to the given moment. It
// returns how many bytes were lost.
func (c *copier) close(until time.Time) int64 {
	c.mu.Lock()
	first := !c.closing
	c.closing, c.until = true, until
	running := c.running
	if first && !running {
		c.finishLocked()
	} else if !c.finished {
		c.poll.wake()
	}
	c.mu.Unlock()
	if running {
		t := time.NewTimer(time.Until(until))
		defer t.Stop()
		select {
		case <-c.done:
		case <-t.C:
		}
	}
	return c.giveUp()
}

// giveUp counts what is lost: by a copier that has ended, or by one that is
// stuck in a write and ends when that does.
func (c *copier) giveUp() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.given = true
	lost := c.sink.lost.Load()
	if c.finished {
		return lost + c.lost
	}
	if c.own != nil {
		lost += c.own.close()
	}
	return lost + c.sink.pending.Load() + c.unreadLocked()
}

// unreadLocked counts what sources still hold.
func (c *copier) unreadLocked() (n int64) {
	for _, s := range c.sources {
		n += int64(s.carried)
		if unread, err := unix.IoctlGetInt(s.fd, ioctlUnread); err == nil {
			n += int64(unread)
		}
	}
	return n
}

// finish completes unfinished lines, writes all that is left and closes what
// the copier has open.
func (c *copier) finish() {
	if !c.givenUp() {
		for _, s := range c.all() {
			n := copy(c.in, s.carry)
			c.complete(s, n)
			c.keep(s, 0)
		}
		c.flush(0)
		c.writeOwn()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finishLocked()
}

func (c *copier) finishLocked() {
	c.lost = c.unreadLocked()
	for _, s := range c.sources {
		c.removeLocked(s)
	}
	if c.own != nil {
		c.lost += c.own.close()
	}
	c.finished = true
	c.poll.close()
}

func (c *copier) givenUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.given
}

// all returns the sources that are left.
func (c *copier) all() []*source {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*source, 0, len(c.sources))
	for _, s := range c.sources {
		all = append(all, s)
	}
	return all
}
