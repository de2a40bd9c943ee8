package launcher

import (
	"time"

	"golang.org/x/sys/unix"
)

// attend lets the interactive child be stopped by Ctrl-Z: we stop with it, and
// come back with it. Where nobody could continue us, it is continued at once.
func (s *supervisor) attend(now time.Time) {
	p := s.attended()
	if p == nil || !s.Kernel.Paused(p.pid) || s.stopping != nil {
		return
	}
	_ = s.Kernel.Foreground(0)
	s.Kernel.Suspend()
	_ = s.Kernel.Foreground(p.pid)
	s.continueGroup(p, now)
}

// interactive tells whether p has, or had, the terminal.
func (s *supervisor) interactive(p *process) bool { return p.spec.Interactive && s.Terminal }

// attended is the process that has the terminal, or nil.
func (s *supervisor) attended() *process {
	if !s.Terminal {
		return nil
	}
	for _, p := range s.processes {
		if p.spec.Interactive && p.runs() {
			return p
		}
	}
	return nil
}

// continueGroup continues the child and what of its process group was stopped
// with it.
func (s *supervisor) continueGroup(p *process, now time.Time) {
	for _, k := range s.family(p, now) {
		if k.Group == p.pid {
			_ = s.Kernel.Signal(k.PID, unix.SIGCONT)
		}
	}
	_ = s.Kernel.Signal(p.pid, unix.SIGCONT)
}
