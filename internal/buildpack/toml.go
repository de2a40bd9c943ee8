package buildpack

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"dyno/procfile"
)

// launchTOML is launch.toml. A library's encoder would cost the binary 115 KB.
func launchTOML(processes []process) (string, error) {
	var b strings.Builder
	for i, p := range processes {
		if i > 0 {
			b.WriteByte('\n')
		}
		words := make([]string, len(p.command))
		for i, word := range p.command {
			if !utf8.ValidString(word) {
				return "", &procfile.Problem{Setting: p.typ, What: fmt.Sprintf("%q is no UTF-8", word), Remedy: "TOML can hold nothing else"}
			}
			words[i] = quote(word)
		}
		fmt.Fprintf(&b, "[[processes]]\ntype = %s\ncommand = [%s]\n", quote(p.typ), strings.Join(words, ", "))
		if p.first {
			b.WriteString("default = true\n")
		}
	}
	return b.String(), nil
}

// quote makes a basic string of TOML 1.0: quotation mark, backslash and control
// characters are escaped.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
