package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"dyno/internal/cgroup"
	"dyno/internal/early"
	"dyno/internal/health"
	"dyno/internal/listen"
	"dyno/internal/notify"
	"dyno/internal/output"
	"dyno/launcher"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// What the Go runtime is given: the supervisor is one loop that hardly
// allocates. Setting the number of threads also ends the runtime's own looks at
// the cgroup for it, once every few seconds. While all are started or stopped at
// once there is better use for a processor than collecting garbage.
const (
	mostThreads = 2
	gcPercent   = 30
	gcBusy      = 400         // the heap grows to 16 MB at most before that
	settleAfter = time.Second // memory is given back then; a short command is not held up by it
)

// supervise runs what the settings ask for until it has ended, and sets the
// exit status. It takes the result of read, so that mistakes of the settings
// are told together with those of the files. It is called on the main thread.
func (a *app) supervise(s *settings, mistake error) error {
	if errors.As(mistake, new(stoppedBy)) {
		return nil // as asked, and nothing was started
	}
	if a.wrong != nil { // what else is wrong is told with it
		endOnSignal()
		s.Sockets = listen.NewTrial()
		_, err := resolve(s.request, true)
		return together(mistake, err, s.tryEndpoints())
	}
	runtime.GOMAXPROCS(min(mostThreads, runtime.NumCPU()))
	debug.SetGCPercent(gcBusy)

	s.Sockets = listen.NewSet()
	mistake = together(mistake, s.takeHanded())
	s.asked.Sockets, s.asked.Handed = s.Sockets, s.Handed
	resolving := begin(func() (*generation, error) { return resolve(s.request, true) })
	early.All() // meanwhile: the less urgent signals' handlers
	early.ClearMask()
	gen, err := resolving.unlessStopped()
	if errors.As(err, new(stoppedBy)) {
		return nil
	}
	if mistake != nil || err != nil {
		s.Sockets.Close()
		return together(mistake, err, s.tryEndpoints())
	}
	a.status = supervised(s, gen)
	return nil
}

// supervised runs one generation, and those that a restart reads after it, and
// returns the exit status.
func supervised(s *settings, gen *generation) int {
	log := &journal{json: s.Log == "json", quiet: gen.OneCommand}
	out, err := output.New(outputConfig(s, gen, log))
	if err != nil {
		complain(err)
		return statusFailed
	}
	log.line = out.Line
	log.begin(gen, s.warnings)
	if s.Guard == 0 && !gen.OneCommand && cgroup.OOMGroup() {
		log.say(launcher.Warn, "at the memory limit the OOM killer ends the launcher with everything else (memory.oom.group=1); --memory-guard on replaces the largest process before that")
	}

	dir, err := notify.Open()
	if err != nil {
		dir = nil
		log.say(launcher.Warn, "no process gets a NOTIFY_SOCKET: %v", err)
	}
	status, open, err := serve(s, gen, out, dir, log)
	s.Sockets.Close()
	if err != nil {
		log.say(launcher.Error, "%v", err)
	}
	removed := make(chan struct{})
	go func() { // a file for each process: beside the end of the output
		defer close(removed)
		if dir != nil {
			dir.Close()
		}
	}()
	if lost := closeOutput(out, log.patience(s.Budget)); lost > 0 {
		log.say(launcher.Warn, "%d bytes of output are lost: nobody read them in time", lost)
	}
	<-removed
	open.close() // last: who waits for our end sees it by that
	return status
}

// serve is the part of supervised in which processes run. What others ask us by
// still stands when it returns.
func serve(s *settings, gen *generation, out *output.Output, dir *notify.Dir, log *journal) (int, *endpoints, error) {
	kernel, err := launcher.NewKernel(launcher.KernelConfig{
		Output: out, Notify: dir,
		Urgent: early.Urgent, Others: early.Others, Children: early.Children,
		PID1: os.Getpid() == 1, OOMKills: cgroup.OOMKills, Step: stepProgram(gen, log),
	})
	if err != nil {
		return statusFailed, &endpoints{}, err
	}
	c := config(s, gen, kernel, log)
	open, err := openEndpoints(s, gen, &c, out, log)
	if err != nil {
		return statusUsage, open, err
	}
	result, err := launcher.Run(context.Background(), c)
	open.ended()
	return result.Status, open, err
}

