package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"dyno/launcher"
	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
)

// choose finds out which process types run.
func (s *resolution) choose() {
	if s.Command == "exec" {
		s.chooseCommand()
		return
	}
	entries, sound, ok := s.readProcfile()
	if !ok {
		return
	}
	for _, e := range entries {
		s.names = append(s.names, e.Type)
	}
	if s.Command == "start" {
		s.chooseAll(entries)
	} else {
		s.chooseNamed(entries, sound)
	}
	if sound {
		s.checkNames()
	}
}

// chooseCommand makes a type of exec's one command.
func (s *resolution) chooseCommand() {
	if len(s.Words) == 0 || s.Words[0] == "" {
		s.mistake(nil, "no command to run", "write launcher exec -- COMMAND ARG …")
		return
	}
	s.kinds = []*kind{{name: commandType(s.Words), words: s.Words}}
}

// commandType names the type of a command: the server that it is, or else its
// first word's last part, of the letters that a type may have.
func commandType(words []string) string {
	name := filepath.Base(words[0])
	if server, ok := launcher.Identify(words); ok {
		name = server.Name
	}
	name = strings.Trim(strings.Map(typeLetter, name), "-")
	return cmp.Or(name, "command")
}

// typeLetter makes - of what a type cannot have.
func typeLetter(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
		return r
	}
	return '-'
}

// readProcfile reads the Procfile; sound is false where lines of it are wrong,
// ok where it could not be read at all.
func (s *resolution) readProcfile() (entries []procfile.Entry, sound, ok bool) {
	text, err := readText(s.path(s.Procfile))
	if err != nil {
		p := &procfile.Problem{
			File: s.Procfile, What: "cannot read the Procfile: " + cause(err),
			Remedy: "name another with --procfile",
		}
		if errors.Is(err, fs.ErrNotExist) {
			p.What = "there is no Procfile " + s.path(s.Procfile)
			p.Remedy = "name one with --procfile, or run a command without one: launcher exec -- " + s.meant()
		}
		s.mistakes = multierror.Append(s.mistakes, p)
		return nil, false, false
	}
	entries, err = procfile.Parse(s.Procfile, text)
	if err != nil {
		s.mistakes = multierror.Append(s.mistakes, err)
	} else if len(entries) == 0 {
		s.mistakes = multierror.Append(s.mistakes, &procfile.Problem{
			File: s.Procfile, What: "defines no process type", Remedy: "write a line TYPE: COMMAND",
		})
		return nil, false, false
	}
	return entries, err == nil, true
}

// meant is the command that the words may have been.
func (s *resolution) meant() string {
	words := slices.Concat(s.Words, s.Args)
	if len(words) < 2 || strings.Contains(words[0], "=") {
		return "COMMAND"
	}
	return strings.Join(words, " ")
}

// leftOut tells whether start leaves a type out: it is for one command, once.
func leftOut(name string) bool { return name == "release" || name == "console" }

// chooseAll takes every type in the Procfile's order, as foreman does.
func (s *resolution) chooseAll(entries []procfile.Entry) {
	place := 0
	for _, e := range entries {
		if leftOut(e.Type) {
			s.refuseLeftOut(e)
			continue
		}
		s.kinds = append(s.kinds, &kind{name: e.Type, line: e.Line, text: e.Command, place: place})
		place++
	}
}

func (s *resolution) refuseLeftOut(e procfile.Entry) {
	if s.Formation == nil {
		return
	}
	if n, named := s.Formation.ByType[e.Type]; named && n != (procfile.Count{}) {
		s.mistakeIn(s.source("formation"), fmt.Sprintf("%s=%s, and start leaves %s out", e.Type, n, e.Type), "launcher run "+e.Type)
	}
}

// chooseNamed takes the types that run names, in that order.
func (s *resolution) chooseNamed(entries []procfile.Entry, sound bool) {
	if len(s.Words) == 0 {
		s.mistake(nil, "no process type to run", s.offer("name one"))
		return
	}
	for i, word := range s.Words {
		name, n, err := procfile.ParseTypeArg(word)
		at := slices.IndexFunc(entries, func(e procfile.Entry) bool { return e.Type == name })
		switch {
		case i == 0 && s.isCommand(word, at >= 0):
			if sound {
				s.refuseCommand(word)
			}
			return
		case err != nil:
			s.mistakes = multierror.Append(s.mistakes, err)
		case at < 0:
			if sound {
				s.refuseType(name)
			}
		case slices.ContainsFunc(s.kinds, func(k *kind) bool { return k.name == name }):
			s.mistakeIn(word, name+" is named twice", fmt.Sprintf("for two processes write %s=2", name))
		default:
			e := entries[at]
			s.kinds = append(s.kinds, &kind{name: name, line: e.Line, text: e.Command, asked: n})
		}
	}
}

// isCommand tells whether the words look like a command rather than types:
// `launcher run rake db:migrate`.
func (s *resolution) isCommand(word string, known bool) bool {
	return !known && !strings.Contains(word, "=") && procfile.Suggest(word, s.names) == "" && len(s.Words)+len(s.Args) > 1
}

func (s *resolution) refuseCommand(word string) {
	s.mistake(nil, fmt.Sprintf("%q is no process type of %s", word, s.Procfile),
		fmt.Sprintf("%s; a command that is not in it is run by: launcher exec -- %s", s.offer("name one of them"), s.meant()))
}

func (s *resolution) refuseType(name string) {
	remedy := s.offer("name one of them")
	if near := procfile.Suggest(name, s.names); near != "" {
		remedy = fmt.Sprintf("did you mean %s? (%s)", near, s.offer("the types"))
	}
	if s.Command == "run" && len(s.Words)+len(s.Args) > 1 {
		remedy += "; a command that is not in the Procfile is run by: launcher exec -- " + s.meant()
	}
	s.mistake(nil, fmt.Sprintf("%q is no process type of %s", name, s.Procfile), remedy)
}

func (s *resolution) offer(what string) string {
	return what + ": " + strings.Join(s.names, ", ")
}

// checkNames refuses counts for types that are not there.
func (s *resolution) checkNames() {
	if s.Formation != nil {
		s.checkCounts(s.source("formation"), *s.Formation)
	}
	if s.CountFrom != "" {
		s.checkCounts(s.CountFrom, s.Count)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		if !slices.Contains(s.names, name) {
			table := s.Types[name]
			s.mistakes = multierror.Append(s.mistakes, &procfile.Problem{
				File: table.file, Line: table.line, Setting: "[process." + name + "]",
				What: fmt.Sprintf("%q is no process type of %s", name, s.Procfile), Remedy: s.nearest(name),
			})
		}
	}
}

// nearest is the remedy for a type that is not there.
func (s *resolution) nearest(name string) string {
	if near := procfile.Suggest(name, s.names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return s.offer("the types are")
}

func (s *resolution) checkCounts(setting string, counts procfile.Counts) {
	for _, name := range slices.Sorted(maps.Keys(counts.ByType)) {
		if slices.Contains(s.names, name) {
			continue
		}
		s.mistakeIn(setting, fmt.Sprintf("%q is no process type of %s", name, s.Procfile), s.nearest(name))
	}
}
