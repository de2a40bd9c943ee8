package procfile

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Rewrite puts exec before the last command of a top-level list of ;, && and
// ||, after its assignments, so that signals reach the program and not a shell
// above it (P18, P52). It reports false, and the line unchanged, where that is
// not sound: see list.
func Rewrite(line string) (string, bool) {
	l := readList(line)
	if l.execAt < 0 {
		return line, false
	}
	return l.edit(true, false), true
}

// list is what can be put into a line that goes to the shell. Both are only
// known where POSIX's and bash's grammar agree about the line.
type list struct {
	line      string
	execAt    int      // where exec can be put; -1: nowhere
	words     []string // static command words of the line, for execSound
	takesArgs bool     // arguments can be given
	argsAt    int      // where "$@" is to be put; -1: the line has positional parameters of its own
}

// readList reads a line in both grammars.
func readList(line string) list {
	none := list{line: line, execAt: -1, argsAt: -1}
	if why := plainLine(line); why != "" {
		return none
	}
	posix, ok := readGrammar(line, syntax.LangPOSIX)
	if !ok {
		return none
	}
	bash, ok := readGrammar(line, syntax.LangBash)
	if !ok {
		return none
	}
	if posix.execAt != bash.execAt {
		posix.execAt = -1
	}
	if posix.argsAt != bash.argsAt || posix.takesArgs != bash.takesArgs {
		posix.takesArgs = false
	}
	return posix
}

func readGrammar(line string, lang syntax.LangVariant) (list, bool) {
	file, err := parseShell(line, lang)
	if err != nil || len(file.Stmts) == 0 {
		return list{}, false
	}
	s := survey{sound: true, argsSound: true}
	syntax.Walk(file, s.visit)
	l := list{line: line, execAt: -1, argsAt: -1, words: s.words}
	if call, ok := lastOfList(file.Stmts); ok && s.sound && execable(call) {
		l.execAt = int(call.Args[0].Pos().Offset())
	}
	call, ok := lastSimple(file.Stmts)
	switch {
	case s.positional:
		l.takesArgs = true
	case ok && s.argsSound:
		l.takesArgs = true
		l.argsAt = int(call.Args[len(call.Args)-1].End().Offset())
		if continued(line[:l.argsAt]) { // a backslash at the end would quote the blank
			l.takesArgs, l.argsAt = false, -1
		}
	}
	return l, true
}

// execSound tells whether the environment allows the exec: a function of
// bash's in it may stand behind any word, BASH_ENV may define what it likes.
func (l list) execSound(env func(string) (string, bool)) bool {
	for _, name := range [...]string{"BASH_ENV", "SHELLOPTS", "BASHOPTS"} {
		if _, set := env(name); set {
			return false
		}
	}
	for _, w := range l.words {
		if functionInEnv(env, w) {
			return false
		}
	}
	return !functionInEnv(env, "exec")
}

// edit puts in what is wanted and can be.
func (l list) edit(exec, args bool) string {
	line := l.line
	if args && l.argsAt >= 0 {
		line = line[:l.argsAt] + ` "$@"` + line[l.argsAt:]
	}
	if exec && l.execAt >= 0 {
		line = line[:l.execAt] + "exec " + line[l.execAt:]
	}
	return line
}

// lastStmt follows lists and pipelines to their last command.
func lastStmt(stmts []*syntax.Stmt) *syntax.Stmt {
	if len(stmts) == 0 {
		return nil
	}
	stmt := stmts[len(stmts)-1]
	for {
		b, ok := stmt.Cmd.(*syntax.BinaryCmd)
		if !ok {
			return stmt
		}
		stmt = b.Y
	}
}

// lastSimple is the simple command that ends the line, which text appended to
// the line would belong to.
func lastSimple(stmts []*syntax.Stmt) (*syntax.CallExpr, bool) {
	if len(stmts) == 0 || stmts[len(stmts)-1].Background {
		return nil, false
	}
	stmt := lastStmt(stmts)
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	return call, ok && len(call.Args) > 0 && !stmt.Background
}

// lastOfList is the last command of a top-level list of ;, && and ||.
func lastOfList(stmts []*syntax.Stmt) (*syntax.CallExpr, bool) {
	stmt := stmts[len(stmts)-1]
	for {
		b, ok := stmt.Cmd.(*syntax.BinaryCmd)
		if !ok {
			break
		}
		if b.Op != syntax.AndStmt && b.Op != syntax.OrStmt {
			return nil, false
		}
		stmt = b.Y
	}
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	return call, ok && len(call.Args) > 0
}

