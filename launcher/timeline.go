package launcher

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// lifeline is what one process went through in a stop, for the time line that
// is printed at its end.
type lifeline struct {
	quieted, stopped, killed, gone time.Time
	quiet, stop                    unix.Signal
	exit                           string
}

// words are its part of the time line, in seconds since begin.
func (l lifeline) words(begin time.Time) string {
	var parts []string
	add := func(what string, at time.Time) {
		if !at.IsZero() && !at.Before(begin) {
			parts = append(parts, fmt.Sprintf("%s %.2fs", what, at.Sub(begin).Seconds()))
		}
	}
	add(SignalName(l.quiet), l.quieted)
	add(SignalName(l.stop), l.stopped)
	add("KILL", l.killed)
	if l.gone.IsZero() {
		return strings.Join(append(parts, "still there"), ", ")
	}
	add("gone", l.gone)
	return strings.Join(parts, ", ") + " (" + l.exit + ")"
}

// timeline says for every process that took part when it was quieted, stopped,
// gone or killed. Processes that fared alike share an entry.
func timeline(processes []*process, begin time.Time) string {
	var order []string
	names := make(map[string][]string)
	for _, p := range processes {
		if p.line.gone.Before(begin) && !p.runs() {
			continue
		}
		words := p.line.words(begin)
		if names[words] == nil {
			order = append(order, words)
		}
		name := p.name
		if p.old { // its slot has another of the same name
			name += " (old)"
		}
		names[words] = append(names[words], name)
	}
	entries := make([]string, 0, len(order))
	for _, words := range order {
		entries = append(entries, list(names[words])+" "+words)
	}
	return strings.Join(entries, "; ")
}

// list writes names with runs of the same type's slots drawn together:
// "web.1 worker.1-4".
func list(names []string) string {
	var out []string
	for i := 0; i < len(names); {
		typ, first, ok := splitName(names[i])
		j := i + 1
		for ok && j < len(names) && names[j] == typ+"."+strconv.Itoa(first+j-i) {
			j++
		}
		if j-i > 2 {
			out = append(out, fmt.Sprintf("%s-%d", names[i], first+j-i-1))
		} else {
			out = append(out, names[i:j]...)
		}
		i = j
	}
	return strings.Join(slices.Compact(out), " ")
}

func splitName(name string) (typ string, slot int, ok bool) {
	at := strings.LastIndexByte(name, '.')
	if at < 0 {
		return name, 0, false
	}
	slot, err := strconv.Atoi(name[at+1:])
	return name[:at], slot, err == nil
}
