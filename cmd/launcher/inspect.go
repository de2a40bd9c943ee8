package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"dyno/launcher"
	"dyno/procfile"

	"mvdan.cc/sh/v3/syntax"
)

// inspect looks at what a type runs for what cannot be right (DESIGN 2).
func (s *resolution) inspect(k *kind) {
	if k.broken {
		return
	}
	programs := k.programs()
	for _, p := range programs {
		s.refuseDaemon(k, p)
	}
	s.refuseBackground(k)
	s.remarkQuote(k)
	s.inspectWords(k)
	if k.count > 0 {
		s.inspectTimeouts(k, programs)
	}
	if k.count > 1 {
		s.inspectNames(k, programs)
	}
}

// program is one command of a line: its words with variables as they are
// written, and where among them the program's own name is, behind wrappers
// like env and bundle exec.
type program struct {
	words []string
	name  string   // the last part of the program's path
	args  []string // what follows it
}

// programs are those of a line, or of a script that exec hands to a shell.
func (k *kind) programs() []program {
	var calls [][]string
	script, scripted := k.script()
	if scripted {
		calls = commandsOf(script)
	} else {
		calls = [][]string{k.words}
	}
	var programs []program
	for _, words := range calls {
		if len(words) > 0 {
			programs = append(programs, unwrapProgram(words))
		}
	}
	return programs
}

// script is the text that a shell would read: the line of a Procfile, or what
// exec gives to sh -c.
func (k *kind) script() (string, bool) {
	if k.words == nil {
		return k.text, true
	}
	switch filepath.Base(k.words[0]) {
	case "sh", "bash", "dash", "ash":
	default:
		return "", false
	}
	for i, w := range k.words[1:] {
		if !strings.HasPrefix(w, "-") {
			break
		}
		if !strings.HasPrefix(w, "--") && strings.HasSuffix(w, "c") && i+2 < len(k.words) {
			return k.words[i+2], true
		}
	}
	return "", false
}

// commandsOf are the words of every simple command in a script; those of
// substitutions too. What cannot be read has none.
func commandsOf(script string) [][]string {
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	if err != nil {
		return nil
	}
	var all [][]string
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		text := script[call.Args[0].Pos().Offset():call.Args[len(call.Args)-1].End().Offset()]
		if c, err := procfile.ParseCommand(text); err == nil {
			all = append(all, c.Words())
		}
		return true
	})
	return all
}

// unwrapProgram finds the program of a command, behind wrappers and
// interpreters. What an entry point of an image makes of its arguments is its
// own affair.
func unwrapProgram(words []string) program {
	inner := words
	if !strings.Contains(filepath.Base(words[0]), "entrypoint") {
		inner = launcher.Program(words)
	}
	if len(inner) == 0 {
		inner = words
	}
	return program{words: words, name: filepath.Base(inner[0]), args: inner[1:]}
}

// value is the value of the first of these flags; given false where none is.
// Of long ones --flag=value is read too, of short ones -fvalue.
func (p program) value(flags ...string) (value string, given bool) {
	for i, arg := range p.args {
		for _, flag := range flags {
			switch {
			case arg == flag && i+1 < len(p.args):
				return p.args[i+1], true
			case strings.HasPrefix(flag, "--") && strings.HasPrefix(arg, flag+"="):
				return arg[len(flag)+1:], true
			case len(flag) == 2 && strings.HasPrefix(arg, flag) && len(arg) > 2:
				return arg[2:], true
			}
		}
	}
	return "", false
}

// has tells whether an argument is one of these.
func (p program) has(args ...string) bool {
	return slices.ContainsFunc(p.args, func(a string) bool { return slices.Contains(args, a) })
}

// inspectWords warns of our own variables among the words of exec: there is no
// shell to put their values in.
func (s *resolution) inspectWords(k *kind) {
	if _, scripted := k.script(); scripted {
		return
	}
	for _, word := range k.words {
		for _, name := range []string{"STOP_TIMEOUT", "INDEX", "COUNT", "PS", "PORT"} {
			if procfile.Uses(word, name) {
				s.remark(k, fmt.Sprintf("exec passes words on as they are: %s stays %s", word, word),
					"write launcher exec -- sh -c 'exec COMMAND', or put the command into a Procfile")
			}
		}
	}
}

// inspectNames warns where several processes would take themselves for one.
func (s *resolution) inspectNames(k *kind, programs []program) {
	for _, p := range programs {
		index, given := p.value("-i", "--index")
		node, _ := p.value("-n", "--hostname")
		server, _ := launcher.Identify(p.words)
		switch {
		case p.name == "sidekiqswarm":
			s.warn(k, fmt.Sprintf("%d times sidekiqswarm, each of which starts COUNT processes of its own", k.count),
				"write sidekiq: the launcher stands in sidekiqswarm's place")
		case p.name == "sidekiq" && given && !procfile.Uses(index, "INDEX"):
			s.warn(k, fmt.Sprintf("all %d processes are sidekiq -i %s", k.count, index), "write sidekiq -i $INDEX")
		case p.name == "celery" && p.has("worker") && !procfile.Uses(node, "INDEX") && !procfile.Uses(node, "PS"):
			s.warn(k, fmt.Sprintf("all %d celery workers have the same node name", k.count), "write celery worker -n worker$INDEX@%h")
		case server.Alone && p.name != "sidekiq":
			s.warn(k, fmt.Sprintf("%s runs %d times, and each schedules everything", server.Name, k.count), fmt.Sprintf("run %s=1", k.name))
		}
	}
}

// remarkPorts warns where a type of start has so many processes that their
// ports run into the next type's, as foreman's do.
func (s *resolution) remarkPorts() {
	for _, k := range s.kinds {
		next := func(other *kind) bool {
			return other.place > k.place && other.count > 0 && (other.place-k.place)*portsPerType < k.count
		}
		if i := slices.IndexFunc(s.kinds, next); i >= 0 {
			s.remark(k, fmt.Sprintf("%d processes have ports that %s has too: types are %d apart", k.count, s.kinds[i].name, portsPerType),
				"start it with a launcher of its own")
		}
	}
}

// sharesPort tells whether --listen none was given for a type.
func (s *resolution) sharesPort(k *kind) bool {
	own := s.Types[k.name]
	switch {
	case k.wrapped.ListenNone:
		return true
	case own.from["listen"] != "" && s.Given["listen"] == "":
		return own.ListenNone
	}
	return s.ListenNone
}

// inspectPorts refuses several processes of run that use the one $PORT.
func (s *resolution) inspectPorts() {
	if s.Command == "start" {
		s.remarkPorts()
	}
	if s.Command != "run" || s.ListenNone && s.From["listen"] == "" {
		return
	}
	var users []*kind
	total := 0
	for _, k := range s.kinds {
		if !k.broken && !s.sharesPort(k) && len(k.sockets) == 0 && k.count > 0 && procfile.Uses(k.text, "PORT") {
			users = append(users, k)
			total += k.count
		}
	}
	if total < 2 {
		return
	}
	var names []string
	for _, k := range users {
		names = append(names, fmt.Sprintf("%s=%d", k.name, k.count))
	}
	s.mistake(users[len(users)-1], fmt.Sprintf("%d processes use the one $PORT (%s)", total, strings.Join(names, " ")),
		"run one of them and let it have workers of its own; or launcher start, which gives each a PORT; or share one socket with --listen tcp://0.0.0.0:$PORT; or insist with --listen none where they share it themselves (SO_REUSEPORT)")
}
