package launcher

import (
	"slices"
	"strings"
	"time"
)

// Jobs are those that a type's processes have in hand, by their own titles, which
// are 5 to 10 s old (P54). Old processes that drain count too.
type Jobs struct {
	Type    string
	Running int
	Slots   int // how many they can run at once, those that take no more left out
}

// jobs reads the titles. It is done only when somebody asks for metrics: one read
// of /proc for each process, and for each below it.
func (s *supervisor) jobs(now time.Time) []Jobs {
	var all []Jobs
	for _, p := range s.processes {
		if !p.spec.Server.Titles {
			continue
		}
		i := slices.IndexFunc(all, func(j Jobs) bool { return j.Type == p.spec.Type })
		if i < 0 {
			i = len(all)
			all = append(all, Jobs{Type: p.spec.Type})
		}
		if !p.runs() {
			continue
		}
		for _, k := range s.family(p, now) {
			title, err := s.Kernel.Title(k.PID)
			if err != nil {
				continue
			}
			running, slots, stopping, ok := Busy(strings.Join(title, " "))
			if !ok {
				continue
			}
			all[i].Running += running
			if !stopping {
				all[i].Slots += slots
			}
		}
	}
	return all
}
