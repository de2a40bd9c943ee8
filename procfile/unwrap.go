package procfile

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Wrapped is a Procfile line that begins with the launcher itself.
type Wrapped struct {
	Line   string   // of `launcher exec [flags] [--] CMD…`: the assignments before it and CMD…; else ""
	Flags  []string // its flags, as words
	Runs   []string // of `launcher run TYPE…`: the types
	Starts bool     // it is `launcher start`
	Wrong  string   // `launcher exec` would refuse its own words: why
	Flag   string   // … the flag that it does not know, where that is why
}

// Unwrap reads a line that begins with `launcher exec`, `launcher run` or
// `launcher start`, where the launcher may also be called launcherctl, have a
// path before it, and an exec or assignments before that. It reports false for
// any other line, and for a `launcher exec` that cannot be taken away without
// a change: in a list or pipeline.
func Unwrap(line string) (Wrapped, bool) {
	stmt, alone, skip, words := launcherLine(line)
	if stmt == nil {
		return Wrapped{}, false
	}
	rest := words[skip+2:]
	switch words[skip+1] {
	case "start":
		return Wrapped{Starts: true}, true
	case "run":
		return Wrapped{Runs: runTypes(rest)}, true
	}
	if !alone || stmt.Negated || stmt.Background {
		return Wrapped{}, false
	}
	return unwrapExec(line, stmt, stmt.Cmd.(*syntax.CallExpr), skip+2, rest)
}

// Launched tells whether a line begins with the launcher, as Unwrap's do, also
// where that cannot be taken away: `launcher exec -c ${N:-2} -- CMD`.
func Launched(line string) bool {
	stmt, _, _, _ := launcherLine(line)
	return stmt != nil
}

// launcherLine is the first command of a line that begins with `launcher exec`,
// run or start, nil of any other; alone: the line holds no other. words are its
// static ones up to the first that is not, after an exec at words[:skip].
func launcherLine(line string) (stmt *syntax.Stmt, alone bool, skip int, words []string) {
	if !strings.Contains(line, "launcher") || plainLine(line) != "" {
		return nil, false, 0, nil
	}
	file, err := parseShell(line, syntax.LangPOSIX)
	if err != nil || len(file.Stmts) == 0 {
		return nil, false, 0, nil
	}
	stmt, alone = firstStmt(file.Stmts)
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok {
		return nil, false, 0, nil
	}
	words = staticPrefix(call.Args)
	if len(words) > 0 && words[0] == "exec" {
		skip = 1
	}
	if len(words) < skip+2 || !isLauncher(words[skip]) || !inList(words[skip+1], "exec run start") {
		return nil, false, 0, nil
	}
	return stmt, alone, skip, words
}

// firstStmt follows lists and pipelines to their first command; alone: there
// is no other.
func firstStmt(stmts []*syntax.Stmt) (stmt *syntax.Stmt, alone bool) {
	stmt, alone = stmts[0], len(stmts) == 1
	for {
		b, ok := stmt.Cmd.(*syntax.BinaryCmd)
		if !ok {
			return stmt, alone
		}
		stmt, alone = b.X, false
	}
}

// staticPrefix is the text of the words up to the first that is not literal.
func staticPrefix(args []*syntax.Word) []string {
	var out []string
	for _, w := range args {
		s, ok := staticWord(w)
		if !ok {
			return out
		}
		out = append(out, s)
	}
	return out
}

func isLauncher(word string) bool {
	base := word[strings.LastIndexByte(word, '/')+1:]
	return base == "launcher" || base == "launcherctl"
}

// unwrapExec takes `launcher exec [flags] [--]` away. words are the static ones
// of call.Args[at:].
func unwrapExec(line string, stmt *syntax.Stmt, call *syntax.CallExpr, at int, words []string) (Wrapped, bool) {
	flags, n, ok := splitFlags(words)
	static := len(words) == len(call.Args)-at
	switch {
	case !ok && static && known(words[n]):
		return Wrapped{Wrong: "flag needs an argument: " + words[n]}, true
	case !ok && !known(words[n]):
		return Wrapped{Wrong: "unknown flag " + words[n], Flag: words[n]}, true
	case !ok:
		return Wrapped{}, false
	case at+n >= len(call.Args):
		return Wrapped{Wrong: "no command"}, true
	}
	first := call.Args[at+n]
	from := int(first.Pos().Offset())
	for _, r := range stmt.Redirs {
		if int(r.Pos().Offset()) < from {
			return Wrapped{}, false
		}
	}
	command := line[from:]
	// The launcher starts programs: what the shell would take for a word of its
	// own, or for an assignment, is a program all the same.
	if name, static := staticWord(first); static {
		if name == "" || name[0] == '-' {
			return Wrapped{}, false
		}
		if whyNotProgram(name) != "" {
			command = "exec " + command
		}
	}
	prefix := ""
	if len(call.Assigns) > 0 {
		prefix = line[call.Assigns[0].Pos().Offset():call.Args[0].Pos().Offset()]
	}
	return Wrapped{Line: prefix + command, Flags: flags}, true
}

// switches are the flags of run, start and exec that take no value.
const switches = `--pty`

// valued are those that take one; valuedShort with one dash.
const (
	valued = `--procfile --env-file --count --formation --index --budget --quiet-for --quiet-signal
	--stop-signal --broadcast --restart --max-memory --memory-guard --health --ready --live --listen
	--max-surge --drain-limit --max-draining --ready-timeout --log --socket --config`
	valuedShort = "fecmt"
)

// known tells whether a word is one of the flags.
func known(word string) bool {
	name, _, _ := strings.Cut(word, "=")
	if strings.HasPrefix(word, "--") {
		return inList(name, valued) || inList(name, switches)
	}
	return len(word) > 1 && strings.IndexByte(valuedShort, word[1]) >= 0
}

// splitFlags reads flags as pflag does, up to -- or the first word that is
// none. n counts the words before the command; not ok: those before the flag that
// is not known, or lacks its value.
func splitFlags(words []string) (flags []string, n int, ok bool) {
	for n < len(words) {
		w := words[n]
		takesNext := false
		switch {
		case w == "--":
			return flags, n + 1, true
		case len(w) < 2 || w[0] != '-':
			return flags, n, true
		case strings.HasPrefix(w, "--"):
			name, _, given := strings.Cut(w, "=")
			switch {
			case inList(name, valued):
				takesNext = !given
			case !inList(name, switches):
				return nil, n, false
			}
		case strings.IndexByte(valuedShort, w[1]) >= 0:
			takesNext = len(w) == 2
		default:
			return nil, n, false
		}
		if takesNext && n+1 == len(words) {
			return nil, n, false
		}
		flags = append(flags, w)
		n++
		if takesNext {
			flags = append(flags, words[n])
			n++
		}
	}
	return flags, n, true
}

// runTypes are the TYPEs among the arguments of run, less their counts. Flags
// may stand between them.
func runTypes(words []string) []string {
	var types []string
	for len(words) > 0 {
		_, n, ok := splitFlags(words)
		switch {
		case !ok:
			words = words[1:] // a flag of another version
			continue
		case n == len(words) || n > 0 && words[n-1] == "--":
			return types
		}
		if typ, _, err := ParseTypeArg(words[n]); err == nil && typ[0] != '-' {
			types = append(types, typ)
		}
		words = words[n+1:]
	}
	return types
}
