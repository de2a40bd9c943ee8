package launcher

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"dyno/procfile"
)

// The real-time signals as the C library counts them: it keeps 32 and 33 for
// itself (signal(7)). Only Linux has them.
const (
	firstRealTime = unix.Signal(34)
	lastRealTime  = unix.Signal(64)
)

// SignalName is a signal's name without SIG: "TERM", "RTMIN+3"; its number where
// it has none.
func SignalName(sig unix.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return strings.TrimPrefix(name, "SIG")
	}
	switch {
	case runtime.GOOS != "linux" || sig < firstRealTime || sig > lastRealTime:
		return strconv.Itoa(int(sig))
	case sig == firstRealTime:
		return "RTMIN"
	}
	return "RTMIN+" + strconv.Itoa(int(sig-firstRealTime))
}

// ParseSignal reads a signal as kill(1) does: "TERM", "term", "SIGTERM", "15",
// "RTMIN+3", "RTMAX-1". The error for anything else, 0 included, names the
// nearest signal where one is near.
func ParseSignal(word string) (unix.Signal, error) {
	name := strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(word)), "SIG")
	if n, err := strconv.Atoi(name); err == nil {
		if n < 1 || n > int(lastSignal()) {
			return 0, fmt.Errorf("no signal has the number %s: 1 to %d do", word, lastSignal())
		}
		return unix.Signal(n), nil
	}
	switch name {
	case "CLD":
		return unix.SIGCHLD, nil
	case "IOT":
		return unix.SIGABRT, nil
	case "POLL":
		return unix.SIGIO, nil
	}
	if sig := unix.SignalNum("SIG" + name); sig != 0 {
		return sig, nil
	}
	if sig, ok := realTime(name); ok {
		return sig, nil
	}
	if near := procfile.Suggest(name, signalNames()); near != "" {
		return 0, fmt.Errorf("unknown signal %q: did you mean %s?", word, near)
	}
	return 0, fmt.Errorf("unknown signal %q", word)
}

// lastSignal is the highest number a signal has here.
func lastSignal() unix.Signal {
	if runtime.GOOS == "linux" {
		return lastRealTime
	}
	return 31
}

// realTime reads RTMIN, RTMIN+n, RTMAX and RTMAX-n.
func realTime(name string) (unix.Signal, bool) {
	if runtime.GOOS != "linux" {
		return 0, false
	}
	base, rest, sign := firstRealTime, "", "+"
	switch {
	case strings.HasPrefix(name, "RTMIN"):
		rest = strings.TrimPrefix(name, "RTMIN")
	case strings.HasPrefix(name, "RTMAX"):
		base, rest, sign = lastRealTime, strings.TrimPrefix(name, "RTMAX"), "-"
	default:
		return 0, false
	}
	if rest == "" {
		return base, true
	}
	n, err := strconv.ParseUint(rest[1:], 10, 8)
	if err != nil || rest[:1] != sign || n > uint64(lastRealTime-firstRealTime) {
		return 0, false
	}
	if sign == "-" {
		return base - unix.Signal(n), true
	}
	return base + unix.Signal(n), true
}

// signalNames are the names of all signals that have one, for a suggestion.
func signalNames() []string {
	var names []string
	for sig := unix.Signal(1); sig < 32; sig++ {
		if name := unix.SignalName(sig); name != "" {
			names = append(names, strings.TrimPrefix(name, "SIG"))
		}
	}
	return names
}
