package main

import (
	"encoding/json"
	"testing"
	"time"

	"dyno/launcher"

	"github.com/google/go-cmp/cmp"
)

func TestTextLine(t *testing.T) {
	tests := []struct {
		event launcher.Event
		want  string
	}{
		{
			launcher.Event{Process: "worker.1", PID: 12, From: launcher.Ready, To: launcher.Stopping, Changed: true, For: 3210 * time.Millisecond, Text: "asked by TERM"},
			"launcher: worker.1 ready -> stopping, asked by TERM, pid 12, 3.2s",
		},
		{
			launcher.Event{Process: "web.1", From: launcher.Waiting, To: launcher.Starting, Changed: true, PID: 7},
			"launcher: web.1 waiting -> starting, pid 7",
		},
		{
			launcher.Event{Process: "web.1", Level: launcher.Warn, Changed: true, From: launcher.Starting, To: launcher.Waiting, For: 5 * time.Millisecond, Text: "ended with status 1"},
			"launcher: warning: web.1 starting -> waiting, ended with status 1, 0.005s",
		},
		{launcher.Event{Level: launcher.Error, Text: "cannot reap"}, "launcher: error: cannot reap"},
		{launcher.Event{Process: "a.1", Text: "says so"}, "launcher: a.1 says so"},
		{
			launcher.Event{Process: "a.1", Changed: true, From: launcher.Ready, To: launcher.Killed, For: 26*time.Hour + 1400*time.Millisecond, PID: 3},
			"launcher: a.1 ready -> killed, pid 3, 26h0m1s",
		},
		// A child's own words cannot break out of the line, or reach the terminal.
		{launcher.Event{Process: "a.1", Text: "title \x1b[2J\nlauncher: fake\u009b"}, "launcher: a.1 title  [2J launcher: fake "},
	}
	for _, test := range tests {
		if got := textLine(test.event); got != test.want {
			t.Errorf("got  %q\nwant %q", got, test.want)
		}
	}
}

func TestJSONLine(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	line := jsonLine(launcher.Event{
		Time: at, Process: "worker.1", PID: 12, From: launcher.Ready, To: launcher.Stopping,
		Changed: true, For: 1500 * time.Millisecond, Text: "asked \xff\n",
	})
	var got map[string]any
	if err := json.Unmarshal(line, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"time": "2026-01-02T03:04:05.000006Z", "level": "info", "process": "worker.1", "pid": 12.0,
		"from": "ready", "to": "stopping", "for": 1.5, "message": "asked \ufffd\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestQuietJournal: exec of one process says only what is wrong.
func TestQuietJournal(t *testing.T) {
	var lines []string
	j := &journal{quiet: true, line: func(b []byte) { lines = append(lines, string(b)) }}
	j.event(launcher.Event{Process: "a.1", Changed: true, To: launcher.Starting})
	j.event(launcher.Event{Process: "a.1", Changed: true, From: launcher.Ready, Text: "ended by itself, status 1"})
	j.flush()
	j.say(launcher.Warn, "look at %s", "this")
	if diff := cmp.Diff([]string{"launcher: warning: look at this"}, lines); diff != "" {
		t.Error(diff)
	}
}

// TestPatience: what ended by itself waits for its readers; a stop does not
// outlive its budget for them.
func TestPatience(t *testing.T) {
	j := &journal{line: func([]byte) {}}
	move := func(to launcher.State, at time.Time) {
		j.event(launcher.Event{Time: at, Changed: true, To: to})
	}
	now := time.Now()
	move(launcher.Starting, now)
	move(launcher.Down, now)
	if at := j.patience(10 * time.Second); !at.IsZero() {
		t.Errorf("with no stop there is a limit: %v", at)
	}
	move(launcher.Quieting, now.Add(-8*time.Second))
	move(launcher.Stopping, now.Add(-7*time.Second))
	if at := j.patience(10 * time.Second); at.After(now.Add(2*time.Second)) || at.Before(now.Add(time.Second)) {
		t.Errorf("the limit is %s from now, want a little less than what is left of the budget", at.Sub(now))
	}
	move(launcher.Starting, now)
	if !j.patience(10 * time.Second).IsZero() {
		t.Error("a process that was replaced counts as the stop")
	}
}
