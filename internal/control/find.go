package control

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Which says what launcher a client is for.
type Which struct {
	Socket string // exactly this one; "": look for it
	PID    int    // the one with this pid; 0: the only one
}

// Find finds a running launcher: the one of Which, or the only one of this
// user. The error says what there is instead.
func Find(w Which) (*Client, error) {
	if w.Socket != "" {
		return connect(w.Socket)
	}
	found := List()
	var pids []string
	for _, c := range found {
		if w.PID != 0 && c.PID == w.PID {
			return c, nil
		}
		pids = append(pids, fmt.Sprintf("%d (%s)", c.PID, c.Place))
	}
	there := strings.Join(pids, ", ")
	switch {
	case w.PID != 0 && len(found) == 0:
		return nil, fmt.Errorf("process %d has no control socket here, and no other launcher of this user has", w.PID)
	case w.PID != 0:
		return nil, fmt.Errorf("process %d has no control socket here; launchers that have: %s", w.PID, there)
	case len(found) == 0:
		return nil, errors.New("no launcher with a control socket runs here; if it has one elsewhere, name it with --socket")
	case len(found) > 1:
		return nil, fmt.Errorf("%d launchers run here; choose one with --pid or --socket: %s", len(found), there)
	}
	return found[0], nil
}

// List are the launchers that serve in the usual places, by pid.
func List() []*Client {
	var found []*Client
	for _, place := range places() {
		c, err := connect(place)
		if err == nil && (c.PID != 0 || place[0] != '@') { // abstract, and no pid: another container's
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b *Client) int { return a.PID - b.PID })
	return slices.CompactFunc(found, func(a, b *Client) bool { return a.PID == b.PID && a.PID != 0 })
}

// connect sees whether a launcher that we may trust listens there.
func connect(place string) (*Client, error) {
	conn, err := net.DialTimeout("unix", place, dialTimeout)
	if err != nil {
		return nil, noLauncher(place, err)
	}
	defer conn.Close()
	uid, pid, err := peer(conn.(*net.UnixConn))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	if us := os.Geteuid(); uid != us && uid != 0 && us != 0 {
		return nil, fmt.Errorf("%s is served by user %d, not by us", place, uid)
	}
	if pid == 0 {
		pid, _ = strconv.Atoi(strings.TrimSuffix(filepath.Base(place), extension))
		if place[0] == '@' {
			pid = 0
		}
	}
	return &Client{Place: place, PID: pid}, nil
}

func noLauncher(place string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOENT):
		return fmt.Errorf("no launcher serves %s: there is no such socket", place)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("no launcher serves %s: it has ended", place)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s is another user's", place)
	}
	return fmt.Errorf("no launcher serves %s: %w", place, err)
}

// places are the sockets that may be launchers of ours; for root, of anybody.
func places() []string {
	uid := os.Geteuid()
	dirs := directories(uid)
	if uid == 0 {
		for _, pattern := range []string{"/run/user/*/launcher", "/tmp/launcher-*"} {
			more, _ := filepath.Glob(pattern)
			dirs = append(dirs, more...)
		}
	}
	slices.Sort(dirs)
	var found []string
	for _, dir := range slices.Compact(dirs) {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), extension) && e.Type()&os.ModeSocket != 0 {
				found = append(found, filepath.Join(dir, e.Name()))
			}
		}
	}
	return append(found, abstractPlaces(uid)...)
}

// abstractPlaces reads them from /proc/net/unix, whose last column is the name.
func abstractPlaces(uid int) []string {
	f, err := os.Open("/proc/net/unix")
	if err != nil {
		return nil
	}
	defer f.Close()
	prefix := fmt.Sprintf("@launcher-%d-", uid)
	if uid == 0 {
		prefix = "@launcher-"
	}
	var found []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if name := fields[len(fields)-1]; strings.HasPrefix(name, prefix) && !slices.Contains(found, name) {
			found = append(found, name)
		}
	}
	return found
}
