package launcher

import "strings"

// insideShell is what a shell with these arguments ends up running: the last
// command of -c's text, or else its script.
func insideShell(args []string) []string {
	text := false
	for len(args) > 0 && len(args[0]) > 1 && strings.IndexByte("-+", args[0][0]) >= 0 {
		flag := args[0]
		args = args[1:]
		switch {
		case flag == "--":
			return shellRuns(text, args)
		case strings.HasPrefix(flag, "--"):
			if flag == "--rcfile" || flag == "--init-file" {
				args = dropped(args, 1)
			}
		default:
			text = text || flag[0] == '-' && strings.Contains(flag, "c")
			if strings.HasSuffix(flag, "o") || strings.HasSuffix(flag, "O") {
				args = dropped(args, 1) // -o pipefail
			}
		}
	}
	return shellRuns(text, args)
}

// shellRuns takes the words after a shell's options: the text of -c and its
// parameters, or a script with its arguments.
func shellRuns(text bool, args []string) []string {
	if !text || len(args) == 0 {
		return args
	}
	return insideText(args[0], dropped(args, 2))
}

// insideText is the last command of a shell's text, as words without quotes: a
// list prepares, and ends in what it is for. Of a pipeline it is the first.
// Variables stay as they are written, but for "$@", which is params. nil where
// the text is more than that: a compound command, or the background.
func insideText(text string, params []string) []string {
	scan := &scanner{text: text}
	var last, pipe, words []string
	for {
		word, op := scan.next()
		switch {
		case word == `$@` && op == "":
			words = append(words, params...)
			continue
		case op == "":
			words = append(words, word)
			continue
		case op == "<" || op == ">":
			scan.next() // where to or from
			continue
		case op == "?" || op == "&":
			return nil
		}
		if len(words) > 0 && reserved(words[0]) {
			return nil
		}
		switch {
		case op == "|":
			if pipe == nil {
				pipe = words
			}
		case pipe != nil:
			last, pipe = pipe, nil
		case len(words) > 0:
			last = words
		}
		words = nil
		if op == "end" {
			return last
		}
	}
}

// reserved tells the words that begin a compound command.
func reserved(word string) bool {
	switch word {
	case "if", "then", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "select", "function", "{", "}", "[[", "!":
		return true
	}
	return false
}

// scanner takes a shell's text apart into words and operators.
type scanner struct {
	text string
	at   int
}

// next is the next word, or an operator: ";" for whatever joins a list, "|",
// "&", "<", ">", "?" for what is not understood, and "end".
func (s *scanner) next() (word, op string) {
	for s.at < len(s.text) && strings.IndexByte(" \t\r", s.text[s.at]) >= 0 {
		s.at++
	}
	if s.at == len(s.text) {
		return "", "end"
	}
	if s.text[s.at] == '#' {
		if end := strings.IndexByte(s.text[s.at:], '\n'); end >= 0 {
			s.at += end
		} else {
			s.at = len(s.text)
		}
		return s.next()
	}
	if op := s.operator(); op != "" {
		return "", op
	}
	return s.word()
}

// operator takes an operator, if one comes next.
func (s *scanner) operator() string {
	rest := s.text[s.at:]
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if digits > 0 && (strings.HasPrefix(rest[digits:], ">") || strings.HasPrefix(rest[digits:], "<")) {
		s.at += digits // the descriptor of a redirection
		rest = rest[digits:]
	}
	for _, o := range [...]struct{ text, op string }{
		{"&&", ";"},
		{"||", ";"},
		{";;", "?"},
		{";", ";"},
		{"\n", ";"},
		{"|&", "|"},
		{"|", "|"},
		{"&>", ">"},
		{"&", "&"},
		{"<<", "?"},
		{"<(", "?"},
		{">(", "?"},
		{">>", ">"},
		{">&", ">"},
		{">|", ">"},
		{">", ">"},
		{"<&", "<"},
		{"<", "<"},
		{"(", "?"},
		{")", "?"},
		{"`", "?"},
		{"$(", "?"},
	} {
		if strings.HasPrefix(rest, o.text) {
			s.at += len(o.text)
			return o.op
		}
	}
	return ""
}

// word takes a word and its quotes away.
func (s *scanner) word() (word, op string) {
	var b strings.Builder
	quote := byte(0)
	for ; s.at < len(s.text); s.at++ {
		c := s.text[s.at]
		switch {
		case quote == '\'' && c != '\'':
			b.WriteByte(c)
		case c == '\\' && s.at+1 < len(s.text):
			s.at++
			if s.text[s.at] != '\n' {
				b.WriteByte(s.text[s.at])
			}
		case c == '`', c == '$' && strings.HasPrefix(s.text[s.at:], "$("):
			return "", "?"
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			b.WriteByte(c)
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte(" \t\r\n;&|<>()", c) >= 0:
			return b.String(), ""
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
