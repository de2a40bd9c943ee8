package launcher

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// shell runs scripts that name no interpreter, and is what execvp(3) takes.
const shell = "/bin/sh"

// defaultPath is where execvp(3) of glibc looks when there is no PATH.
const defaultPath = "/bin:/usr/bin"

// lookPath finds the file to execute for name as execvp(3) does: one with a
// slash is taken as it is; else the directories of env's PATH are tried, an
// empty one being the working directory dir. EACCES where one was there but not
// executable, else ENOENT. A relative result is relative to dir.
func lookPath(name string, env []string, dir string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	path := defaultPath
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, "PATH="); ok {
			path = value
			break
		}
	}
	found := error(unix.ENOENT)
	for _, place := range strings.Split(path, ":") {
		if place == "" {
			place = "."
		}
		candidate := place + "/" + name
		switch err := executable(within(dir, candidate)); err {
		case nil:
			return candidate, nil
		case unix.EACCES:
			found = err
		}
	}
	if found == unix.EACCES {
		return "", fmt.Errorf("%s: found in PATH, but not executable: %w", name, found)
	}
	return "", fmt.Errorf("%s: not found in PATH: %w", name, found)
}

// executable tells why the file cannot be executed; a directory cannot.
func executable(path string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return unix.EACCES
	}
	return nil
}

// within is path as the process sees it that starts in dir.
func within(dir, path string) string {
	if dir == "" || filepath.IsAbs(path) {
		return path
	}
	return dir + "/" + path
}

// isScript tells whether a file that the kernel cannot execute may be one for
// the shell: no ELF, and no NUL in its first line. What was built for another
// machine would only bring a syntax error from the shell.
func isScript(path string) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return true // executable, not readable: sh will say so
	}
	defer unix.Close(fd)
	var head [256]byte
	n, err := unix.Read(fd, head[:])
	if err != nil || n < 0 {
		return true
	}
	first, _, _ := bytes.Cut(head[:n], []byte("\n"))
	return !bytes.HasPrefix(first, []byte("\x7fELF")) && bytes.IndexByte(first, 0) < 0
}

// NoDirError says that what cannot be entered is the working directory.
type NoDirError struct {
	Dir string
	Err error
}

func (e *NoDirError) Error() string { return fmt.Sprintf("working directory %s: %v", e.Dir, e.Err) }
func (e *NoDirError) Unwrap() error { return e.Err }

// blameDir names the working directory where that is what is missing: the
// kernel gives one ENOENT for both.
func blameDir(dir string, err error) error {
	if dir == "" || !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.ENOTDIR) {
		return err
	}
	// With "/." appended the check fails for what is no directory, too.
	if why := unix.Faccessat(unix.AT_FDCWD, dir+"/.", unix.X_OK, unix.AT_EACCESS); why != nil {
		return &NoDirError{dir, why}
	}
	return err
}

// blameInterpreter says so where the file is there and ENOENT means what its
// first line, or its ELF header, asks for.
func blameInterpreter(path string, err error) error {
	if errors.Is(err, unix.ENOENT) && unix.Access(path, unix.F_OK) == nil {
		return fmt.Errorf("the interpreter or loader it asks for is missing: %w", err)
	}
	return err
}
