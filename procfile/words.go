package procfile

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// part is a piece of a word that every sh expands alike: a literal, a leading
// ~ (home), or a variable with, perhaps, a default of parts.
type part struct {
	literal  string
	name     string // of a variable; "" for a literal
	home     bool
	quoted   bool
	fallback []part // of ${NAME:-…}; nil where there is none
}

// word is a word without quotes.
type word []part

// static is the word's text where no variable is in it.
func (w word) static() (string, bool) {
	var b strings.Builder
	for _, p := range w {
		if p.name != "" || p.home {
			return "", false
		}
		b.WriteString(p.literal)
	}
	return b.String(), true
}

// compileWord takes a word apart. why says, in words, what only a shell can do
// with it; "" if nothing.
func compileWord(w *syntax.Word) (word, string) {
	var out word
	for i, wp := range w.Parts {
		parts, why := compilePart(wp, false, i == 0)
		if why != "" {
			return nil, why
		}
		out = append(out, parts...)
	}
	return out, ""
}

// compilePart takes one part of a word apart. first: it begins the word, where
// a ~ counts.
func compilePart(wp syntax.WordPart, quoted, first bool) ([]part, string) {
	switch wp := wp.(type) {
	case *syntax.Lit:
		if quoted {
			return []part{{literal: unescapeQuoted(wp.Value), quoted: true}}, ""
		}
		return compileLiteral(wp.Value, first)
	case *syntax.SglQuoted:
		if wp.Dollar {
			return nil, "$' is not every shell's"
		}
		return []part{{literal: wp.Value, quoted: true}}, ""
	case *syntax.DblQuoted:
		if wp.Dollar {
			return nil, `$" is not every shell's`
		}
		out := []part{{quoted: true}} // so that "" is a word
		for _, inner := range wp.Parts {
			parts, why := compilePart(inner, true, false)
			if why != "" {
				return nil, why
			}
			out = append(out, parts...)
		}
		return out, ""
	case *syntax.ParamExp:
		return compileParam(wp, quoted)
	case *syntax.CmdSubst:
		return nil, "it uses the output of a command"
	case *syntax.ArithmExp:
		return nil, "it does arithmetic"
	default:
		return nil, "its words are not plain"
	}
}

// compileLiteral reads unquoted text: backslashes removed, and nothing that a
// shell would expand.
func compileLiteral(raw string, first bool) ([]part, string) {
	var out []part
	if first && strings.HasPrefix(raw, "~/") {
		out = append(out, part{home: true})
		raw = raw[1:]
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch c {
		case '\\':
			i++
			if i == len(raw) {
				return nil, "it ends in a backslash"
			}
			// Quoted: no splitting, no glob. As literals are never split,
			// nothing needs to remember it.
			c = raw[i]
		case '*', '?', '[':
			return nil, fmt.Sprintf("it uses the glob character %c", c)
		case '{', '}':
			return nil, fmt.Sprintf("it uses the brace %c", c)
		case '~':
			return nil, "it uses ~ for something else than a leading ~/"
		case '$', '`':
			return nil, fmt.Sprintf("it uses %c", c)
		}
		b.WriteByte(c)
	}
	return append(out, part{literal: b.String()}), ""
}

// unescapeQuoted removes the backslashes that count within double quotes.
func unescapeQuoted(raw string) string {
	if !strings.Contains(raw, `\`) {
		return raw
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] == '\\' && i+1 < len(raw) && strings.IndexByte("$`\"\\", raw[i+1]) >= 0 {
			i++
		}
		b.WriteByte(raw[i])
	}
	return b.String()
}

// compileParam reads $NAME, ${NAME} and ${NAME:-…}.
func compileParam(p *syntax.ParamExp, quoted bool) ([]part, string) {
	plain := p.Flags == nil && !p.Excl && !p.Length && !p.Width && !p.IsSet && p.NestedParam == nil &&
		p.Index == nil && p.Modifiers == nil && p.Slice == nil && p.Repl == nil && p.Names == 0 && p.Param != nil
	if !plain {
		return nil, "it expands a variable in a way of its own"
	}
	name := p.Param.Value
	if !validName(name) {
		return nil, "it uses $" + name
	}
	if ownedByShell(name) {
		return nil, "the shell has a $" + name + " of its own"
	}
	out := part{name: name, quoted: quoted}
	if p.Exp != nil {
		if p.Exp.Op != syntax.DefaultUnsetOrNull {
			return nil, "it expands $" + name + " in a way of its own"
		}
		fallback, why := compileFallback(p.Exp.Word, quoted)
		if why != "" {
			return nil, why
		}
		out.fallback = fallback
	}
	return []part{out}, ""
}

