package launcher

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// terminal is the descriptor by which we have our controlling terminal, if any.
const terminal = 0

// hasTerminal tells whether standard input is our controlling terminal.
func hasTerminal() bool {
	_, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
	return err == nil
}

// mayHandOver tells whether the terminal's foreground is ours to give: we have
// it, or what descends from us, or the group that had it is gone. It is not where
// a shell has it: we were put into the background, and to take it away, which an
// orphaned group can do with TTOU blocked, would break the shell (P48).
func (s *System) mayHandOver() bool {
	group, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
	switch {
	case err != nil:
		return false
	case group == unix.Getpgrp(): // 0 for both, where we are in a pid namespace and the session is not
		return true
	case group <= 1:
		return false
	}
	return s.children[group] != nil || unix.Kill(-group, 0) == unix.ESRCH || s.isBelow(group)
}

// isBelow tells whether pid descends from us, as a job of an interactive shell
// does. Without /proc that is not known: false.
func (s *System) isBelow(pid int) bool {
	for pid > 1 {
		sight, err := s.Look(pid)
		if err != nil {
			return false
		}
		if sight.Parent == unix.Getpid() {
			return true
		}
		pid = sight.Parent
	}
	return false
}

// Foreground makes pid's group the terminal's foreground one; 0: our own. EPERM
// where a shell has it, or there is no terminal.
func (s *System) Foreground(pid int) error {
	if pid < 0 || pid == 1 {
		return unix.EINVAL
	}
	if !s.mayHandOver() {
		return unix.EPERM
	}
	group := pid
	if pid == 0 {
		group = unix.Getpgrp()
	}
	// From the background the kernel would send TTOU, again and again where
	// that is caught (P48), but not to a thread that has it blocked.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return blocking(unix.SIGTTOU, func() error {
		return unix.IoctlSetPointerInt(terminal, unix.TIOCSPGRP, group)
	})
}

// Suspend stops our whole process group, as Ctrl-Z does, and returns when it is
// continued. With STOP, not TSTP: that is caught, and to put its default action
// back would lose those that others send meanwhile.
func (s *System) Suspend() bool {
	if s.config.PID1 || s.orphaned() {
		return false
	}
	return unix.Kill(0, unix.SIGSTOP) == nil
}

// orphaned tells whether nobody would continue our group: no parent of one of
// it is in our session and another group (setpgid(2)). From ourselves it goes
// up through the parents of the same group, as in make, sh, launcher.
func (s *System) orphaned() bool {
	group := unix.Getpgrp()
	session, err := unix.Getsid(0)
	if err != nil {
		return true
	}
	parent := unix.Getppid()
	for parent > 0 {
		theirs, err := unix.Getpgid(parent)
		if err != nil {
			return true
		}
		if theirs != group {
			of, err := unix.Getsid(parent)
			return err != nil || of != session
		}
		sight, err := s.Look(parent)
		if err != nil {
			return true
		}
		parent = sight.Parent
	}
	return true
}