// execable tells whether exec can stand before this command's first word.
func execable(call *syntax.CallExpr) bool {
	for _, a := range call.Assigns {
		if a.Append || a.Index != nil || a.Array != nil || a.Name == nil || !assignable(a.Name.Value) {
			return false
		}
	}
	name, ok := staticWord(call.Args[0])
	return ok && whyNotProgram(name) == ""
}

func staticWord(w *syntax.Word) (string, bool) {
	compiled, why := compileWord(w)
	if why != "" {
		return "", false
	}
	return compiled.static()
}

// survey goes through a whole line, subshells and substitutions included.
type survey struct {
	sound      bool     // nothing in it forbids an exec at its end
	argsSound  bool     // nothing in it changes the positional parameters
	positional bool     // it uses them itself
	words      []string // static command words
}

// visit looks at one node. What is not known to be harmless is not.
func (s *survey) visit(node syntax.Node) bool {
	switch n := node.(type) {
	case nil:
		return true
	case *syntax.File, *syntax.Assign, *syntax.Word, *syntax.Lit, *syntax.DblQuoted, *syntax.CmdSubst,
		*syntax.ArithmExp, *syntax.BinaryArithm, *syntax.UnaryArithm, *syntax.ParenArithm,
		*syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.WordIter,
		*syntax.CaseClause, *syntax.CaseItem, *syntax.Block, *syntax.Subshell, *syntax.Comment:
	case *syntax.Stmt:
		if n.Negated || n.Background || n.Coprocess || n.Disown {
			s.sound = false
		}
	case *syntax.SglQuoted:
		if n.Dollar {
			s.sound = false
		}
	case *syntax.Redirect:
		if n.Hdoc != nil || n.N != nil && !isDigits(n.N.Value) {
			s.sound = false
		}
	case *syntax.BinaryCmd:
		if n.Op != syntax.AndStmt && n.Op != syntax.OrStmt {
			s.sound = false
		}
	case *syntax.DeclClause:
		if n.Variant.Value != "export" {
			s.sound = false
		}
	case *syntax.ParamExp:
		s.param(n)
	case *syntax.CallExpr:
		s.call(n)
	case *syntax.FuncDecl:
		s.sound = false
		return false // its positional parameters are its own
	default:
		s.sound = false
	}
	return true
}

func isDigits(s string) bool {
	_, ok := wholeNumber(s)
	return ok
}

func (s *survey) param(p *syntax.ParamExp) {
	if p.Param == nil {
		s.sound = false
		return
	}
	switch name := p.Param.Value; {
	case name == "@" || name == "*" || name != "0" && isDigits(name):
		s.positional = true
	case name == "#" && !p.Length:
		s.positional = true
	}
}

// call looks at a simple command: its word must be known, and a builtin one of
// those that leave nothing behind.
func (s *survey) call(c *syntax.CallExpr) {
	if len(c.Args) == 0 {
		for _, a := range c.Assigns {
			// An assignment to IFS, PATH and the like lasts, and holds
			// for the exec as for the command; bash's own do not.
			if a.Name == nil || ownedByShell(a.Name.Value) && a.Name.Value != "IFS" {
				s.sound = false
			}
		}
		return
	}
	name, ok := staticWord(c.Args[0])
	if c.Args[0].Lit() == "[" { // test, and no glob
		name, ok = "[", true
	}
	if !ok {
		s.sound, s.argsSound = false, false
		return
	}
	s.words = append(s.words, name)
	switch {
	case name == "set":
		if !harmlessSet(c.Args[1:]) {
			s.sound, s.argsSound = false, false
		}
	case name == "shift" || name == "eval" || name == "getopts":
		s.sound, s.argsSound = false, false
	case isHarmless(name):
	case whyNotProgram(name) != "":
		s.sound = false
	}
}

// harmlessSet allows the options that end a script early or make it strict.
func harmlessSet(args []*syntax.Word) bool {
	for i := 0; i < len(args); i++ {
		arg, ok := staticWord(args[i])
		switch {
		case !ok:
			return false
		case arg == "-o" || arg == "-eo" || arg == "-euo":
			i++
			if i == len(args) {
				return false
			}
			option, ok := staticWord(args[i])
			if !ok || !inList(option, "errexit nounset pipefail noglob") {
				return false
			}
		case len(arg) < 2 || arg[0] != '-' || strings.Trim(arg[1:], "euf") != "":
			return false
		}
	}
	return len(args) > 0
}
