package procfile

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Entry is one process type of a Procfile.
type Entry struct {
	Type    string // [A-Za-z0-9_-]+
	Command string // shell text, continuation lines joined, blanks around it removed
	Line    int    // where it begins, from 1
}

// Parse reads a Procfile (DESIGN 2): `TYPE: COMMAND` lines, comments, blank
// lines, CRLF, a byte order mark, and lines that a trailing backslash
// continues. All mistakes are told at once: err is a *multierror.Error of
// *Problem, and the entries are those that are right.
func Parse(file string, text []byte) ([]Entry, error) {
	p := problems{file: file}
	text, ok := plainText(&p, text)
	if !ok {
		return nil, p.err()
	}
	var entries []Entry
	first := map[string]int{}
	for _, l := range joinLines(&p, text) {
		e, ok := parseEntry(&p, l)
		if !ok {
			continue
		}
		if line, twice := first[e.Type]; twice {
			p.add(e.Line, e.Type, fmt.Sprintf("is defined a second time, first on line %d", line), "rename or remove one of them")
			continue
		}
		first[e.Type] = e.Line
		if e.Command != "" {
			entries = append(entries, e)
		}
	}
	return entries, p.err()
}

// plainText removes a byte order mark and refuses what is no text.
func plainText(p *problems, text []byte) ([]byte, bool) {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		p.add(1, "", "is UTF-16", "save it as UTF-8")
		return nil, false
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if i := bytes.IndexByte(text, 0); i >= 0 {
		p.add(1+bytes.Count(text[:i], []byte("\n")), "", "holds a NUL byte", "save it as plain text")
		return nil, false
	}
	return text, true
}

// logicalLine is a line with those that continue it; number is its first.
type logicalLine struct {
	text   string
	number int
}

// joinLines joins as a shell does: backslash and line end vanish. Comments and
// blank lines are left out; a comment is never continued.
func joinLines(p *problems, text []byte) []logicalLine {
	var lines []logicalLine
	var joined strings.Builder
	start := 0 // line on which the line being joined began; 0: none is
	number := 0
	for raw := range strings.SplitSeq(string(text), "\n") {
		number++
		raw = strings.TrimSuffix(raw, "\r")
		if strings.Contains(raw, "\r") {
			p.add(number, "", "holds a carriage return in the middle", "end lines with a newline")
			raw = strings.ReplaceAll(raw, "\r", " ")
		}
		if start == 0 {
			if t := strings.TrimSpace(raw); t == "" || t[0] == '#' {
				continue
			}
			start = number
		}
		if t := strings.TrimRight(raw, blanks); t != raw && continued(t) {
			p.add(number, "", "has blanks after the backslash at its end", "remove the blanks, so that the next line continues it")
			raw = t
		}
		if continued(raw) {
			joined.WriteString(raw[:len(raw)-1])
			continue
		}
		joined.WriteString(raw)
		lines = append(lines, logicalLine{joined.String(), start})
		joined.Reset()
		start = 0
	}
	if start > 0 {
		p.add(number, "", "ends in a backslash, and no line follows", "remove the backslash")
		lines = append(lines, logicalLine{joined.String(), start})
	}
	return lines
}

const blanks = " \t\v\f"

// continued tells whether the last backslash of a line is not itself escaped.
func continued(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// parseEntry reads one line. An entry with a wrong command comes back with
// none, so that its type still counts as defined.
func parseEntry(p *problems, l logicalLine) (Entry, bool) {
	line := strings.TrimSpace(l.text)
	if line == "" {
		return Entry{}, false
	}
	typ, command, colon := strings.Cut(line, ":")
	switch {
	case !colon || strings.ContainsAny(strings.TrimRight(typ, blanks), blanks):
		word, rest, _ := strings.Cut(line, " ")
		remedy := "write TYPE: COMMAND"
		if validType(word) && strings.TrimSpace(rest) != "" && !colon {
			remedy = fmt.Sprintf("write %s: %s", word, shorten(strings.TrimSpace(rest)))
		}
		p.add(l.number, "", fmt.Sprintf("%s is not TYPE: COMMAND", strconv.Quote(shorten(line))), remedy)
		return Entry{}, false
	case typ == "":
		p.add(l.number, "", "no process type before the colon", "write TYPE: COMMAND")
		return Entry{}, false
	case strings.TrimRight(typ, blanks) != typ && validType(strings.TrimRight(typ, blanks)):
		p.add(l.number, "", "a blank before the colon", fmt.Sprintf("write %s: without it", strings.TrimRight(typ, blanks)))
		return Entry{}, false
	case !validType(typ):
		p.add(l.number, "", fmt.Sprintf("%s is no process type", strconv.Quote(shorten(typ))), "use letters, digits, - and _ only")
		return Entry{}, false
	}
	e := Entry{Type: typ, Command: strings.TrimSpace(command), Line: l.number}
	if e.Command == "" || e.Command[0] == '#' {
		p.add(l.number, typ, "has no command", fmt.Sprintf("write %s: COMMAND, or remove the line", typ))
		e.Command = ""
	}
	return e, true
}

// validType tells whether a word can name a process type: [A-Za-z0-9_-]+.
func validType(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isNameByte(c) && c != '-' {
			return false
		}
	}
	return s != ""
}

// isNameByte tells whether c can be in the name of a shell variable.
func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// validName tells whether s is a name as the shell takes it.
func validName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s != "" && (s[0] < '0' || s[0] > '9')
}
