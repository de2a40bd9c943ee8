package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
)

// How mistakes of the user are noted, brought together and told: all at once, each
// with its place.

// wrong is the mistake in the value of the setting that name names: a flag or
// a variable.
func wrong(name, what, remedy string) error {
	return &procfile.Problem{Setting: name, What: what, Remedy: remedy}
}

// cause is an error of the file system without the path, which is said already.
func cause(err error) string {
	if p := new(fs.PathError); errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// mistakes takes errors that are told together apart.
func mistakes(err error) []error {
	var all *multierror.Error
	if errors.As(err, &all) {
		return all.WrappedErrors()
	}
	return []error{err}
}

// together makes one error of those that are not nil, in the order of files and
// lines: first what stands in no file, then file by file as they came.
func together(errs ...error) error {
	var all *multierror.Error
	var files []string
	for _, err := range errs {
		if err == nil {
			continue
		}
		for _, one := range mistakes(err) {
			all = multierror.Append(all, one)
			if file, _ := placeOf(one); !slices.Contains(files, file) {
				files = append(files, file)
			}
		}
	}
	if all == nil {
		return nil
	}
	slices.SortStableFunc(all.Errors, func(a, b error) int {
		fileA, lineA := placeOf(a)
		fileB, lineB := placeOf(b)
		switch {
		case fileA == fileB:
			return lineA - lineB
		case fileA == "":
			return -1
		case fileB == "":
			return 1
		}
		return slices.Index(files, fileA) - slices.Index(files, fileB)
	})
	return all
}

// placeOf is the file and the line of a mistake, "" and 0 where it has none.
func placeOf(err error) (file string, line int) {
	if p := new(procfile.Problem); errors.As(err, &p) {
		return p.File, p.Line
	}
	return "", 0
}

// oneMistake puts mistakes that are told together into one line of the log.
func oneMistake(err error) error {
	var words []string
	for _, one := range mistakes(err) {
		words = append(words, one.Error())
	}
	return errors.New(strings.Join(words, "; "))
}

// inFile gives mistakes their place.
func inFile(err error, file string, line int) []error {
	all := multierror.Append(nil, err).Errors
	for _, err := range all {
		if p := new(procfile.Problem); errors.As(err, &p) {
			p.File, p.Line = file, line
		}
	}
	return all
}

// complain writes every mistake to standard error, one a line, in one write.
func complain(err error) {
	var b strings.Builder
	for _, one := range mistakes(err) {
		fmt.Fprintf(&b, "launcher: %v\n", one)
	}
	os.Stderr.WriteString(b.String())
}

// mistake notes one; k may be nil.
func (s *resolution) mistake(k *kind, what, remedy string) {
	p := &procfile.Problem{What: what, Remedy: remedy}
	if k != nil {
		p.Setting = k.name
		if k.line > 0 {
			p.File, p.Line = s.Procfile, k.line
		}
	}
	s.mistakes = multierror.Append(s.mistakes, p)
}

// mistakeOnce notes a mistake that several types would tell.
func (s *resolution) mistakeOnce(p error) {
	if s.mistakes != nil {
		for _, err := range s.mistakes.Errors {
			if err.Error() == p.Error() {
				return
			}
		}
	}
	s.mistakes = multierror.Append(s.mistakes, p)
}

// mistakeIn notes one in the value of a setting.
func (s *resolution) mistakeIn(setting, what, remedy string) {
	s.mistakeOnce(wrong(setting, what, remedy))
}

// warn notes what is to be logged at start, with file and line.
func (s *resolution) warn(k *kind, what, remedy string) {
	p := &procfile.Problem{Setting: k.name, What: what, Remedy: remedy}
	if k.line > 0 {
		p.File, p.Line = s.Procfile, k.line
	}
	s.made.Warnings = append(s.made.Warnings, p.Error())
}

// remark is warn of a setting, which does not change: said once.
func (s *resolution) remark(k *kind, what, remedy string) {
	if s.first {
		s.warn(k, what, remedy)
	}
}

// wrongLine notes an error that package procfile found in a line.
func (s *resolution) wrongLine(k *kind, err error) {
	if p := new(procfile.Problem); errors.As(err, &p) {
		s.mistake(k, p.What, p.Remedy)
		return
	}
	s.mistake(k, err.Error(), "correct the line")
}
