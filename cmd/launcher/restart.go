package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"dyno/internal/control"
	"dyno/launcher"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const aboutRestart = `Replaces processes by new ones: with no name all of them, from the files as
they are now, as HUP does. Each new one is started beside the old one, which
goes only when that is ready (--max-surge of launcher run). With --wait it shows
each process's way, and returns when all new ones have proved themselves for
10 s, while old ones may drain on; or with status 1 and the reason when it was
aborted and the old ones serve on. While another restart is under way it waits
for its turn. Where it waits for old ones that drain, --force stops the oldest.`

func (a *app) restart() *cobra.Command {
	var wait waiting
	var force bool
	cmd := a.operate("restart [NAME|TYPE] [--wait[=TIME]] [--force]", "replace processes by new ones", aboutRestart, 0, 1,
		func(o *operator, args []string) error { return o.restart(optional(args), wait, force) })
	addWait(cmd.Flags(), &wait, "return when it is over, or this `TIME` is (default: no limit)")
	cmd.Flags().BoolVar(&force, "force", false, "stop the oldest that drain where --max-draining is reached")
	return cmd
}

// aborted begins what the status says of a restart that failed.
const aborted = "aborted: "

func (o *operator) restart(target string, wait waiting, force bool) error {
	reply, err := o.ask(launcher.Request{Verb: launcher.AskRestart, Target: target, Force: force})
	if err != nil || !wait.asked {
		return err
	}
	draw := newDrawing(os.Stdout, term.IsTerminal(1), *reply.Status)
	number := reply.Status.RestartsAsked
	done := func(s control.Status) (bool, error) {
		draw.show(s)
		over, err := restartOver(s, number)
		if over {
			fmt.Println("restarted" + draining(s))
		}
		return over, err
	}
	left := func(s control.Status) string { return s.Restart }
	return o.awaitEvery(draw.every, *reply.Status, wait.limit, done, left)
}

// restartOver tells whether the restart of that number is over; the error is why
// it failed. One that came after it, and is over too, counts in its place.
func restartOver(s control.Status, number uint64) (bool, error) {
	switch {
	case s.Stopping != "":
		return false, errors.New("the launcher is stopping: " + s.Stopping)
	case s.RestartsOver < number:
		return false, nil
	case s.RestartAborted != "":
		return false, errors.New(aborted + s.RestartAborted)
	}
	return true, nil
}

// draining counts the old ones that are left.
func draining(s control.Status) string {
	n := 0
	for _, p := range s.Processes {
		if p.Old {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; %d old processes finish their work", n)
}

// drawing shows each process's way through a restart: on a terminal as lines
// that change, else as one line a change.
type drawing struct {
	out   io.Writer
	every time.Duration  // on a terminal: how often times are drawn anew
	lines int            // that were drawn last
	said  map[int]string // what was shown of each, by pid
	names map[int]string // … and its name
	order []int          // the pids as they came
	spoke string         // what was said of the whole
}

func newDrawing(out io.Writer, terminal bool, before control.Status) *drawing {
	d := &drawing{out: out, said: map[int]string{}, names: map[int]string{}}
	if terminal {
		d.every = time.Second
	}
	for _, p := range before.Processes {
		if p.PID != 0 && p.Draining.IsZero() { // what drains already is on its way
			d.said[p.PID] = wayOf(p, before.Time, false)
		}
	}
	return d
}

// wayOf is where a process is on its way, in a word.
func wayOf(p control.Process, now time.Time, clock bool) string {
	switch {
	case !p.Draining.IsZero() && !clock:
		return "draining"
	case !p.Draining.IsZero():
		took := max(0, now.Sub(p.Draining)).Round(time.Second)
		return fmt.Sprintf("draining %d:%02d", int(took.Minutes()), int(took.Seconds())%60)
	case p.State == launcher.Starting.String():
		return "started"
	}
	return p.State
}

// show shows what has changed.
func (d *drawing) show(s control.Status) {
	clock := d.every > 0
	there := map[int]bool{}
	var changed []string
	for _, p := range s.Processes {
		if p.PID == 0 {
			continue
		}
		there[p.PID] = true
		way := wayOf(p, s.Time, clock)
		if d.said[p.PID] == way {
			continue
		}
		changed = append(changed, d.note(p.PID, slotOf(p.Name), way))
	}
	for _, pid := range d.order {
		if !there[pid] && d.said[pid] != "gone" {
			changed = append(changed, d.note(pid, d.names[pid], "gone"))
		}
	}
	if clock {
		d.redraw(s.Restart)
		return
	}
	for _, line := range changed {
		fmt.Fprintln(d.out, line)
	}
	if s.Restart != d.spoke && !strings.HasPrefix(s.Restart, aborted) && s.Restart != "" {
		fmt.Fprintln(d.out, oneLine(s.Restart))
	}
	d.spoke = s.Restart
}

// note keeps what is shown of a process, and gives the line.
func (d *drawing) note(pid int, name, way string) string {
	if d.names[pid] == "" {
		d.names[pid] = name
		d.order = append(d.order, pid)
	}
	d.said[pid] = way
	return d.line(pid)
}

func (d *drawing) line(pid int) string {
	return fmt.Sprintf("%-16s pid %-8d %s", d.names[pid], pid, d.said[pid])
}

// redraw draws all lines anew over those drawn last.
func (d *drawing) redraw(words string) {
	var b strings.Builder
	if d.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", d.lines)
	}
	d.lines = len(d.order)
	for _, pid := range d.order {
		fmt.Fprintf(&b, "\r\x1b[K%s\n", d.line(pid))
	}
	if words != "" {
		fmt.Fprintf(&b, "\r\x1b[K%s\n", oneLine(words))
		d.lines++
	} else {
		b.WriteString("\x1b[J")
	}
	_, _ = io.WriteString(d.out, b.String())
}
