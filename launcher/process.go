package launcher

import (
	"time"

	"golang.org/x/sys/unix"
)

// process is one slot and what runs in it. A slot keeps its name and index
// over restarts; pid is 0 whenever nothing runs (P15).
type process struct {
	spec  *Spec
	name  string
	pid   int
	state State
	since time.Time // in this state since

	started time.Time   // the process that runs, or ran last
	upAt    time.Time   // Starting: when to take it for ready, or to see whether it is
	proved  bool        // that process has been ready
	status  string      // its last STATUS=
	said    time.Time   // when it reported STOPPING=1 with no TERM of ours
	told    unix.Signal // what launcher signal has sent it last; 0: nothing
	tries   tries

	readiness, liveness asking        // its probes
	unready             bool          // it was ready, and its ready probe fails
	lost                bool          // its live probe failed, and it is not to be started again
	watchdogEvery       time.Duration // its own WATCHDOG_USEC=; 0: none
	main                Sight         // what it named by MAINPID=; zero: itself
	wrongMain, stranger bool          // it was said that such a message is not taken

	memory   int64 // of its tree, when last looked at
	restarts int   // starts again by the policy
	done     bool  // it ended with 0, and the policy starts it no more

	startAt time.Time // Waiting: when it is to be started

	plan  plan   // Quieting and later: the timetable it goes down by
	cause string // … and why

	owed    bool          // it boots still, and is owed the quiet signal
	lookAt  time.Time     // … when to look again
	lookGap time.Duration // … and how long after that

	old     bool      // its slot has, or had, another one: it serves until that is ready, drains, and goes
	gone    bool      // it is no slot's any more
	leftAt  time.Time // when it was told to finish its work and go
	sayAt   time.Time // … when to say that it still does
	ticks   uint64    // one that stands beside another of its slot: its Sight.Start
	titleAt time.Time // Quieting: when to read its title next
	idle    time.Time // since when its title says that it has nothing to do
	drained bool      // no work is left

	frozenAt time.Time // when to see whether the quiet signal froze one of
	quieted  []int     // … these
	family   []kin     // what was seen of its tree
	familyAt time.Time // … in the turn that began then

	targets   []int     // what got the stop signal
	surprised bool      // … which found it booting
	pushAt    time.Time // when to push on if nothing has moved: past a shell, or up to the child itself

	hearsNothing bool  // it was said that nothing hears its quiet signal
	next         next  // what follows when it has ended
	fresh        *Spec // startNow: what is started then, of a new generation
	line         lifeline
}

// next is what is to be done with a slot once its process has ended.
type next int

const (
	byPolicy next = iota // what Restart says
	startNow             // start again at once (a restart)
	stayDown             // start no more, until told (quiet, stop)
	remove               // the slot itself goes (a generation without it)
)

// runs tells whether there is a process that has not been reaped.
func (p *process) runs() bool { return p.pid != 0 }

// working tells whether it runs and nobody has told it to end.
func (p *process) working() bool { return p.state == Starting || p.state == Ready }

// deadline is when this process next needs the loop, or the zero time.
func (p *process) deadline() time.Time {
	switch p.state {
	case Down, Killed:
		return time.Time{}
	case Waiting:
		return p.startAt
	case Ready:
		return soonest(p.readiness.deadline(), p.liveness.deadline())
	case Starting:
		return soonest(p.upAt, soonest(p.readiness.deadline(), p.liveness.deadline()))
	}
	at := p.plan.kill
	if p.state == Quieting {
		at = soonest(at, p.plan.term)
	}
	if p.owed {
		at = soonest(at, p.lookAt)
	}
	if p.state == Quieting && !p.drained {
		at = soonest(at, p.titleAt)
	}
	return soonest(soonest(at, p.sayAt), soonest(p.frozenAt, p.pushAt))
}

// ended tells that a process is gone; everything that belonged to it alone is
// forgotten, so that nothing of it can reach the next one (P12).
func (p *process) ended() {
	p.pid = 0
	p.proved, p.status, p.said, p.told = false, "", time.Time{}, 0
	p.plan, p.cause, p.next = plan{}, "", byPolicy
	p.fresh = nil
	p.owed, p.lookAt, p.lookGap = false, time.Time{}, 0
	p.titleAt, p.idle, p.drained = time.Time{}, time.Time{}, false
	p.leftAt, p.sayAt, p.ticks = time.Time{}, time.Time{}, 0
	p.hearsNothing = false
	p.frozenAt, p.quieted = time.Time{}, nil
	p.family, p.familyAt = nil, time.Time{}
	p.targets, p.surprised, p.pushAt = nil, false, time.Time{}
	p.readiness, p.liveness, p.unready, p.lost = asking{}, asking{}, false, false
	p.watchdogEvery, p.main, p.wrongMain, p.stranger = 0, Sight{}, false, false
}