// compileFallback reads the word of ${NAME:-word}. Within double quotes shells
// differ about quotes and backslashes in it, so there are none.
func compileFallback(w *syntax.Word, quoted bool) ([]part, string) {
	out := []part{}
	if w == nil {
		return out, ""
	}
	for _, wp := range w.Parts {
		if lit, ok := wp.(*syntax.Lit); ok && strings.ContainsAny(lit.Value, "\\'\"~*?[]{}$`") {
			return nil, "it has a default that shells read differently"
		}
		switch wp.(type) {
		case *syntax.Lit, *syntax.ParamExp:
		case *syntax.SglQuoted, *syntax.DblQuoted:
			if quoted {
				return nil, "it has quotes within quotes"
			}
		}
		parts, why := compilePart(wp, quoted, false)
		if why != "" {
			return nil, why
		}
		out = append(out, parts...)
	}
	return out, ""
}

// piece is a part with its variables looked up; split: the shell would split
// it into fields.
type piece struct {
	text  string
	split bool
}

// lookup expands parts. fallback: they are the default of a variable, whose
// unquoted text is split too.
func lookup(parts []part, env func(string) (string, bool), fallback bool) ([]piece, string) {
	var out []piece
	for _, p := range parts {
		switch {
		case p.home:
			home, _ := env("HOME")
			if strings.ContainsAny(home, "*?[\\~ \t\n{}") || !strings.HasPrefix(home, "/") || strings.HasSuffix(home, "/") {
				return nil, "$HOME is not a plain path"
			}
			out = append(out, piece{text: home})
		case p.name == "":
			out = append(out, piece{text: p.literal, split: fallback && !p.quoted})
		default:
			value, set := env(p.name)
			if !set && inList(p.name, defaulted) {
				return nil, "$" + p.name + " is not set, and some shells set it"
			}
			if value == "" && p.fallback != nil {
				inner, why := lookup(p.fallback, env, true)
				if why != "" {
					return nil, why
				}
				out = append(out, inner...)
				continue
			}
			if strings.ContainsAny(value, "\x01\x7f") {
				return nil, "$" + p.name + " holds control characters"
			}
			out = append(out, piece{text: value, split: !p.quoted})
		}
	}
	return out, ""
}

const ifs = " \t\n"

// fields expands a word as an argument: unquoted values are split at blanks,
// and where nothing is left there is no field.
func (w word) fields(env func(string) (string, bool)) ([]string, string) {
	pieces, why := lookup(w, env, false)
	if why != "" {
		return nil, why
	}
	var out []string
	var field strings.Builder
	begun := false
	for _, p := range pieces {
		if !p.split {
			field.WriteString(p.text)
			begun = true
			continue
		}
		if why := splittable(p.text, len(pieces) > 1); why != "" {
			return nil, why
		}
		for i, f := range strings.FieldsFunc(p.text, func(r rune) bool { return strings.ContainsRune(ifs, r) }) {
			if i > 0 {
				out = append(out, field.String())
				field.Reset()
			}
			field.WriteString(f)
			begun = true
		}
	}
	if begun {
		out = append(out, field.String())
	}
	return out, ""
}

// splittable says why a value cannot be split here. Blanks at the edge of a
// value beside other text are left to the shell: shells have differed about
// the empty fields there.
func splittable(value string, beside bool) string {
	for i := range len(value) {
		c := value[i]
		if strings.IndexByte(`*?[\`, c) >= 0 {
			return fmt.Sprintf("a value that is not in quotes holds %c", c)
		}
		if c < ' ' && strings.IndexByte(ifs, c) < 0 || c == 0x7f {
			return "a value that is not in quotes holds control characters"
		}
	}
	if beside && value != strings.Trim(value, ifs) {
		return "a value that is not in quotes has blanks at its edge"
	}
	if !utf8.ValidString(value) {
		return "a value that is not in quotes is not UTF-8"
	}
	return ""
}

// value expands a word as the value of an assignment: nothing is split.
func (w word) value(env func(string) (string, bool)) (string, string) {
	pieces, why := lookup(w, env, false)
	if why != "" {
		return "", why
	}
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String(), ""
}
