package launcher

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"syscall"

	"dyno/internal/early/listenpid"

	"golang.org/x/sys/unix"
)

// Start starts a process. Whatever it opened is closed again where that fails.
// Errors wrap the system's: ENOENT and EACCES name the file or, told apart, the
// working directory; EAGAIN, ENOMEM, EMFILE, ETXTBSY and others are passed on.
func (s *System) Start(spec *Spec) (int, error) {
	if len(spec.Argv) == 0 || spec.Argv[0] == "" {
		return 0, fmt.Errorf("no command: %w", unix.ENOENT)
	}
	path, err := lookPath(spec.Argv[0], spec.Env, spec.Dir)
	if err != nil {
		return 0, blameDir(spec.Dir, err)
	}
	c, err := s.prepare(spec)
	if err != nil {
		return 0, err
	}
	pid, err := s.fork(path, spec, c)
	if err != nil {
		s.undo(c)
		return 0, err
	}
	s.forget()
	c.pid = pid
	s.children[pid] = c
	if c.stream != nil {
		c.stream.Started()
	}
	if c.answer != nil {
		c.answer.started()
	}
	return pid, nil
}

// prepare opens what the process needs beyond its stdin.
func (s *System) prepare(spec *Spec) (*child, error) {
	c := &child{}
	if spec.Mute {
		return c, s.mute(c)
	}
	if err := s.listen(c, spec.Name()); err != nil && (exhausted(err) || spec.notifies()) {
		return nil, fmt.Errorf("notify socket: %w", err)
	} // Else it starts without: a full /tmp must not keep workers down.
	if s.config.Output == nil {
		return c, nil
	}
	stream, err := s.config.Output.Open(spec.Name())
	if err != nil {
		s.undo(c)
		return nil, err
	}
	c.stream = stream
	return c, nil
}

// errNoNotify is why what is asked by notify cannot be started.
var errNoNotify = errors.New("there is no NOTIFY_SOCKET here, which a probe by notify needs")

// listen gives c a notify socket that no living process of ours has: the one
// before may still be there, draining.
func (s *System) listen(c *child, name string) error {
	if s.config.Notify == nil {
		return errNoNotify
	}
	c.name = name
	for n := 2; s.names[c.name]; n++ {
		c.name = name + "-" + strconv.Itoa(n)
	}
	socket, err := s.config.Notify.Socket(c.name)
	if err != nil {
		return err
	}
	c.socket = socket
	if err := s.hear(c); err != nil {
		c.socket.Close()
		c.socket = nil
		return err
	}
	s.names[c.name] = true
	return nil
}

// undo closes what prepare opened for a process that did not start.
func (s *System) undo(c *child) {
	if c.stream != nil {
		c.stream.Abandon()
		c.stream = nil
	}
	s.release(c)
}

// fork forks and executes, once more through the shell where the file is a
// script with no interpreter of its own, as execvp(3) does.
func (s *System) fork(path string, spec *Spec, c *child) (int, error) {
	stdin, opened, err := s.stdin(spec)
	if err != nil {
		return 0, fmt.Errorf("standard input: %w", err)
	}
	if opened {
		defer unix.Close(stdin)
	}
	told := handOver(spec, unix.Getpid(), s.ackPath(spec), s.config.Step != "")
	attr := &syscall.ProcAttr{
		Dir:   spec.Dir,
		Env:   environment(spec, c, told.env),
		Files: s.files(spec, c, stdin),
		Sys:   s.attributes(spec),
	}
	if c.step = told.step; c.step {
		return s.forkStep(path, spec, attr)
	}
	argv := spec.Argv
	pid, err := syscall.ForkExec(path, argv, attr)
	if errors.Is(err, unix.ENOEXEC) && isScript(within(spec.Dir, path)) {
		argv = append([]string{shell, path}, argv[1:]...)
		pid, err = syscall.ForkExec(shell, argv, attr)
	}
	if err == nil {
		return pid, nil
	}
	if attr.Sys.Foreground { // it may have been handed over before exec failed
		_ = s.Foreground(0)
	}
	return 0, blameDir(spec.Dir, blameInterpreter(within(spec.Dir, path), fmt.Errorf("%s: %w", argv[0], err)))
}

