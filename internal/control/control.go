// Package control is the launcher's control socket, both ends: HTTP/1.1 with
// JSON over a unix socket that only the same user and root are served by
// (DESIGN 7). The server puts messages to the supervisor's loop and hands out
// the copies that come back; the client is what the commands are made of. Any
// other client does as well:
//
//	curl --unix-socket /run/launcher/1.sock http://launcher/status
//	curl --unix-socket /run/launcher/1.sock -d target=worker http://launcher/quiet
//
// GET /status answers with a Status; with ?since=VERSION it waits until the
// status is another than that, 55 s at most, and answers with the present one.
// POST /quiet, /resume, /stop, /restart, /scale and /signal take target, count
// (scale), signal (signal), budget (stop) and force (restart) as query or form,
// and answer with a Reply: 200 it is done, 409 it cannot be done, 400 (405, 413,
// 431) the request is wrong, 503 the launcher is busy or has ended.
package control

import (
	"context"
	"encoding/json"
	"time"

	"dyno/launcher"
)

// Asker answers requests; *launcher.Inbox is one.
type Asker interface {
	Ask(ctx context.Context, r launcher.Request) (launcher.Reply, error)
}

// verbs are the paths that POST goes to, and what each asks for.
var verbs = map[string]launcher.Verb{
	"/quiet":   launcher.AskQuiet,
	"/resume":  launcher.AskResume,
	"/stop":    launcher.AskStop,
	"/restart": launcher.AskRestart,
	"/scale":   launcher.AskScale,
	"/signal":  launcher.AskSignal,
}

// Status is launcher.Status in its JSON form: times by RFC 3339, states as words.
type Status struct {
	Version  uint64    `json:"version"` // for ?since=
	Time     time.Time `json:"time"`
	PID      int       `json:"pid"`
	Began    time.Time `json:"began"`
	Budget   string    `json:"budget"` // as time.ParseDuration reads it
	Quiet    bool      `json:"quiet"`
	Stopping string    `json:"stopping,omitempty"` // why
	StopBy   time.Time `json:"stop_by,omitzero"`
	Restart  string    `json:"restart,omitempty"`
	// The numbers of the last restart that was asked for, and of the last that is
	// over, and why that was aborted.
	RestartsAsked  uint64 `json:"restarts_asked"`
	RestartsOver   uint64 `json:"restarts_over"`
	RestartAborted string `json:"restart_aborted,omitempty"`

	Adopted   int       `json:"adopted"`
	Processes []Process `json:"processes"`
}

// Process is launcher.ProcessStatus in its JSON form.
type Process struct {
	Name       string    `json:"name"`
	Type       string    `json:"type"`
	Slot       int       `json:"slot"`
	State      string    `json:"state"` // down, waiting, starting, ready, quieting, stopping, killed
	Since      time.Time `json:"since"`
	PID        int       `json:"pid,omitempty"`
	Started    time.Time `json:"started,omitzero"`
	Ready      bool      `json:"ready"`
	Probe      string    `json:"probe,omitempty"`    // what a probe that fails said last
	Replaced   string    `json:"replaced,omitempty"` // why it was last replaced for its live probe
	Quieted    bool      `json:"quieted"`
	Drained    bool      `json:"drained"`
	HearsQuiet bool      `json:"hears_quiet"`
	Says       string    `json:"says,omitempty"`
	Restarts   int       `json:"restarts"`
	Failed     int       `json:"failed"`
	Ended      string    `json:"ended,omitempty"`
	NextStart  time.Time `json:"next_start,omitzero"`     // waiting only
	Old        bool      `json:"old,omitempty"`           // its slot has another one, or is to go
	Done       bool      `json:"done,omitempty"`          // it ended with 0, and is started no more
	Draining   time.Time `json:"draining_since,omitzero"` // it is to finish its work since then
	Dir        string    `json:"dir,omitempty"`
	Revision   string    `json:"revision,omitempty"` // of the release it was started from
	Server     string    `json:"server,omitempty"`
	// Memory is the resident memory of the process and of all below it, in
	// bytes. The command status adds it; the socket does not tell it.
	Memory int64 `json:"memory,omitempty"`
}

// Reply answers a verb, or says in Error why it is not done.
type Reply struct {
	Error  string   `json:"error,omitempty"`
	Text   string   `json:"text,omitempty"`
	Names  []string `json:"names,omitempty"`
	Status *Status  `json:"status,omitempty"`
}

// JSON is what GET /status answers.
func (s *Status) JSON() []byte { return encoded(s) }

// encoded is a value on one line.
func encoded(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil { // a status and a reply hold nothing that JSON cannot
		panic(err)
	}
	return append(text, '\n')
}

// StatusOf gives a status its JSON form; budget is that of a stop.
func StatusOf(s launcher.Status, budget time.Duration) *Status {
	out := &Status{
		Version: s.Version, Time: s.Time, PID: s.PID, Began: s.Began, Budget: budget.String(),
		Quiet: s.Quiet, Stopping: s.Stopping, StopBy: s.StopBy, Restart: s.Restart, Adopted: s.Adopted,
		RestartsAsked: s.Asked, RestartsOver: s.Over, RestartAborted: s.Aborted,
		Processes: make([]Process, 0, len(s.Processes)),
	}
	for i := range s.Processes {
		p := &s.Processes[i]
		one := Process{
			Name: p.Name, Type: p.Type, Slot: p.Slot, State: p.State.String(), Since: p.Since, PID: p.PID,
			Started: p.Started, Ready: p.Ready, Probe: p.Probe, Replaced: p.Replaced, Quieted: p.Quieted, Drained: p.Drained, HearsQuiet: p.HearsQuiet,
			Says: p.Says, Restarts: p.Restarts, Failed: p.Failed, Ended: p.Ended, Old: p.Old, Done: p.Done, Draining: p.Draining,
			Dir: p.Dir, Revision: p.Revision, Server: p.Server,
		}
		if p.State == launcher.Waiting {
			one.NextStart = p.NextStart
		}
		out.Processes = append(out.Processes, one)
	}
	return out
}
