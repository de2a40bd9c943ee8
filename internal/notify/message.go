// Package notify speaks systemd's protocol in both directions. Each of our children
// has a NOTIFY_SOCKET of its own, so that what one says is never taken for
// another's, and nothing of it reaches the service manager above, which we tell
// ourselves (FACTS 3).
package notify

import (
	"os"
	"strconv"
	"strings"
	"time"
)

// Message is what one datagram of sd_notify(3) says.
type Message struct {
	Ready     bool // READY=1
	Reloading bool // RELOADING=1
	Stopping  bool // STOPPING=1

	Status    string // STATUS=
	HasStatus bool   // STATUS= was there; empty it clears the last

	Watchdog bool          // WATCHDOG=1: it is alive
	Trigger  bool          // WATCHDOG=trigger: it says that it has failed
	Every    time.Duration // WATCHDOG_USEC=: a new interval; 0: none given
	Extend   time.Duration // EXTEND_TIMEOUT_USEC=; 0: none given

	MainPID int // MAINPID=; 0: none given
}

// Parse reads lines of NAME=VALUE. What is not known or cannot be read is left
// out, as the protocol asks.
func Parse(text string) Message {
	var m Message
	for line := range strings.SplitSeq(text, "\n") {
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		switch name {
		case "READY":
			m.Ready = m.Ready || value == "1"
		case "RELOADING":
			m.Reloading = m.Reloading || value == "1"
		case "STOPPING":
			m.Stopping = m.Stopping || value == "1"
		case "STATUS":
			m.Status, m.HasStatus = value, true
		case "WATCHDOG":
			m.Watchdog = m.Watchdog || value == "1"
			m.Trigger = m.Trigger || value == "trigger"
		case "WATCHDOG_USEC":
			m.Every = microseconds(value)
		case "EXTEND_TIMEOUT_USEC":
			m.Extend = microseconds(value)
		case "MAINPID":
			if pid, err := strconv.ParseInt(value, 10, 32); err == nil && pid > 1 {
				m.MainPID = int(pid)
			}
		}
	}
	return m
}

// microseconds is 0 for what is no number or would overflow.
func microseconds(value string) time.Duration {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 0 || n > int64(1<<63-1)/int64(time.Microsecond) {
		return 0
	}
	return time.Duration(n) * time.Microsecond
}

// WatchdogEvery is half of WATCHDOG_USEC, which sd_watchdog_enabled(3)
// recommends, where WATCHDOG_PID means this very process; 0: no watchdog.
func WatchdogEvery(usec, pid string) time.Duration {
	if pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	return microseconds(usec) / 2
}
