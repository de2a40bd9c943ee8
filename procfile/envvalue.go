package procfile

import (
	"slices"
	"strings"
)

// isEnvBlank is godotenv's idea of a blank within a line.
func isEnvBlank(r rune) bool {
	switch r {
	case '\t', '\v', '\f', '\r', ' ', 0x85, 0xA0:
		return true
	}
	return false
}

// closingQuote is where the quote that text begins with is closed: the next
// one with no backslash before it; -1 where there is none.
func closingQuote(text string) int {
	for i := 1; i < len(text); i++ {
		if text[i] == text[0] && text[i-1] != '\\' {
			return i
		}
	}
	return -1
}

// unquotedValue is a value less its comment, as godotenv cuts it: at the last
// # that follows a blank.
func unquotedValue(line string) string {
	runes := []rune(line)
	for i := len(runes) - 1; i > 0; i-- {
		if runes[i] == '#' && isEnvBlank(runes[i-1]) {
			return string(runes[:i])
		}
	}
	return line
}

// missing lists what a value refers to and no variable before it sets.
// godotenv knows $NAME and ${NAME} of capitals, digits and _; a backslash
// before the $ or a parenthesis after it keeps it as it is.
func missing(value string, set []Variable) []string {
	var names []string
	for i := 0; i < len(value); i++ {
		if value[i] != '$' || i > 0 && value[i-1] == '\\' {
			continue
		}
		rest := strings.TrimPrefix(value[i+1:], "{")
		n := 0
		for n < len(rest) && isNameByte(rest[n]) && (rest[n] < 'a' || rest[n] > 'z') {
			n++
		}
		name := rest[:n]
		known := slices.ContainsFunc(set, func(v Variable) bool { return v.Name == name })
		if name != "" && !known && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
