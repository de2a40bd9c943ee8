package output

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxLine is the number of bytes above which a line is passed on in pieces.
const maxLine = 64 << 10

// timeLayout is RFC 3339 in UTC with microseconds.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// palette has the colours of names. Red is left to errors.
var palette = [...]int{36, 33, 32, 35, 34, 96, 93, 92, 95, 94}

// head returns what stands before each line of a process; in JSON mode up to
// the time.
func (o *Output) head(name, stream string) []byte {
	switch o.cfg.Mode {
	case Prefix:
		prefix := name + strings.Repeat(" ", max(0, o.cfg.Width-utf8.RuneCountInString(name))) + " | "
		if !o.cfg.Color {
			return []byte(prefix)
		}
		return []byte("\x1b[" + strconv.Itoa(o.color(name)) + "m" + prefix + "\x1b[0m")
	case JSON:
		b := appendString([]byte(`{"process":`), []byte(name))
		b = appendString(append(b, `,"stream":`...), []byte(stream))
		return append(b, `,"time":"`...)
	case Raw:
	}
	return nil
}

// color returns the colour of a name: always the same one in one run.
func (o *Output) color(name string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, ok := o.colors[name]
	if !ok {
		i = len(o.colors)
		o.colors[name] = i
	}
	return palette[i%len(palette)]
}

// objectHead returns the beginning of an object that a process wrote itself.
func objectHead(name string) []byte {
	return appendString([]byte(`{"process":`), []byte(name))
}

// appendJSON appends a line as an object. partial says that the line goes on in
// the next object of the same process and stream.
func appendJSON(b []byte, s *source, stamp, line []byte, partial bool) []byte {
	if !partial && isObject(line) {
		return appendObject(b, s.object, line)
	}
	b = append(append(b, s.head...), stamp...)
	b = appendString(append(b, `","line":`...), line)
	if partial {
		b = append(b, `,"partial":true`...)
	}
	return append(b, "}\n"...)
}

// isObject reports whether a line is a JSON object to which "process" can be
// added: one that has it already is passed on as text, so that neither is lost.
func isObject(line []byte) bool {
	line = bytes.TrimSpace(line)
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' || !utf8.Valid(line) || !json.Valid(line) {
		return false
	}
	if !bytes.Contains(line, []byte(`"process"`)) {
		return true
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil {
		return false
	}
	_, taken := fields["process"]
	return !taken
}

// appendObject appends a process's own object with "process" put first; its
// bytes stay as they are.
func appendObject(b, head, line []byte) []byte {
	rest := bytes.TrimLeft(bytes.TrimSpace(line)[1:], " \t\r")
	b = append(b, head...)
	if rest[0] != '}' {
		b = append(b, ',')
	}
	return append(append(b, rest...), '\n')
}

// appendString appends text as a JSON string (RFC 8259 section 7), each byte
// that is not UTF-8 as U+FFFD.
func appendString(b, text []byte) []byte {
	b = append(b, '"')
	plain := 0 // where what can be copied begins
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(text[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		b = append(b, text[plain:i]...)
		b = appendEscaped(b, c)
		i += size
		plain = i
	}
	b = append(b, text[plain:]...)
	return append(b, '"')
}

// appendEscaped appends a byte that cannot stand in a JSON string as it is.
func appendEscaped(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch {
	case c == '"' || c == '\\':
		return append(b, '\\', c)
	case c == '\n':
		return append(b, `\n`...)
	case c == '\r':
		return append(b, `\r`...)
	case c == '\t':
		return append(b, `\t`...)
	case c >= utf8.RuneSelf:
		return utf8.AppendRune(b, utf8.RuneError)
	default:
		return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
}

// pieceEnd returns where to cut a line that is too long: at maxLine bytes, or up
// to three before so as not to cut a character.
func pieceEnd(line []byte) int {
	for end := maxLine; end > maxLine-utf8.UTFMax; end-- {
		if utf8.RuneStart(line[end]) {
			return end
		}
	}
	return maxLine
}

// completed returns a line with its newline.
func completed(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		return line
	}
	return append(line, '\n')
}
