package procfile

import "strings"

// Uses tells whether a line uses $NAME or ${NAME…}, or NAME in $((…)), other
// than in single quotes, after a backslash or in a comment.
func Uses(line, name string) bool {
	double := false
	arithmetic := 0 // parentheses open since $((
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\':
			i++
		case c == '"':
			double = !double
		case c == '\'' && !double && arithmetic == 0:
			end := strings.IndexByte(line[i+1:], '\'')
			if end < 0 {
				return false
			}
			i += end + 1
		case c == '#' && !double && arithmetic == 0 && (i == 0 || strings.IndexByte(" \t\n;&|(", line[i-1]) >= 0):
			end := strings.IndexByte(line[i:], '\n')
			if end < 0 {
				return false
			}
			i += end
		case strings.HasPrefix(line[i:], "$(("):
			arithmetic += 2
			i += 2
		case arithmetic > 0 && c == '(':
			arithmetic++
		case arithmetic > 0 && c == ')':
			arithmetic--
		case arithmetic > 0 && isNameByte(c):
			n := nameLength(line[i:])
			if line[i:i+n] == name {
				return true
			}
			i += n - 1
		case c == '$':
			rest := strings.TrimLeft(line[i+1:], "{")
			if len(rest) < len(line)-i-1 {
				rest = strings.TrimLeft(rest, "#!")
			}
			if n := nameLength(rest); n > 0 && rest[:n] == name {
				return true
			}
		}
	}
	return false
}

// nameLength is how many bytes of a variable's name text begins with.
func nameLength(text string) int {
	n := 0
	for n < len(text) && isNameByte(text[n]) {
		n++
	}
	return n
}
