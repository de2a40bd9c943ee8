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
// it, or the group that had it from us is gone.
func mayHandOver() bool {
	group, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
	if err != nil || group <= 1 && unix.Getpgrp() != group {
		return false
	}
	return group == unix.Getpgrp() || unix.Kill(-group, 0) == unix.ESRCH
}

// withShell tells whether the shell that started us has the terminal: we were
// put into the background, and to take it away would break the shell.
func withShell() bool {
	group, err := unix.IoctlGetInt(terminal, unix.TIOCGPGRP)
	parent := unix.Getppid()
	if err != nil || parent <= 0 || group == unix.Getpgrp() {
		return false
	}
	theirs, err := unix.Getpgid(parent)
	return err == nil && theirs == group
}

// Foreground makes pid's group the terminal's foreground one; 0: our own. EPERM
// where the shell has it, ENOTTY where there is no terminal.
func (s *System) Foreground(pid int) error {
	if pid < 0 || pid == 1 {
		return unix.EINVAL
	}
	if withShell() {
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
