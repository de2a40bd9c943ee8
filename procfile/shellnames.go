package procfile

import "strings"

// inList searches a list when it is asked, not when the program starts: only a
// line that needs it pays.
func inList(word, list string) bool {
	for name := range strings.FieldsSeq(list) {
		if name == word {
			return true
		}
	}
	return false
}

// builtins are those of dash, bash and the other shells that stand as sh
// (busybox, ksh, mksh) and have no program of the same meaning, or whose
// builtin differs from the program.
const builtins = `. : [ alias bg bind break builtin caller cd chdir command compgen complete
	compopt continue declare dirs disown echo enable eval exec exit export false fc fg getopts hash
	help hist history integer jobs kill let local logout mapfile nameref popd print printf pushd pwd
	read readarray readonly return set shift shopt source suspend test times trap true type typeset
	ulimit umask unalias unset wait whence autoload functions login newgrp redirect rename stop`

// reserved are the reserved words of dash and bash, and of ksh where they can
// begin a command.
const reserved = `! { } [[ ]] case coproc do done elif else esac fi for foreach function if in
	namespace repeat select then time until while end`

// harmless are builtins that a line may run before the command that exec is
// put before: none of them leaves something behind that needs the shell.
const harmless = `: [ cd echo exit export false printf pwd read test true umask ulimit unset type`

// isShellWord tells whether a command word means something to the shell itself.
func isShellWord(word string) bool { return inList(word, builtins) || inList(word, reserved) }

// isHarmless tells whether a builtin may come before an exec that was put in.
func isHarmless(word string) bool { return inList(word, harmless) }

// owned are the variables that a shell sets, keeps or gives a meaning of its
// own: their value in the shell is not the environment's.
const owned = `_ IFS PWD OLDPWD PPID UID EUID GROUPS SHLVL SHELLOPTS RANDOM SRANDOM SECONDS LINENO
	OPTARG OPTIND OPTERR DIRSTACK PIPESTATUS FUNCNAME FUNCNEST EPOCHREALTIME EPOCHSECONDS REPLY
	MAPFILE COPROC POSIXLY_CORRECT TMOUT CHILD_MAX ENV FCEDIT GLOBIGNORE EXECIGNORE IGNOREEOF
	INPUTRC MAIL MAILCHECK MAILPATH PROMPT_COMMAND PROMPT_DIRTRIM PS0 PS1 PS2 PS3 PS4 TIMEFORMAT
	auto_resume histchars ATTY KSHEGID KSHGID KSHUID PGRP PIPESTATUS USER_ID`

// ownedByShell tells whether a shell might not take this variable as it is.
func ownedByShell(name string) bool {
	for _, prefix := range [...]string{"BASH", "COMP_", "READLINE_", "HIST", "KSH_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return inList(name, owned)
}

// defaulted are the variables that bash gives a value where the environment
// has none; dash does not.
const defaulted = `HOME HOSTNAME HOSTTYPE MACHTYPE OSTYPE PATH SHELL TERM COLUMNS LINES`

// assignable tells whether `NAME=VALUE cmd` does no more than set a variable of
// cmd. PATH would change where cmd is looked for.
func assignable(name string) bool {
	return validName(name) && name != "PATH" && !ownedByShell(name)
}
