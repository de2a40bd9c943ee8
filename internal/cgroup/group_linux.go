package cgroup

import (
	"iter"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
)

// group is one cgroup as we can see it: where its hierarchy is mounted, and its
// path below that. No mount: there is none.
type group struct{ mount, below string }

func (g group) dir() string { return path.Join(g.mount, g.below) }

// upwards are the directories of the cgroup and of those above it, as far as they
// are mounted: a limit set on any of them is one of ours.
func (g group) upwards() iter.Seq[string] {
	return func(yield func(string) bool) {
		if g.mount == "" {
			return
		}
		for below := path.Join("/", g.below); ; below = path.Dir(below) {
			if !yield(path.Join(g.mount, below)) || below == "/" {
				return
			}
		}
	}
}

// groups are our cgroups in the hierarchies that limit what we need.
type groups struct{ unified, cpu, memory group }

// ownGroups finds them by /proc/self/cgroup and the mounts, which may lie
// anywhere (cgroups(7), proc_pid_mountinfo(5)).
func ownGroups(root string) groups {
	var found groups
	paths := ownPaths(root)
	mounts, _ := os.ReadFile(path.Join(root, "proc/self/mountinfo"))
	for line := range strings.Lines(string(mounts)) {
		m, ok := parseMount(line)
		if !ok {
			continue
		}
		switch {
		case m.kind == "cgroup2":
			found.unified = m.group(root, paths[""])
		case m.kind == "cgroup" && slices.Contains(m.options, "cpu"):
			found.cpu = m.group(root, paths["cpu"])
		case m.kind == "cgroup" && slices.Contains(m.options, "memory"):
			found.memory = m.group(root, paths["memory"])
		}
	}
	return found
}

// ownPaths are our paths by controller; "" is the unified hierarchy of v2.
func ownPaths(root string) map[string]string {
	paths := make(map[string]string)
	text, _ := os.ReadFile(path.Join(root, "proc/self/cgroup"))
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(parts[1], ",") {
			paths[controller] = parts[2]
		}
	}
	return paths
}

// mount is one line of mountinfo.
type mount struct {
	root, point, kind string
	options           []string // of the file system: v1's controllers
}

func parseMount(line string) (mount, bool) {
	before, after, ok := strings.Cut(line, " - ")
	left, right := strings.Fields(before), strings.Fields(after)
	if !ok || len(left) < 5 || len(right) < 3 {
		return mount{}, false
	}
	return mount{
		root: unescape(left[3]), point: unescape(left[4]), kind: right[0],
		options: strings.Split(right[2], ","),
	}, true
}

// group is our cgroup below this mount. In a container the mount may show a part
// of the hierarchy only, or our path may lie outside what we see ("/.."): then
// the mount's own directory is the nearest that we can read.
func (m mount) group(root, own string) group {
	g := group{mount: path.Join(root, m.point)}
	below, inside := own, true
	if m.root != "/" {
		below, inside = strings.CutPrefix(own, m.root)
	}
	if !inside || strings.HasPrefix(own, "/..") || below != "" && below[0] != '/' {
		return g
	}
	if _, err := os.Stat(path.Join(g.mount, below)); err == nil {
		g.below = below
	}
	return g
}

// unescape resolves the \040 by which mountinfo writes a space and the like.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
