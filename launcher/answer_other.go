//go:build !linux

package launcher

import "golang.org/x/sys/unix"

// answer is the output of a probe's command, which is dropped here.
type answer struct{ null int }

func (s *System) mute(c *child) error {
	fd, err := unix.Open("/dev/null", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	c.answer = &answer{null: fd}
	return nil
}

func (a *answer) output() int { return a.null }

func (a *answer) started() {
	unix.Close(a.null)
	a.null = -1
}

func (s *System) unmute(c *child) []string {
	if c.answer.null >= 0 {
		c.answer.started()
	}
	return lastLine(nil)
}
