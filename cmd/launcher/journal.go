package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dyno/launcher"
)

// journal writes the launcher's own lines to standard error: one for each
// change of state, structured (DESIGN 5). It never blocks.
type journal struct {
	line  func([]byte) // must not block
	json  bool
	quiet bool   // only what is wrong (exec of one process)
	turn  []byte // what was said since the last flush; the loop's

	// descent is when the first of the processes that run now was told to go
	// down; zero while all are up. Only the loop writes it.
	descent time.Time
}

// event writes what the supervisor says.
func (j *journal) event(e launcher.Event) {
	if e.Changed {
		switch {
		case e.To < launcher.Quieting && e.To > launcher.Waiting:
			j.descent = time.Time{}
		case e.To >= launcher.Quieting && j.descent.IsZero():
			j.descent = e.Time
		}
	}
	if j.quiet && e.Level == launcher.Info {
		return
	}
	j.turn = append(append(j.turn, j.format(e)...), '\n')
}

// flush writes what a turn of the loop said, in one piece: a stop of a hundred
// processes would else wake the writer for each of its lines.
func (j *journal) flush() {
	if len(j.turn) > 0 {
		j.line(j.turn)
		j.turn = j.turn[:0]
	}
}

// format makes the line of an event, with no newline.
func (j *journal) format(e launcher.Event) []byte {
	if j.json {
		return jsonLine(e)
	}
	return []byte(textLine(e))
}

// say writes a message of the command itself, from any goroutine.
func (j *journal) say(level launcher.Level, format string, args ...any) {
	if j.quiet && level == launcher.Info {
		return
	}
	j.line(j.format(launcher.Event{Time: time.Now(), Level: level, Text: fmt.Sprintf(format, args...)}))
}

// textLine is the form for people:
//
//	launcher: worker.1 ready -> stopping, asked to stop, pid 12, 3.2s
func textLine(e launcher.Event) string {
	line := make([]byte, 0, 160)
	add := func(part string) {
		if part != "" {
			line = append(append(line, part...), ", "...)
		}
	}
	line = append(line, "launcher: "...)
	if e.Level > launcher.Info {
		line = append(append(line, levelName(e.Level)...), ": "...)
	}
	switch {
	case e.Changed:
		add(e.Process + " " + e.From.String() + " -> " + e.To.String())
		add(e.Text)
	case e.Process != "":
		add(e.Process + " " + e.Text)
	default:
		add(e.Text)
	}
	if e.PID != 0 {
		add("pid " + strconv.Itoa(e.PID))
	}
	if e.Changed && e.For > 0 {
		add(seconds(e.For))
	}
	return oneLine(strings.TrimSuffix(string(line), ", "))
}

// seconds is short for people: 0.003s, 3.2s, 1h2m3s.
func seconds(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) + "s"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	}
	return d.Round(time.Second).String()
}

// oneLine keeps a text that holds a child's words, a title or a status, from
// breaking out of its line or reaching the terminal.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, text)
}

func levelName(l launcher.Level) string {
	return [...]string{"info", "warning", "error"}[l]
}

// record is the form for machines, one object a line. It stands between the
// children's own lines, which have a "line" and no "level".
type record struct {
	Time    time.Time `json:"time"`
	Level   string    `json:"level"`
	Process string    `json:"process"`
	PID     int       `json:"pid,omitempty"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	For     float64   `json:"for,omitempty"` // seconds
	Message string    `json:"message,omitempty"`
}

func jsonLine(e launcher.Event) []byte {
	r := record{Time: e.Time, Level: levelName(e.Level), Process: e.Process, PID: e.PID, Message: e.Text}
	if r.Process == "" {
		r.Process = "launcher"
	}
	if e.Changed {
		r.From, r.To, r.For = e.From.String(), e.To.String(), e.For.Seconds()
	}
	line, err := json.Marshal(r)
	if err != nil { // a year beyond 9999
		return []byte(textLine(e))
	}
	return line
}

// begin says what is worth knowing of a generation before it starts; warnings
// are those of the settings, which do not change.
func (j *journal) begin(gen *generation, warnings []string) {
	for _, file := range gen.EnvRead {
		j.say(launcher.Info, "read %s: %d variables", file.File, file.Variables)
	}
	for _, warning := range slices.Concat(warnings, gen.Warnings) {
		j.say(launcher.Warn, "%s", warning)
	}
}

// patience is until when unread output is waited for: for ever where all ended
// by itself; after a stop until shortly before the budget is over.
func (j *journal) patience(budget time.Duration) time.Time {
	if j.descent.IsZero() {
		return time.Time{}
	}
	margin := min(250*time.Millisecond, budget/20)
	end, least := j.descent.Add(budget-margin), time.Now().Add(margin)
	if end.Before(least) {
		return least
	}
	return end
}
