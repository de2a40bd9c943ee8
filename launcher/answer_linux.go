package launcher

import "golang.org/x/sys/unix"

// answer is the output of a probe's command. It is read as it comes, so that the
// command is never held up, and all but its end is dropped.
type answer struct {
	reader, writer int // -1: closed
	tail           []byte
}

const (
	answerATurn = 64 << 10 // is read of one at a time
	answerTail  = 512      // is kept
)

// mute gives c's output to us instead of to the log.
func (s *System) mute(c *child) error {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	c.answer = &answer{reader: ends[0], writer: ends[1]}
	err := unix.SetNonblock(ends[0], true) // our end alone
	if err == nil {
		err = s.watch(ends[0])
	}
	if err != nil {
		s.unmute(c)
		return err
	}
	s.sockets[int32(ends[0])] = c
	return nil
}

// output is the descriptor for the command's own 1 and 2.
func (a *answer) output() int { return a.writer }

// started gives up what only the command is to hold.
func (a *answer) started() {
	unix.Close(a.writer)
	a.writer = -1
}

// hearAnswer reads what has come; at its end it stops listening.
func (s *System) hearAnswer(c *child) {
	a := c.answer
	var buf [4096]byte
	for read := 0; read < answerATurn; {
		n, err := unix.Read(a.reader, buf[:])
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return
		case err != nil || n == 0:
			s.closeAnswer(c)
			return
		}
		read += n
		a.tail = append(a.tail, buf[:n]...)
		if len(a.tail) > answerTail {
			a.tail = append(a.tail[:0], a.tail[len(a.tail)-answerTail:]...)
		}
	}
}

func (s *System) closeAnswer(c *child) {
	if c.answer.reader < 0 {
		return
	}
	_ = unix.EpollCtl(s.epoll, unix.EPOLL_CTL_DEL, c.answer.reader, nil)
	delete(s.sockets, int32(c.answer.reader))
	unix.Close(c.answer.reader)
	c.answer.reader = -1
}

// unmute takes the last that the command said, and closes all.
func (s *System) unmute(c *child) []string {
	if c.answer.reader >= 0 {
		s.hearAnswer(c)
	}
	s.closeAnswer(c)
	if c.answer.writer >= 0 {
		c.answer.started()
	}
	return lastLine(c.answer.tail)
}
