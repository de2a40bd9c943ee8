package endpoint

import (
	"maps"
	"runtime"
	"slices"
	"strconv"
	"time"

	"dyno/internal/control"
	"dyno/launcher"
)

// exposition is all that there is to measure, in Prometheus' text format. A
// process whose slot has a new one beside it is old: several old ones of a slot
// are one series, as two series of one name would make the whole unreadable.
func (s *Server) exposition(reply launcher.Reply) []byte {
	var e exposition
	status := &reply.Status
	s.whole(&e, status)
	s.processes(&e, status)
	jobs(&e, reply.Jobs)
	counted(&e, reply.Counters)
	e.family("launcher_orphans_reaped_total", counter, "Adopted processes that ended and were reaped.")
	e.sample(float64(status.Adopted))
	if stdout, stderr, ok := s.options.Output(); ok {
		e.family("launcher_output_bytes_total", counter, "Bytes of the processes' output that were passed on.")
		e.sample(float64(stdout), "stream", "stdout")
		e.sample(float64(stderr), "stream", "stderr")
	}
	e.family("launcher_loop_turn_seconds", histogram, "Turns of the supervisor's loop, from waking up to waiting again.")
	e.histogram(reply.Counters.Turns)
	return e.text
}

// whole is what concerns the launcher itself.
func (s *Server) whole(e *exposition, status *launcher.Status) {
	e.family("launcher_build_info", gauge, "The launcher's version; always 1.")
	e.sample(1, "version", s.options.Version, "goversion", runtime.Version())
	e.family("launcher_start_time_seconds", gauge, "When the launcher began, in seconds since the epoch.")
	e.sample(float64(status.Began.UnixMilli()) / 1000)
	ready, _ := control.StatusOf(*status, 0).Readiness()
	e.family("launcher_ready", gauge, "1 while /readyz says so, else 0.")
	e.sample(number(ready))
	e.family("launcher_quiet", gauge, "1 after a quiet of everything, else 0.")
	e.sample(number(status.Quiet))
	e.family("launcher_stopping", gauge, "1 while everything is stopped, else 0.")
	e.sample(number(status.Stopping != ""))
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// processes is what there is of each type, and of each process that is told apart.
func (s *Server) processes(e *exposition, status *launcher.Status) {
	type count struct {
		states        [launcher.Killed + 1]int
		ready, wanted int
	}
	types := map[string]*count{}
	for i := range status.Processes {
		p := &status.Processes[i]
		c := types[p.Type]
		if c == nil {
			c = &count{}
			types[p.Type] = c
		}
		c.states[p.State]++
	}
	for _, slot := range control.StatusOf(*status, s.options.Budget).Slots() {
		types[slot.Type].wanted++
		types[slot.Type].ready += int(number(slot.Reason == ""))
	}
	names := slices.Sorted(maps.Keys(types))
	e.family("launcher_processes", gauge, "Processes by type and state, old ones that drain included.")
	for _, typ := range names {
		for state, n := range types[typ].states {
			e.sample(float64(n), "type", typ, "state", launcher.State(state).String())
		}
	}
	e.family("launcher_processes_wanted", gauge, "Slots that are to have a ready process.")
	for _, typ := range names {
		e.sample(float64(types[typ].wanted), "type", typ)
	}
	e.family("launcher_processes_ready", gauge, "Slots that have one.")
	for _, typ := range names {
		e.sample(float64(types[typ].ready), "type", typ)
	}
	each(e, status)
}

// each is what is told of single processes.
func each(e *exposition, status *launcher.Status) {
	memory, draining := map[string]float64{}, map[string]float64{}
	e.family("launcher_failed_tries", gauge, "Failed tries in a row of a slot: it crashes again and again.")
	for i := range status.Processes {
		p := &status.Processes[i]
		if !p.Old {
			e.sample(float64(p.Failed), "process", p.Name, "type", p.Type)
		}
		series := p.Type + "." + strconv.Itoa(p.Slot) // the name, less the pid of an old one
		if p.Old {
			series += " (old)"
		}
		if p.PID != 0 && p.Memory > 0 {
			memory[series] += float64(p.Memory)
		}
		if !p.Draining.IsZero() {
			draining[series] = max(draining[series], status.Time.Sub(p.Draining).Seconds())
		}
	}
	e.family("launcher_draining_seconds", gauge, "How long a process that was quieted or told to end has been finishing its work.")
	for _, name := range slices.Sorted(maps.Keys(draining)) {
		e.sample(draining[name], "process", name)
	}
	e.family("launcher_memory_bytes", gauge, "Memory of a process and all below it when last looked at (max-memory, memory-guard).")
	for _, name := range slices.Sorted(maps.Keys(memory)) {
		e.sample(memory[name], "process", name)
	}
}

// jobs is what the processes of servers that tell have in hand.
func jobs(e *exposition, all []launcher.Jobs) {
	e.family("launcher_jobs_running", gauge, "Jobs that run, by the processes' own titles (sidekiq), some 10 s old.")
	for _, j := range all {
		e.sample(float64(j.Running), "type", j.Type)
	}
	e.family("launcher_jobs_slots", gauge, "Jobs that can run at once, of the processes that take any.")
	for _, j := range all {
		e.sample(float64(j.Slots), "type", j.Type)
	}
}

// counted is what has happened to each type.
func counted(e *exposition, c launcher.Counters) {
	simple := func(name, help string, value func(*launcher.TypeCounters) uint64) {
		e.family(name, counter, help)
		for i := range c.Types {
			e.sample(float64(value(&c.Types[i])), "type", c.Types[i].Type)
		}
	}
	simple("launcher_starts_total", "Processes started.", func(t *launcher.TypeCounters) uint64 { return t.Starts })
	simple("launcher_start_failures_total", "Tries that made no process.", func(t *launcher.TypeCounters) uint64 { return t.FailedStarts })
	simple("launcher_restarts_total", "Starts again after an end that was not asked for.", func(t *launcher.TypeCounters) uint64 { return t.Restarts })
	e.family("launcher_exits_total", counter, "Processes ended, by cause: killed is by us as their time was over, oom by the OOM killer.")
	for i := range c.Types {
		for cause, n := range c.Types[i].Exits {
			e.sample(float64(n), "type", c.Types[i].Type, "cause", launcher.ExitCause(cause).String())
		}
	}
	simple("launcher_killed_busy_total", "Processes killed, as their time was over, with jobs running.", func(t *launcher.TypeCounters) uint64 { return t.KilledBusy })
	e.family("launcher_quiet_duration_seconds", histogram, "From the quiet signal to the stop signal, or to the end.")
	for i := range c.Types {
		e.histogram(c.Types[i].Quiet, "type", c.Types[i].Type)
	}
	e.family("launcher_stop_duration_seconds", histogram, "From the stop signal to the end.")
	for i := range c.Types {
		e.histogram(c.Types[i].Stop, "type", c.Types[i].Type)
	}
}

// histogram writes one with its buckets, which hold what the ones before do too.
func (e *exposition) histogram(h launcher.Histogram, labels ...string) {
	total := uint64(0)
	for i, n := range h.Counts[:len(h.Bounds)+1] {
		total += n
		bound := "+Inf"
		if i < len(h.Bounds) {
			bound = decimal(h.Bounds[i].Seconds())
		}
		e.line("_bucket", float64(total), append(slices.Clone(labels), "le", bound)...)
	}
	e.line("_sum", time.Duration(h.Sum).Seconds(), labels...)
	e.line("_count", float64(total), labels...)
}
