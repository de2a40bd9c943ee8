package launcher

import (
	"fmt"
	"strings"
	"time"
)

// ProbeKind is how a probe asks.
type ProbeKind int

// The kinds of DESIGN 1.
const (
	ProbeHTTP   ProbeKind = iota + 1 // GET: 200 to 399 is success, redirects are not followed
	ProbeTCP                         // connect
	ProbeExec                        // a command that ends with 0
	ProbeNotify                      // READY=1; as live probe WATCHDOG=1, see Probe.Timeout
	ProbeUp                          // ready when up for Probe.Up; no live probe
)

// The kubelet's defaults (kubernetes.io, "Configure Probes"), and the watchdog's own.
const (
	DefaultPeriod   = 10 * time.Second
	DefaultTimeout  = time.Second
	DefaultFailures = 3
	DefaultWatchdog = 30 * time.Second
)

// Probe asks one process whether it is ready, or alive, as the kubelet does
// (DESIGN 6). It is a value: the same for as long as its Spec lives.
type Probe struct {
	Kind ProbeKind
	// Target is a URL (HTTP), HOST:PORT (TCP) or the command as it was written (Exec).
	Target string
	Argv   []string // Exec: what is run, in the process's directory
	Env    []string // Exec: its whole environment; nil: the process's own

	Period    time.Duration // from one question to the next
	Timeout   time.Duration // of one question; Notify: within which WATCHDOG=1 has to come again
	Delay     time.Duration // from the start to the first question
	Failures  int           // in a row, until it counts as failing
	Successes int           // in a row, until it counts as well again; of a live probe always 1

	Up time.Duration // Up: for how long
}

const (
	// withinProbe is in the environment of a probe's command, and so of what that
	// leaves behind: it is no process of the slot, however it is called by PS.
	withinProbe = "WITHIN_PROBE=1"
	// fromProbe is what Origin says of such a one. No slot has that name.
	fromProbe = "a probe"
)

// String names the question in logs: "GET http://127.0.0.1:5000/up".
func (p *Probe) String() string {
	switch p.Kind {
	case ProbeHTTP:
		return "GET " + p.Target
	case ProbeTCP:
		return "tcp://" + p.Target
	case ProbeExec:
		return "exec:" + p.Target
	case ProbeNotify:
		return "notify"
	}
	return "up:" + p.Up.String()
}

// asks tells whether the probe is a question that somebody has to put: the
// others wait for what the process says, or for time to pass.
func (p *Probe) asks() bool {
	return p != nil && (p.Kind == ProbeHTTP || p.Kind == ProbeTCP || p.Kind == ProbeExec)
}

// dials tells whether the question goes over the network.
func (p *Probe) dials() bool { return p.asks() && p.Kind != ProbeExec }

// notifies tells whether the probe is what the process says by sd_notify(3).
func (p *Probe) notifies() bool { return p != nil && p.Kind == ProbeNotify }

// asking is how far one probe of one process is. It is forgotten with the process.
type asking struct {
	probe *Probe    // nil: there is none
	at    time.Time // when to ask next; a watchdog: when it is overdue; zero: never

	number uint64    // of the question that is under way; 0: none
	until  time.Time // … when its time is over; zero: it is over already
	late   time.Time // … when that it has not gone since then is a failure of its own
	pid    int       // … of the command that asks; 0: none
	cancel func()    // … ends it

	failed, passed int    // in a row
	ill            bool   // it failed as often as it takes
	well           bool   // it passed as often as it takes
	last           string // what came of the last failure
	told           bool   // it was said why nothing is done about it
}

// deadline is when this probe next needs the loop, or the zero time.
func (a *asking) deadline() time.Time { return soonest(a.at, a.until) }

// count takes one answer, "" for a success, and settles what it comes to. It
// tells whether that is news.
func (a *asking) count(failure string) (news bool) {
	if failure != "" {
		a.failed, a.passed, a.last = a.failed+1, 0, failure
		if a.failed >= a.probe.Failures && !a.ill {
			a.ill, a.well = true, false
			return true
		}
		return false
	}
	a.failed, a.passed = 0, a.passed+1
	if a.passed >= a.probe.Successes && !a.well {
		a.ill, a.well, a.told, a.last = false, true, false, ""
		return true
	}
	return false
}

// fails is its verdict in words.
func (a *asking) fails() string {
	if a.probe.Kind == ProbeNotify || a.probe.Failures == 1 {
		return fmt.Sprintf("%s: %s", a.probe, a.last)
	}
	return fmt.Sprintf("%s failed %d times: %s", a.probe, a.failed, a.last)
}

// lastLine is the last line of text that is not blank.
func lastLine(text []byte) []string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := briefly(lines[len(lines)-1]); last != "" {
		return []string{last}
	}
	return nil
}

// forgive has the probe begin to count anew.
func (a *asking) forgive() { a.failed, a.ill, a.told = 0, false, false }

// mostAnswer bounds what of an answer is passed on, in bytes.
const mostAnswer = 200

// briefly is an answer in one line that can be printed anywhere.
func briefly(answer string) string {
	answer = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(answer, "?"))
	answer = strings.TrimSpace(answer)
	if len(answer) > mostAnswer {
		answer = strings.ToValidUTF8(answer[:mostAnswer], "") + "…"
	}
	return answer
}
