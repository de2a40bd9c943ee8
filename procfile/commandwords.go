package procfile

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Words are the words of the line's last simple command, for telling which
// server it is: quotes removed, variables as they are written, assignments and
// a leading exec left out. nil where the line cannot be read.
func (c Command) Words() []string {
	if len(c.Line) > longestLine {
		return nil
	}
	file, err := parseShell(c.Line, syntax.LangBash)
	if err != nil {
		return nil
	}
	stmt := lastStmt(file.Stmts)
	if stmt == nil {
		return nil
	}
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok {
		return nil
	}
	var out []string
	for _, w := range call.Args {
		out = append(out, c.display(w))
	}
	if len(out) > 1 && out[0] == "exec" {
		out = out[1:]
	}
	return out
}

// display is a word without its quotes, expansions as written.
func (c Command) display(w *syntax.Word) string {
	var b strings.Builder
	var add func(parts []syntax.WordPart, quoted bool)
	add = func(parts []syntax.WordPart, quoted bool) {
		for _, wp := range parts {
			switch wp := wp.(type) {
			case *syntax.Lit:
				if quoted {
					b.WriteString(unescapeQuoted(wp.Value))
				} else {
					b.WriteString(unescapeUnquoted(wp.Value))
				}
			case *syntax.SglQuoted:
				b.WriteString(wp.Value)
			case *syntax.DblQuoted:
				add(wp.Parts, true)
			default:
				b.WriteString(c.Line[wp.Pos().Offset():wp.End().Offset()])
			}
		}
	}
	add(w.Parts, false)
	return b.String()
}

func unescapeUnquoted(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) {
			i++
		}
		b.WriteByte(raw[i])
	}
	return b.String()
}
