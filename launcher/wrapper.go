package launcher

import (
	"strings"

	"dyno/internal/early/listenpid"
)

// Wrapper tells whether a process is a shell or a wrapper, which is looked
// through for the program it runs: it is never itself meant by a signal (P47).
// argv is its command line or title, comm its short name, used where argv tells
// nothing. bundle counts as one: the caller has to see whether it has become the
// program already, which is so once it catches TERM.
func Wrapper(argv []string, comm string) bool {
	argv = trimmed(argv)
	if len(argv) == 0 {
		return wraps(comm)
	}
	if _, ok := titled(argv); ok {
		return false
	}
	first := strings.TrimSuffix(argv[0], ":")
	if word, _, spaced := strings.Cut(first, " "); spaced {
		// "npm exec …", "npm run …": a wrapper's own title.
		return len(argv) == 1 && wraps(programName(word))
	}
	if argv[0] == "" {
		return wraps(comm)
	}
	name := programName(argv[0])
	if script, ok := interpreted(argv); ok && len(script) > 0 {
		name = programName(script[0])
	}
	if name == "busybox" && len(argv) > 1 {
		name = argv[1]
	}
	if wraps(name) {
		return true
	}
	_, known := Identify(argv)
	return !known && wraps(comm)
}

// wraps tells whether a program of that name is a shell or wrapper.
func wraps(name string) bool {
	if isShell(name) || isEntrypoint(name) {
		return true
	}
	switch name {
	case "su", "runuser", "script", "bundle", "bundler", listenpid.Name:
		return true
	}
	_, ok := wrappers[name]
	return ok
}

func isShell(name string) bool {
	switch name {
	case "sh", "dash", "bash", "rbash", "ash", "zsh", "ksh", "ksh93", "mksh", "yash", "fish":
		return true
	}
	return false
}

// isEntrypoint tells the scripts by which images and buildpacks start what
// follows as their arguments.
func isEntrypoint(name string) bool {
	switch name {
	case "docker-entrypoint", "docker-entrypoint.sh", "docker-php-entrypoint", "entrypoint", "entrypoint.sh",
		"jemalloc.sh", "start-nginx", "start-pgbouncer", "start-pgbouncer-stunnel", "start-stunnel":
		return true
	}
	return false
}

// wrapping is how a wrapper's own words are told from those it runs.
type wrapping struct {
	valued   string // options that take the next word
	operands int    // own words before the command: timeout's duration
	after    string // the subcommands one of which has to come first: "exec", "run"
}

// wrappers are the programs that run their last words. Sources: their man pages.
var wrappers = map[string]wrapping{
	"env":      {valued: "-u --unset -C --chdir"},
	"nice":     {valued: "-n --adjustment"},
	"nohup":    {},
	"setsid":   {},
	"time":     {valued: "-o -f"},
	"stdbuf":   {valued: "-i -o -e --input --output --error"},
	"ionice":   {valued: "-c -n --class --classdata"},
	"chrt":     {valued: "-T -P -D", operands: 1},
	"taskset":  {operands: 1},
	"timeout":  {valued: "-s -k --signal --kill-after", operands: 1},
	"flock":    {valued: "-w -E --timeout --conflict-exit-code", operands: 1},
	"unbuffer": {},

	"sudo":         {valued: "-u -g -h -p -C -T -r -t -U -D -R --user --group --host --prompt --chdir --chroot --role --type"},
	"doas":         {valued: "-u -C"},
	"gosu":         {operands: 1},
	"su-exec":      {operands: 1},
	"setuidgid":    {operands: 1},
	"s6-setuidgid": {operands: 1},
	"chpst":        {valued: "-u -U -b -/ -n -m -d -o -p -f -c -l -L -e -C"},
	"setpriv":      {valued: "--reuid --regid --ruid --euid --rgid --egid --groups --inh-caps --ambient-caps --bounding-set --securebits --pdeathsig --selinux-label --apparmor-profile"},
	"chroot":       {operands: 1},
	"unshare":      {valued: "-S -G -R -w --setuid --setgid --root --wd"},

	"tini":        {valued: "-p -e"},
	"docker-init": {valued: "-p -e"},
	"dumb-init":   {valued: "-r --rewrite"},
	"catatonit":   {},

	"strace":         {valued: "-e -o -p -s -u -P -E -I -O -S -a -b -X"},
	"ltrace":         {valued: "-e -o -p -s -u -l -n -a -A -D -F -x"},
	"xvfb-run":       {valued: "-n -s -e -f -p -w --server-num --server-args --error-file --auth-file"},
	"ddtrace-run":    {},
	"newrelic-admin": {after: "run-program"},

	"npx":    {valued: "-p --package"},
	"npm":    {valued: "-w --workspace --prefix", after: "exec x run run-script"},
	"pnpm":   {valued: "-C --dir --filter", after: "exec run"},
	"yarn":   {valued: "--cwd"},
	"poetry": {valued: "-C --directory", after: "run"},
	"pipenv": {after: "run"},
	"pdm":    {valued: "-p", after: "run"},
	"uv":     {valued: "-p --python --with --env-file --directory --project --group --extra", after: "run"},
	"conda":  {valued: "-n -p --name --prefix", after: "run"},
	"rbenv":  {after: "exec"},
	"dotenv": {valued: "-f -e"},
}
