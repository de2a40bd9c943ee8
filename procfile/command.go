package procfile

import (
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"
)

// Command is the command of a Procfile line, ready to be started (DESIGN 2).
type Command struct {
	Line   string // as given
	Simple bool   // one simple command, that can be started without a shell
	Why    string // why a shell is needed; "" when Simple

	assigns  []assign
	args     []word
	name     string // the static first word
	dropExec bool   // a leading exec was dropped
	home     bool   // a ~/ is in it
}

type assign struct {
	name  string
	value word
}

// longestLine is what is parsed; execve takes no argument of 128 KiB anyway.
const longestLine = 64 << 10

// ParseCommand reads the text of one command. It fails, with a *Problem, only
// for no text and for a NUL byte: what it cannot read goes to sh as it is.
func ParseCommand(line string) (Command, error) {
	c := Command{Line: line}
	if t := strings.TrimSpace(line); t == "" || t[0] == '#' && !strings.Contains(t, "\n") {
		return c, &Problem{What: "no command", Remedy: "write the command to run"}
	}
	if strings.Contains(line, "\x00") {
		return c, &Problem{What: "the command holds a NUL byte", Remedy: "write it as plain text"}
	}
	c.Why = c.compile()
	c.Simple = c.Why == ""
	if !c.Simple {
		return Command{Line: line, Why: c.Why}, nil
	}
	return c, nil
}

// compile fills in what a shell-free start needs, or says why there is none.
func (c *Command) compile() string {
	if why := plainLine(c.Line); why != "" {
		return why
	}
	file, err := parseShell(c.Line, syntax.LangPOSIX)
	if err != nil {
		return "it is no plain POSIX shell"
	}
	if len(file.Stmts) != 1 {
		return "it is a list of commands"
	}
	stmt := file.Stmts[0]
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	switch {
	case stmt.Background || stmt.Coprocess || stmt.Disown:
		return "it goes to the background"
	case stmt.Negated:
		return "it uses !"
	case len(stmt.Redirs) > 0:
		return "it redirects"
	case !ok:
		return kindOf(stmt.Cmd)
	case len(call.Args) == 0:
		return "it only sets variables"
	}
	if why := c.compileAssigns(call); why != "" {
		return why
	}
	return c.compileArgs(call)
}

// plainLine rules out text that shells, locales or this parser might read
// differently.
func plainLine(line string) string {
	switch {
	case len(line) > longestLine:
		return "it is very long"
	case !utf8.ValidString(line):
		return "it is not UTF-8"
	}
	for i := range len(line) {
		if c := line[i]; c == '\n' || c == '\r' {
			return "it has several lines"
		} else if c < ' ' && c != '\t' || c == 0x7f {
			return "it holds control characters"
		}
	}
	return ""
}

func parseShell(line string, lang syntax.LangVariant) (*syntax.File, error) {
	return syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(line), "")
}

// kindOf says what a command that is not simple is.
func kindOf(cmd syntax.Command) string {
	switch cmd := cmd.(type) {
	case *syntax.BinaryCmd:
		if cmd.Op == syntax.Pipe || cmd.Op == syntax.PipeAll {
			return "it is a pipeline"
		}
		return "it is a list of commands"
	case *syntax.FuncDecl:
		return "it defines a function"
	case *syntax.DeclClause:
		return cmd.Variant.Value + " is a builtin of the shell"
	default:
		return "it is a compound command"
	}
}

func (c *Command) compileAssigns(call *syntax.CallExpr) string {
	for _, a := range call.Assigns {
		if a.Append || a.Naked || a.Index != nil || a.Array != nil || a.Name == nil {
			return "it sets a variable in a way of its own"
		}
		if name := a.Name.Value; !assignable(name) {
			return "the shell itself heeds $" + name
		}
		out := assign{name: a.Name.Value}
		if a.Value != nil {
			value, why := compileWord(a.Value)
			if why != "" {
				return why
			}
			out.value = value
			c.home = c.home || hasHome(value)
		}
		c.assigns = append(c.assigns, out)
	}
	return ""
}

func (c *Command) compileArgs(call *syntax.CallExpr) string {
	for _, w := range call.Args {
		arg, why := compileWord(w)
		if why != "" {
			return why
		}
		c.args = append(c.args, arg)
		c.home = c.home || hasHome(arg)
	}
	name, ok := c.args[0].static()
	if ok && name == "exec" && len(c.args) > 1 {
		if len(c.assigns) > 0 {
			return "it sets variables before exec"
		}
		c.args, c.dropExec = c.args[1:], true
		name, ok = c.args[0].static()
	}
	if !ok {
		return "its first word is not literal"
	}
	c.name = name
	for _, a := range c.assigns {
		if a.name == "HOME" && c.home {
			return "it sets $HOME and uses ~"
		}
	}
	return whyNotProgram(name)
}

