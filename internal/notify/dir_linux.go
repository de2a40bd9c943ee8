package notify

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-multierror"
	"golang.org/x/sys/unix"
)

const (
	dirPrefix = "launcher-"
	// longestPath is what sun_path of unix(7) holds, less the final NUL.
	longestPath = 107
	// roomForName is left for a socket's name where a place is chosen.
	roomForName = 24
)

// Dir is the private directory of one launcher's sockets. They are files, never
// abstract: Ruby's sd_notify takes the "@" of an abstract name for a file's. It
// is locked as long as its launcher lives, which is how a later one finds what
// dead ones have left.
//
// A Dir and its Sockets belong to one goroutine.
type Dir struct {
	path string
	lock int
	root bool // others have to reach the sockets
	live map[*Socket]bool
	made map[string]bool // paths of sockets that were bound here
}

// Open makes the directory in the first place that works: $XDG_RUNTIME_DIR, /run,
// /tmp, $TMPDIR, /dev/shm, those in memory first. As root, where workers may drop
// their privileges, it can be entered by all and $XDG_RUNTIME_DIR, which cannot,
// comes last. What launchers that were killed have left there is removed. The
// error names every place and what is wrong with it.
func Open() (*Dir, error) {
	root := os.Geteuid() == 0
	private := os.Getenv("XDG_RUNTIME_DIR")
	places := []string{private, "/run", "/tmp", os.Getenv("TMPDIR"), "/dev/shm"}
	if root {
		places = append(places[1:], private)
	}
	return openIn(inMemoryFirst(places), root)
}

// inMemoryFirst puts the places on tmpfs before the others: a socket's file costs
// a disk's journal several times as much, at each start and at the end of all.
// In a container /run is often on a disk, and /dev/shm never is.
func inMemoryFirst(places []string) []string {
	onDisk := func(place string) int {
		var fs unix.Statfs_t
		if unix.Statfs(place, &fs) == nil && fs.Type == unix.TMPFS_MAGIC {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(places, func(a, b string) int { return onDisk(a) - onDisk(b) })
	return places
}

func openIn(places []string, root bool) (*Dir, error) {
	var all *multierror.Error
	tried := map[string]bool{"": true}
	for _, place := range places {
		if tried[place] {
			continue
		}
		tried[place] = true
		d, err := makeIn(place, root)
		if err == nil {
			removeStale(place)
			return d, nil
		}
		all = multierror.Append(all, err)
	}
	if all == nil {
		return nil, errors.New("no place for notify sockets")
	}
	return nil, fmt.Errorf("no place for notify sockets: %w", all)
}

// makeIn makes and locks a directory in place, and proves that a socket can be
// bound in it, which some file systems refuse.
func makeIn(place string, root bool) (*Dir, error) {
	if !filepath.IsAbs(place) {
		return nil, fmt.Errorf("%s: not an absolute path", place)
	}
	for range 100 {
		name := dirPrefix + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatUint(uint64(rand.Uint32()), 36)
		d := &Dir{path: filepath.Join(place, name), root: root, live: make(map[*Socket]bool), made: make(map[string]bool)}
		if len(d.path)+roomForName > longestPath {
			return nil, fmt.Errorf("%s: too long for the path of a socket", place)
		}
		err := os.Mkdir(d.path, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if d.lock, err = lockDir(d.path); errors.Is(err, errTaken) {
			continue // a launcher that starts at the same time took it for a dead one's
		}
		if err == nil {
			err = d.prepare()
		}
		if err != nil {
			_ = os.RemoveAll(d.path)
			return nil, err
		}
		return d, nil
	}
	return nil, fmt.Errorf("%s: every name is taken", place)
}

// prepare sets the mode, whatever our umask is, and tries a socket.
func (d *Dir) prepare() error {
	mode := os.FileMode(0o700)
	if d.root {
		mode = 0o711
	}
	err := os.Chmod(d.path, mode)
	if err == nil {
		var s *Socket
		if s, err = d.Socket("try"); err == nil {
			s.Close()
			_ = unix.Unlink(s.path)
			return nil
		}
	}
	_ = unix.Close(d.lock)
	return err
}

var errTaken = errors.New("locked or removed by another launcher")

// lockDir opens and locks a directory; errTaken where another holds the lock, or
// has removed the directory before we had it.
func lockDir(path string) (fd int, err error) {
	fd, err = unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return -1, errTaken
	}
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	for {
		if err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	var opened, named unix.Stat_t
	switch {
	case errors.Is(err, unix.EWOULDBLOCK):
		err = errTaken
	case err != nil:
		err = &os.PathError{Op: "flock", Path: path, Err: err}
	case unix.Fstat(fd, &opened) != nil || unix.Lstat(path, &named) != nil || opened.Ino != named.Ino || opened.Dev != named.Dev:
		err = errTaken
	default:
		return fd, nil
	}
	_ = unix.Close(fd)
	return -1, err
}

// removeStale removes the directories of launchers of ours that were killed:
// those that are not locked. What cannot be removed stays; it does no harm.
func removeStale(place string) {
	found, err := filepath.Glob(filepath.Join(place, dirPrefix+"[0-9]*-*"))
	if err != nil {
		return
	}
	for _, path := range found {
		var st unix.Stat_t
		if !isOurName(filepath.Base(path)) || unix.Lstat(path, &st) != nil || int(st.Uid) != os.Geteuid() {
			continue
		}
		if fd, err := lockDir(path); err == nil {
			_ = os.RemoveAll(path)
			_ = unix.Close(fd)
		}
	}
}

// isOurName tells launcher-PID-random from the names of others.
func isOurName(name string) bool {
	pid, random, ok := strings.Cut(strings.TrimPrefix(name, dirPrefix), "-")
	_, err := strconv.Atoi(pid)
	_, err2 := strconv.ParseUint(random, 36, 32)
	return ok && err == nil && err2 == nil
}

// Close closes all sockets and removes the directory. It is the last that a stop
// waits for: the files' names are known, and need no directory to be read.
func (d *Dir) Close() {
	for s := range d.live {
		s.Close()
	}
	for path := range d.made {
		_ = unix.Unlink(path)
	}
	if err := unix.Rmdir(d.path); err != nil {
		_ = os.RemoveAll(d.path) // somebody else put something there
	}
	if d.lock >= 0 {
		_ = unix.Close(d.lock)
		d.lock = -1
	}
}
