package procfile

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/joho/godotenv"
)

// Variable is one variable of an env file.
type Variable struct {
	Name, Value string
	Line        int // of the assignment that counts, the last; from 1

	// Missing names what the value refers to as $NAME and no earlier line of
	// the file sets. It became nothing: the real environment is not
	// interpolated (P55).
	Missing []string
}

// ParseEnv reads an env file. The values are exactly godotenv's; the names, the
// quotes and the line numbers are checked here, because godotenv takes
// `B C=2` and tells no lines (P55). Of a name set twice the last counts; the
// order is that of first appearance. All mistakes are told at once: err is a
// *multierror.Error of *Problem, and then there are no variables.
func ParseEnv(file string, text []byte) ([]Variable, error) {
	p := problems{file: file}
	text, ok := plainText(&p, text)
	if !ok {
		return nil, p.err()
	}
	// As godotenv does, which gets the text as it is: \r\r\n would become
	// another thing each time.
	s := envScanner{problems: &p, text: string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))), line: 1}
	variables := s.scan()
	if err := p.err(); err != nil {
		return nil, err
	}
	values, err := godotenv.UnmarshalBytes(text)
	if err != nil {
		p.add(0, "", err.Error(), "write NAME=VALUE lines")
		return nil, p.err()
	}
	for i := range variables {
		v := &variables[i]
		value, ok := values[v.Name]
		if !ok {
			p.add(v.Line, v.Name, "is not read as a variable", "write NAME=VALUE on a line of its own")
		}
		v.Value = value
	}
	return variables, p.err()
}

// envScanner finds the statements that godotenv will find, with their lines.
type envScanner struct {
	*problems
	text string // what is left
	line int    // of text[0]

	// The last value that ran over several lines: where a quote was forgotten,
	// the mistake shows far below it.
	open     string
	openLine int
}

func (s *envScanner) scan() []Variable {
	var found []Variable
	for {
		s.skip(len(s.text) - len(strings.TrimLeftFunc(s.text, unicode.IsSpace)))
		if s.text == "" {
			return found
		}
		if s.text[0] == '#' {
			s.skipLine()
			continue
		}
		v, ok := s.statement()
		if !ok {
			s.skipLine()
			continue
		}
		v.Missing = missing(v.Value, found)
		v.Value = ""
		if i := slices.IndexFunc(found, func(w Variable) bool { return w.Name == v.Name }); i >= 0 {
			found[i] = v
		} else {
			found = append(found, v)
		}
	}
}

func (s *envScanner) skip(n int) {
	s.line += strings.Count(s.text[:n], "\n")
	s.text = s.text[n:]
}

func (s *envScanner) skipLine() {
	if i := strings.IndexByte(s.text, '\n'); i >= 0 {
		s.skip(i)
	} else {
		s.text = ""
	}
}

// statement reads `[export] NAME=VALUE`. The Value is the text that godotenv
// would interpolate.
func (s *envScanner) statement() (Variable, bool) {
	line := s.line
	name, ok := s.name()
	if !ok {
		return Variable{}, false
	}
	s.skip(len(s.text) - len(strings.TrimLeftFunc(s.text, isEnvBlank)))
	v := Variable{Name: name, Line: line}
	if s.text == "" || s.text[0] != '"' && s.text[0] != '\'' {
		n := strings.IndexAny(s.text, "\r\n")
		if n < 0 {
			n = len(s.text)
		}
		v.Value = unquotedValue(s.text[:n])
		s.skip(n)
		return v, true
	}
	quote := s.text[0]
	end := closingQuote(s.text)
	if end < 0 {
		s.add(line, name, fmt.Sprintf("the quote %c is not closed", quote), fmt.Sprintf("add a %c at the end of the value", quote))
		return v, false
	}
	if quote == '"' {
		v.Value = s.text[1:end]
	}
	s.skip(end + 1)
	if s.line > line {
		s.open, s.openLine = name, line
	}
	return v, s.afterQuote(v)
}

// name reads up to the = (or the : of YAML, which godotenv takes too).
func (s *envScanner) name() (string, bool) {
	rest, _, _ := strings.Cut(s.text, "\n")
	rest, _, _ = strings.Cut(rest, "\r")
	line := rest
	if after, ok := strings.CutPrefix(rest, "export"); ok {
		if t := strings.TrimLeftFunc(after, isEnvBlank); t != after {
			rest = t
		}
	}
	n := strings.IndexAny(rest, "=:")
	name := rest
	if n >= 0 {
		name = strings.TrimRightFunc(rest[:n], unicode.IsSpace)
	}
	what, remedy := "", "write NAME=VALUE, the name of letters, digits and _"
	switch {
	case n < 0:
		what = fmt.Sprintf("%s is not NAME=VALUE", strconv.Quote(shorten(line)))
	case name == "":
		what = "no name before the " + rest[n:n+1]
	case strings.ContainsFunc(name, isEnvBlank):
		what = fmt.Sprintf("a blank in the name %s", strconv.Quote(shorten(name)))
	case !validEnvName(name):
		what = fmt.Sprintf("%s is no name of a variable", strconv.Quote(shorten(name)))
	default:
		s.skip(len(line) - len(rest) + n + 1)
		return name, true
	}
	if s.open != "" {
		remedy += fmt.Sprintf(" (or the quote of %s on line %d is not closed where it should be)", s.open, s.openLine)
	}
	s.add(s.line, "", what, remedy)
	return "", false
}

// afterQuote refuses what follows a closing quote: godotenv would take it for
// another statement.
func (s *envScanner) afterQuote(v Variable) bool {
	rest, _, _ := strings.Cut(s.text, "\n")
	rest = strings.TrimFunc(rest, unicode.IsSpace)
	if rest == "" || rest[0] == '#' {
		return true
	}
	s.add(s.line, v.Name, fmt.Sprintf("text after the closing quote: %s", strconv.Quote(shorten(rest))),
		"quote the whole value, and write a quote in it as \\\"")
	return false
}

// validEnvName takes dots too: Java programs are configured by such names.
func validEnvName(s string) bool {
	return s != "" && s[0] != '.' && validName(strings.ReplaceAll(s, ".", "_"))
}
