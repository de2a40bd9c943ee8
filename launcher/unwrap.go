package launcher

import "strings"

// Program is the program that a command line starts, behind shells, wrappers and
// interpreters, with its arguments; nil where it cannot be told.
func Program(argv []string) []string { return unwrapped(trimmed(argv)) }

// unwrapped looks through everything that only starts something else, and gives
// the program's own words; nil where what is started cannot be told. The first
// is the program, an interpreter's script or module included.
func unwrapped(argv []string) []string {
	for range 20 { // wrappers within wrappers; a line that goes deeper is nonsense
		argv = withoutAssignments(argv)
		if len(argv) == 0 || argv[0] == "" {
			return nil
		}
		inner, ok := inside(argv)
		if !ok {
			return argv
		}
		argv = inner
	}
	return nil
}

// inside takes one layer away; ok is false where argv is the program itself.
func inside(argv []string) ([]string, bool) {
	name := programName(argv[0])
	switch {
	case isShell(name):
		return insideShell(argv[1:]), true
	case name == "command" && (has(argv[1:min(2, len(argv))], "-v") || has(argv[1:min(2, len(argv))], "-V")):
		return nil, true // it only looks the program up
	case name == "busybox", name == "exec", name == "command", name == "builtin":
		return operands(argv[1:], "-a", 0), true
	case isEntrypoint(name):
		return argv[1:], true
	case name == "su", name == "runuser":
		return insideSu(name, argv[1:]), true
	case name == "script":
		if text, ok := commandOption(argv[1:], "--command"); ok {
			return insideText(text, nil), true
		}
		return nil, true
	case name == "bundle", name == "bundler":
		rest := operands(argv[1:], "--gemfile", 0)
		if len(rest) == 0 || rest[0] != "exec" && rest[0] != "e" {
			return nil, true
		}
		return operands(rest[1:], "--gemfile", 0), true
	}
	if w, ok := wrappers[name]; ok {
		return insideWrapper(w, argv[1:]), true
	}
	return interpreted(argv)
}

// insideWrapper drops a wrapper's options, its subcommand and its own words.
func insideWrapper(w wrapping, args []string) []string {
	if w.after != "" {
		args = operands(args, w.valued, 0)
		if len(args) == 0 || !has(strings.Fields(w.after), args[0]) {
			return nil
		}
		args = args[1:]
	}
	return operands(args, w.valued, w.operands)
}

// operands drops leading options, those in valued with their value, then n words
// and what -- ends the options.
func operands(args []string, valued string, n int) []string {
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		switch {
		case args[0] == "--":
			return dropped(args[1:], n)
		case has(strings.Fields(valued), args[0]):
			args = dropped(args, 2)
		default:
			args = args[1:]
		}
	}
	args = dropped(args, n)
	if n > 0 && len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	return args
}

func dropped(args []string, n int) []string { return args[min(n, len(args)):] }

// withoutAssignments drops the A=b that env, sudo and the shell take first.
func withoutAssignments(argv []string) []string {
	for len(argv) > 0 {
		name, _, ok := strings.Cut(argv[0], "=")
		if !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789") != "" {
			return argv
		}
		argv = argv[1:]
	}
	return argv
}

// interpreted gives the script or module that an interpreter runs, and its
// arguments; ok is false where argv is no interpreter's, or is node itself with
// a program of its own. nil words: its program stands on the command line (-e).
func interpreted(argv []string) (words []string, ok bool) {
	name := programName(argv[0])
	switch version := strings.TrimLeft(name, "abcdefghijklmnopqrstuvwxyz"); {
	case strings.Trim(version, "0123456789.") != "":
		return nil, false
	default:
		name = strings.TrimSuffix(name, version)
	}
	args := argv[1:]
	switch name {
	case "python", "pypy":
		for i, arg := range args {
			switch {
			case arg == "-m":
				return moduled(args[i+1:]), true
			case strings.HasPrefix(arg, "-c"):
				return nil, true
			case !strings.HasPrefix(arg, "-"):
				return operands(args, "-W -X", 0), true
			}
		}
		return nil, true
	case "ruby", "jruby":
		script := operands(args, "-I -r -C -E", 0) // -S: it is looked up in PATH
		if has(args[:len(args)-len(script)], "-e") {
			return nil, true
		}
		return script, true
	case "node", "nodejs":
		script := operands(args, "-r --require --import --loader --experimental-loader -C --conditions", 0)
		if len(script) > 0 && wraps(scriptName(script[0])) {
			script = append([]string{scriptName(script[0])}, script[1:]...)
			return script, true
		}
	}
	return nil, false
}

// moduled turns the words after python's -m into those of the program.
func moduled(words []string) []string {
	if len(words) == 0 {
		return nil
	}
	module := strings.TrimSuffix(words[0], ".__main__")
	if module == "rq.cli" {
		module = "rq"
	}
	return append([]string{module}, words[1:]...)
}

// scriptName is what npm-cli.js and yarn.js are called by.
func scriptName(path string) string {
	return strings.TrimSuffix(strings.TrimSuffix(programName(path), ".js"), "-cli")
}

// insideSu is what su and runuser run: a shell's text after -c, or, of runuser
// -u, a command.
func insideSu(name string, args []string) []string {
	if text, ok := commandOption(args, "--command", "--session-command"); ok {
		return insideText(text, nil)
	}
	if name == "runuser" {
		if _, ok := option(args, "-u", "--user"); ok {
			return operands(args, "-u -g -G -s --user --group --supp-group --shell", 0)
		}
	}
	return nil
}

// commandOption finds the text after -c (also in a cluster, -qc) or a long name.
func commandOption(args []string, long ...string) (string, bool) {
	for i, arg := range args {
		name, after, assigned := strings.Cut(arg, "=")
		cluster := len(arg) > 1 && arg[0] == '-' && arg[1] != '-' && strings.HasSuffix(arg, "c")
		switch {
		case assigned && has(long, name):
			return after, true
		case (cluster || has(long, arg)) && i+1 < len(args):
			return args[i+1], true
		}
	}
	return "", false
}
