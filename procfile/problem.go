// Package procfile turns text into values: Procfiles, env files, shell words,
// counts and indexes (DESIGN 2 and 4). It is pure: it opens no file, reads no
// environment and starts nothing; what it has to look up is passed in.
package procfile

import (
	"strconv"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// Problem is one mistake in what the user wrote.
type Problem struct {
	File    string // the file's name as the user gave it; "" for a flag or a variable
	Line    int    // from 1; 0 where there is none
	Setting string // process type, variable or flag concerned; "" where there is none
	What    string // what is wrong
	Remedy  string // what to do about it
}

// Error is one line: "Procfile:3: worker: no command; write worker: COMMAND".
func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			b.WriteByte(':')
			b.WriteString(strconv.Itoa(p.Line))
		}
		b.WriteString(": ")
	}
	if p.Setting != "" {
		b.WriteString(p.Setting)
		b.WriteString(": ")
	}
	b.WriteString(p.What)
	if p.Remedy != "" {
		b.WriteString("; ")
		b.WriteString(p.Remedy)
	}
	return b.String()
}

// problems collects mistakes, so that all of them are told at once.
type problems struct {
	file string
	errs *multierror.Error
}

func (p *problems) add(line int, setting, what, remedy string) {
	p.errs = multierror.Append(p.errs, &Problem{File: p.file, Line: line, Setting: setting, What: what, Remedy: remedy})
}

// err is a *multierror.Error of *Problem, or nil.
func (p *problems) err() error { return p.errs.ErrorOrNil() }

// shorten keeps a quotation of the user's text to what fits a message.
func shorten(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
