package launcher

import "golang.org/x/sys/unix"

// idleInput is a pipe into which nothing is ever written: standard input that
// stays open and gives nothing, so that watchers which end at EOF go on.
type idleInput struct{ reader, writer int }

func (i *idleInput) open() error {
	var ends [2]int
	if err := pipe(ends[:]); err != nil {
		return err
	}
	i.reader, i.writer = ends[0], ends[1]
	return nil
}

func (i *idleInput) close() {
	unix.Close(i.reader)
	unix.Close(i.writer)
}

// stdin is the descriptor for a process's standard input: our own, or one that
// gives nothing. opened: the caller closes it after the fork.
func (s *System) stdin(spec *Spec) (fd int, opened bool, err error) {
	if spec.InheritStdin || spec.Interactive {
		return 0, false, nil
	}
	return s.idle.again()
}
