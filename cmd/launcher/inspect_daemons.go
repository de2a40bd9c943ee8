package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// A launcher sees a process that goes to the background end at once, and would
// start it again and again beside itself: such lines are refused (DESIGN 2).

// daemon is how a program is told to go to the background.
type daemon struct {
	names  []string // of the program
	goes   func(program) bool
	why    string // "with …"
	remedy string
}

// daemons is the table of them; by the servers' own manuals.
func daemons() []daemon {
	withFlag := func(names, flags string) daemon {
		return daemon{
			names:  strings.Fields(names),
			goes:   func(p program) bool { return p.has(strings.Fields(flags)...) },
			why:    "with " + strings.ReplaceAll(flags, " ", " or "),
			remedy: "leave it out: the launcher keeps it running",
		}
	}
	return []daemon{
		withFlag("sidekiq sidekiqswarm", "-d --daemon"),
		withFlag("puma", "-d --daemon"),
		withFlag("gunicorn", "-D --daemon"),
		withFlag("unicorn unicorn_rails", "-D --daemonize"),
		withFlag("rackup thin", "-D -d --daemonize"),
		{[]string{"celery"}, celeryGoes, "with multi, --detach or -D", "write celery worker"},
		{[]string{"nginx"}, nginxGoes, "without `daemon off;`", "write nginx -g 'daemon off;'"},
		{[]string{"delayed_job"}, func(p program) bool { return p.has("start", "restart") }, "with start", "write delayed_job run"},
	}
}

func (s *resolution) refuseDaemon(k *kind, p program) {
	for _, d := range daemons() {
		if !slices.Contains(d.names, p.name) {
			continue
		}
		if p.name == "nginx" && s.nginxStays(p) || !d.goes(p) {
			continue
		}
		s.mistake(k, fmt.Sprintf("%s %s goes to the background", p.name, d.why), d.remedy)
	}
}

// celeryGoes: `celery multi …` starts workers and ends; a value of -A may be
// called multi too.
func celeryGoes(p program) bool {
	if p.has("--detach") || p.has("worker", "beat") && p.has("-D") {
		return true
	}
	for i, arg := range p.args {
		switch {
		case arg == "worker" || arg == "beat":
			return false
		case arg == "multi":
			return i == 0 || !strings.HasPrefix(p.args[i-1], "-")
		}
	}
	return false
}

var daemonOff = regexp.MustCompile(`(^|[;{}\s])daemon\s+off\s*;?`)

// nginxGoes: unless told not to; -t, -v, -V, -h and -s do something else.
func nginxGoes(p program) bool {
	if p.has("-t", "-T", "-v", "-V", "-h", "-?", "-s") {
		return false
	}
	directives, _ := p.value("-g")
	return !daemonOff.MatchString(directives)
}

// nginxStays tells whether nginx's configuration says `daemon off;`. What it
// includes is not looked into.
func (s *resolution) nginxStays(p program) bool {
	file, given := p.value("-c")
	if !given {
		file = "/etc/nginx/nginx.conf"
	}
	if prefix, ok := p.value("-p"); ok && !filepath.IsAbs(file) {
		file = filepath.Join(prefix, file)
	}
	text, err := readText(s.path(file))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if daemonOff.MatchString(line) {
			return true
		}
	}
	return false
}

// remarkQuote says that a quote is left open: no shell can read the line, but
// this parser may be wrong about one, so that it is no mistake.
func (s *resolution) remarkQuote(k *kind) {
	script, ok := k.script()
	if !ok {
		return
	}
	for _, lang := range []syntax.LangVariant{syntax.LangPOSIX, syntax.LangBash} {
		_, err := syntax.NewParser(syntax.Variant(lang)).Parse(strings.NewReader(script), "")
		if err == nil || !strings.Contains(err.Error(), "without closing quote") {
			return
		}
	}
	s.warn(k, "a quote is not closed", "close it, or put a backslash before a quote that is meant as it is")
}

// refuseBackground refuses a line whose last command has an & after it: the
// shell ends at once, and what it started is left alone. `a & b & wait` is fine.
func (s *resolution) refuseBackground(k *kind) {
	script, ok := k.script()
	if !ok {
		return
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(script), "")
	if err != nil || len(file.Stmts) == 0 {
		return
	}
	if last := file.Stmts[len(file.Stmts)-1]; last.Background {
		s.mistake(k, "the & at its end sends it to the background", "remove the &, or add `wait` after it")
	}
}