// forkStep is fork by way of the step, which sets LISTEN_PID. It starts with
// every signal blocked, and so looks like nobody who hears one, and with a standard
// error that cannot be written to (package listenpid).
func (s *System) forkStep(path string, spec *Spec, attr *syscall.ProcAttr) (pid int, err error) {
	runBy, err := steppable(path, spec.Dir)
	if err != nil {
		return 0, blameDir(spec.Dir, fmt.Errorf("%s: %w", spec.Argv[0], err))
	}
	argv := listenpid.Argv(path, runBy, len(attr.Files), spec.Argv)
	attr.Files = append(slices.Clone(attr.Files), attr.Files[2])
	attr.Files[2] = uintptr(s.idle.reader)
	err = blockingAll(func() error {
		pid, err = syscall.ForkExec(s.config.Step, argv, attr)
		return err
	})
	if err == nil {
		return pid, nil
	}
	if attr.Sys.Foreground {
		_ = s.Foreground(0)
	}
	if scarce(err) { // no fault of the step's
		return 0, fmt.Errorf("%s: %w", spec.Argv[0], err)
	}
	return 0, blameDir(spec.Dir, fmt.Errorf("%s, which sets LISTEN_PID: %w", s.config.Step, err))
}

// environment is the spec's with the child's own NOTIFY_SOCKET, and with what
// tells of its sockets; or with the mark of a probe's command.
func environment(spec *Spec, c *child, sockets []string) []string {
	if spec.Mute {
		return append(slices.Clip(spec.Env), withinProbe)
	}
	if c.socket == nil && len(sockets) == 0 {
		return spec.Env
	}
	env := make([]string, 0, len(spec.Env)+1+len(sockets))
	env = append(append(env, spec.Env...), sockets...)
	if c.socket != nil {
		env = append(env, "NOTIFY_SOCKET="+c.socket.Path())
	}
	return env
}

// files are the descriptors of the new process by their numbers there.
func (s *System) files(spec *Spec, c *child, stdin int) []uintptr {
	stdout, stderr := 1, 2
	if c.stream != nil {
		stdout, stderr = c.stream.Child()
	}
	if c.answer != nil {
		stdout, stderr = c.answer.output(), c.answer.output()
	}
	files := spec.descriptors([]uintptr{uintptr(stdin), uintptr(stdout), uintptr(stderr)})
	if !spec.InheritFiles {
		return files
	}
	const closed = ^uintptr(0)
	for _, fd := range s.inherited {
		if fd < firstSocket+len(spec.Sockets) {
			continue // a socket has its number
		}
		for len(files) < fd {
			files = append(files, closed)
		}
		files = append(files, uintptr(fd))
	}
	return files
}

// attributes puts the process in a session of its own (P37), or on our terminal
// in a group of its own, and lets it end with us.
func (s *System) attributes(spec *Spec) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if spec.Interactive && hasTerminal() {
		attr = &syscall.SysProcAttr{Setpgid: true, Foreground: s.mayHandOver(), Ctty: terminal}
	}
	if !s.config.PID1 {
		sig := spec.StopSignal
		if sig <= 0 {
			sig = spec.Server.Stop
		}
		if sig <= 0 {
			sig = unix.SIGTERM
		}
		endWithUs(attr, sig)
	}
	return attr
}

// notifies tells whether its probes need what it says by sd_notify(3).
func (s *Spec) notifies() bool { return s.Ready.notifies() || s.Live.notifies() }

// exhausted tells a want of descriptors or memory, which a later try may find.
func exhausted(err error) bool {
	for _, errno := range []error{unix.EMFILE, unix.ENFILE, unix.ENOMEM, unix.ENOBUFS, unix.EAGAIN} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}