func hasHome(w word) bool { return len(w) > 0 && w[0].home }

// whyNotProgram says why a static command word might not be the name of a
// program.
func whyNotProgram(name string) string {
	switch {
	case name == "":
		return "its first word is empty"
	case strings.Contains(name, "="):
		return "its first word holds ="
	case name[0] == '-' || name[0] == '%' || name[0] == '+':
		return "its first word begins with " + name[:1]
	case strings.ContainsAny(name, "()<>|&;!#^$`\"'*?[]{}~\\"):
		return "its first word is not a plain name"
	case isShellWord(name):
		return name + " is a word of the shell"
	}
	return ""
}

// NeedsShell tells whether, with these variables, the command is started
// through sh.
func (c Command) NeedsShell(env func(string) (string, bool)) bool {
	return c.WhyShell(env) != ""
}

// WhyShell says why, with these variables, the command is started through sh;
// "" if it is not. Beside Why it knows of values: a glob character in one that
// is not in quotes, say.
func (c Command) WhyShell(env func(string) (string, bool)) string {
	_, _, why := c.expand(env)
	return why
}

// expand does what sh would do before it execs.
func (c Command) expand(env func(string) (string, bool)) (argv, assignments []string, why string) {
	if !c.Simple {
		return nil, nil, c.Why
	}
	if why := c.unsettled(env); why != "" {
		return nil, nil, why
	}
	for _, w := range c.args {
		fields, why := w.fields(env)
		if why != "" {
			return nil, nil, why
		}
		argv = append(argv, fields...)
	}
	set := map[string]string{}
	seen := func(name string) (string, bool) {
		if v, ok := set[name]; ok {
			return v, true
		}
		return env(name)
	}
	var order []string
	for _, a := range c.assigns {
		v, why := a.value.value(seen)
		if why != "" {
			return nil, nil, why
		}
		if _, twice := set[a.name]; !twice {
			order = append(order, a.name)
		}
		set[a.name] = v
	}
	for _, name := range order {
		assignments = append(assignments, name+"="+set[name])
	}
	return argv, assignments, ""
}

// unsettled says which variable would make the shell behave as it usually does
// not: options, splitting, and functions that bash takes from the environment.
func (c Command) unsettled(env func(string) (string, bool)) string {
	for _, name := range [...]string{"IFS", "SHELLOPTS", "BASHOPTS"} {
		if _, set := env(name); set {
			return "$" + name + " is in the environment"
		}
	}
	words := []string{c.name}
	if c.dropExec {
		words = append(words, "exec")
	}
	for _, w := range words {
		if functionInEnv(env, w) {
			return "the environment has a function " + w
		}
	}
	if path, _ := env("PATH"); path == "" && !strings.Contains(c.name, "/") {
		return "$PATH is not set"
	}
	return ""
}

// functionInEnv tells whether bash would find a function of this name in the
// environment.
func functionInEnv(env func(string) (string, bool), name string) bool {
	_, set := env("BASH_FUNC_" + name + "%%")
	return set
}

// Argv is what to exec, and the NAME=VALUE assignments to put into its
// environment. env looks up a variable of the environment that the command
// gets. args are appended to the command, as `heroku run worker ARGS` does.
//
// Where a shell is needed it is sh -c LINE, with exec put in where that is
// sound (Rewrite), args passed as "$@", and no assignments. It fails, with a
// *Problem, only where args cannot be appended.
func (c Command) Argv(env func(string) (string, bool), args []string) (argv, assignments []string, err error) {
	argv, assignments, why := c.expand(env)
	if why == "" {
		return append(argv, args...), assignments, nil
	}
	line := c.Line
	l := readList(line)
	if len(args) > 0 && !l.takesArgs {
		return nil, nil, &Problem{
			What:   "arguments cannot be appended to the command " + shorten(line),
			Remedy: `write "$@" into it where they belong, or give it as one simple command`,
		}
	}
	line = l.edit(l.execSound(env), len(args) > 0)
	argv = []string{"sh", "-c", line}
	if len(args) > 0 {
		argv = append(append(argv, "sh"), args...)
	}
	return argv, nil, nil
}
