package launcher

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// mostBelow bounds a walk down a tree of processes that grows as we look.
const mostBelow = 10000

// quietSignal is the signal that means "take no more work" to p; 0: none.
func (s *supervisor) quietSignal(p *process) unix.Signal {
	switch {
	case p.spec.QuietSignal == NoSignal:
		return 0
	case p.spec.QuietSignal != 0:
		return p.spec.QuietSignal
	case p.spec.Server.Known():
		return p.spec.Server.Quiet
	}
	return unix.SIGTSTP // to what catches it, and to nothing else
}

// stopSignal is the signal that asks p to end.
func (s *supervisor) stopSignal(p *process) unix.Signal {
	switch {
	case p.spec.StopSignal != 0:
		return p.spec.StopSignal
	case p.spec.Server.Stop != 0:
		return p.spec.Server.Stop
	}
	return unix.SIGTERM
}

// kin is a process of a slot's tree.
type kin struct {
	Sight
	parent int // its index among the family; -1: it is the child itself
}

// family is p's process and what is below it, parents first, as seen in this
// turn of the loop; empty without /proc. It is looked at once a turn: a stop of
// a hundred processes is mostly such looks.
func (s *supervisor) family(p *process, now time.Time) []kin {
	if p.familyAt.Equal(now) {
		return p.family
	}
	p.family, p.familyAt = p.family[:0], now
	add := func(pid, parent int) {
		sight, err := s.Kernel.Look(pid)
		if err == nil && sight.State != 'Z' && sight.State != 'X' {
			p.family = append(p.family, kin{sight, parent})
		}
	}
	add(p.pid, -1)
	for i := 0; i < len(p.family) && i < mostBelow; i++ {
		children, _ := s.Kernel.Children(p.family[i].PID, p.family[i].Threads)
		for _, pid := range children {
			add(pid, i)
		}
	}
	return p.family
}

// visit calls f for the members of a family, parents first; f says whether to
// go on below.
func visit(family []kin, f func(Sight) bool) {
	on := make([]bool, len(family))
	for i, k := range family {
		on[i] = (k.parent < 0 || on[k.parent]) && f(k.Sight)
	}
}

// hearers are the processes to which p's quiet signal is to be sent: those in
// its tree that the table of servers recognises, else each that catches it and
// has no ancestor that does. A signal that would stop or kill is never sent.
func (s *supervisor) hearers(p *process, now time.Time) ([]int, unix.Signal) {
	sig := s.quietSignal(p)
	if sig == 0 {
		return nil, 0
	}
	family := s.family(p, now)
	if len(family) == 0 { // no /proc
		if p.spec.QuietSignal != 0 && p.proved {
			return []int{p.pid}, sig
		}
		return nil, 0
	}
	if lies(sig) && !s.booted(p, family) {
		return nil, 0
	}
	if main := s.mainHears(p, sig); main != 0 {
		return []int{main}, sig
	}
	servers, catchers := s.quietWalk(family, sig)
	if len(servers) > 0 {
		return servers, sig
	}
	return catchers, sig
}

// lies tells the signals that runtimes catch although the program does not (P38).
func lies(sig unix.Signal) bool { return sig == unix.SIGUSR1 || sig == unix.SIGUSR2 }

// booted tells whether p can be trusted to have set its own traps: it was
// ready, or shows the title that its server gives itself.
func (s *supervisor) booted(p *process, family []kin) bool {
	if p.proved {
		return true
	}
	for _, k := range family {
		title, err := s.Kernel.Title(k.PID)
		if err == nil && len(title) == 1 && p.spec.Server.Known() && strings.HasPrefix(title[0], p.spec.Server.Name) {
			return true
		}
	}
	return false
}

// quietWalk looks for hearers of sig from the top. What is below a hearer is
// its own affair.
func (s *supervisor) quietWalk(family []kin, sig unix.Signal) (servers, catchers []int) {
	visit(family, func(sight Sight) bool {
		if !s.hears(sight, sig) {
			return true
		}
		argv, _ := s.Kernel.Title(sight.PID)
		if Wrapper(argv, sight.Comm) && !ownProgram(sight, argv) {
			return true
		}
		if server, ok := Identify(argv); ok && server.Quiet == sig {
			servers = append(servers, sight.PID)
		} else {
			catchers = append(catchers, sight.PID)
		}
		return false
	})
	return servers, catchers
}

// hears tells whether a signal would reach the program: a blocked one counts
// only where a signalfd takes it (P47).
func (s *supervisor) hears(sight Sight, sig unix.Signal) bool {
	if sight.Blocked.Has(sig) {
		return s.Kernel.Awaits(sight.PID, sig)
	}
	return sight.Caught.Has(sig)
}

// ownProgram tells the wrapper that has become what it was to start: bundle
// exec loads the program into itself.
func ownProgram(sight Sight, argv []string) bool {
	return (sight.Comm == "bundle" || sight.Comm == "bundler") && sight.Caught.Has(unix.SIGTERM) || len(argv) == 1 && strings.Contains(argv[0], " ")
}

// stopTargets are the processes to which p's stop signal is to be sent: the
// top-most of its tree that catch it, shells and wrappers looked through; else
// the child itself. Never the whole group (P40).
func (s *supervisor) stopTargets(p *process, sig unix.Signal, now time.Time) []int {
	if main := s.mainPID(p); main != 0 {
		return []int{main}
	}
	family := s.family(p, now)
	if len(family) <= 1 {
		return []int{p.pid}
	}
	var targets []int
	visit(family, func(sight Sight) bool {
		if !s.hears(sight, sig) || s.lookedThrough(sight) {
			return true
		}
		targets = append(targets, sight.PID)
		return false
	})
	if len(targets) == 0 {
		return []int{p.pid}
	}
	return targets
}

// lookedThrough tells whether sight is a shell or wrapper, which is never itself meant.
func (s *supervisor) lookedThrough(sight Sight) bool {
	argv, err := s.Kernel.Title(sight.PID)
	if err != nil {
		return false
	}
	return Wrapper(argv, sight.Comm) && !ownProgram(sight, argv)
}

// below are all descendants of pid (0: of ourselves), parents first.
func (s *supervisor) below(pid int) []int {
	all, err := s.Kernel.Children(pid, 0)
	if err != nil {
		return nil
	}
	for i := 0; i < len(all) && i < mostBelow; i++ {
		children, _ := s.Kernel.Children(all[i], 0)
		all = append(all, children...)
	}
	return all
}