// settle makes the launcher small for the time in which it has little to do.
func settle() {
	debug.SetGCPercent(gcPercent)
	releaseMemory()
}

// closeOutput passes on what is unread, until the given moment. With none, all
// has ended by itself, and a slow reader gets everything; but a TERM ends that
// wait too.
func closeOutput(out *output.Output, until time.Time) (lost int64) {
	if !until.IsZero() {
		return out.Close(until)
	}
	const ever = 1000 * time.Hour
	closing := begin(func() (int64, error) { return out.Close(time.Now().Add(ever)), nil })
	lost, err := closing.unlessStopped()
	if err != nil {
		return out.Close(time.Now().Add(100 * time.Millisecond))
	}
	return lost
}

// guard watches the container's memory, where that is asked for.
func guard(s *settings) launcher.MemoryGuard {
	if s.Guard == 0 {
		return launcher.MemoryGuard{}
	}
	return launcher.MemoryGuard{Used: cgroup.Used, Share: s.Guard}
}

// config is what the supervisor is told.
func config(s *settings, gen *generation, kernel launcher.Kernel, log *journal) launcher.Config {
	terminal := controllingTerminal()
	var announce func(string)
	if above := notify.Above(lookup(s.Environ, "NOTIFY_SOCKET")); above != nil {
		announce = above.Tell
	}
	return launcher.Config{
		Specs: gen.Specs,
		Slot:  gen.Slot,
		Reload: func() (launcher.Generation, error) {
			next, err := s.resolveAgain()
			if err != nil {
				return launcher.Generation{}, oneMistake(err)
			}
			log.begin(next, nil)
			return launcher.Generation{Specs: next.Specs, Slot: next.Slot}, nil
		},
		Budget:      s.Budget,
		QuietFor:    s.QuietFor,
		Broadcast:   s.Broadcast,
		Pass:        gen.Pass,
		OwnStatus:   gen.OneCommand,
		GiveUpAlone: s.Command == "start" && terminal,
		Terminal:    terminal,
		PID1:        os.Getpid() == 1,
		IgnoreHUP:   early.IgnoredHUP,
		IgnoreINT:   early.IgnoredINT,
		Kernel:      kernel,
		Announce:    announce,
		Guard:       guard(s),
		Ask:         health.Ask,
		Watchdog:    notify.WatchdogEvery(lookup(s.Environ, "WATCHDOG_USEC"), lookup(s.Environ, "WATCHDOG_PID")),
		Log:         log.event,
		Flush:       log.flush,
		Stops: func() {
			debug.SetGCPercent(gcBusy)
			s.Sockets.Release()
		},
		Settled: func() { time.AfterFunc(settleAfter, settle) },
	}
}

// outputConfig is how the processes' output is written.
func outputConfig(s *settings, gen *generation, log *journal) output.Config {
	c := output.Config{
		Stdout: 1, Stderr: 2, PTY: s.PTY,
		Notice: func(text string) []byte {
			e := launcher.Event{Time: time.Now(), Level: launcher.Warn, Text: text}
			return append(log.format(e), '\n')
		},
		Color: term.IsTerminal(1) && lookup(s.Environ, "NO_COLOR") == "",
	}
	alone := gen.OneCommand
	for i := range gen.Specs {
		c.Width = max(c.Width, len(gen.Specs[i].Name()))
		alone = alone || gen.Specs[i].Interactive
	}
	switch s.logMode(alone) {
	case "json":
		c.Mode = output.JSON
	case "prefix":
		c.Mode = output.Prefix
	default:
		c.Mode = output.Raw
	}
	return c
}

// controllingTerminal tells whether there is one, whatever 0, 1 and 2 are.
func controllingTerminal() bool {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
}
