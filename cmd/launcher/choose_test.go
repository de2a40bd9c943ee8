package main

import (
	"strings"
	"testing"
)

func TestTypesOfRun(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "web: serve\nworker: work\nmailer: mail\nrelease: migrate\nconsole: irb\n"})
	for _, c := range []struct {
		command string
		words   []string
		want    string
	}{
		{"run", []string{"mailer", "web"}, "mailer.1 web.1"},
		{"run", []string{"web=0", "mailer=2"}, "mailer.1 mailer.2"},
		{"run", []string{"release"}, "release.1"},
		{"start", nil, "web.1 worker.1 mailer.1"},
	} {
		if got := strings.Join(names(resolved(t, asked(dir, c.command, c.words...))), " "); got != c.want {
			t.Errorf("%s %v: %s, want %s", c.command, c.words, got, c.want)
		}
	}
	gen := resolved(t, asked(dir, "run", "web=0"))
	contains(t, strings.Join(gen.Warnings, "\n"), "nothing runs")
}

func TestUnknownTypes(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "web: serve\nworker: work\n"})
	for _, c := range []struct {
		words []string
		want  []string
		lines int
	}{
		{[]string{"wroker"}, []string{`"wroker" is no process type of Procfile`, "did you mean worker?"}, 1},
		{[]string{"clock"}, []string{`"clock" is no process type`, "web, worker"}, 1},
		{[]string{"rake", "db:migrate"}, []string{`"rake" is no process type`, "launcher exec -- rake db:migrate"}, 1},
		{[]string{"weeb", "-x"}, []string{"did you mean web?", "launcher exec -- weeb -x"}, 2},
		{[]string{"web", "clock", "wroker=2"}, []string{`"clock"`, `"wroker"`, "did you mean worker?"}, 2},
		{[]string{"web", "web"}, []string{"named twice", "web=2"}, 1},
		{[]string{"web=x"}, []string{`"x" is no count`}, 1},
		{nil, []string{"no process type to run", "web, worker"}, 1},
	} {
		got := refused(t, asked(dir, "run", c.words...))
		contains(t, got, c.want...)
		if n := strings.Count(got, "\n") + 1; n != c.lines {
			t.Errorf("run %v: %d mistakes:\n%s", c.words, n, got)
		}
	}
	r := asked(dir, "run", "rake")
	r.Args = []string{"-T"}
	contains(t, refused(t, r), "launcher exec -- rake -T")
}

func TestNoProcfile(t *testing.T) {
	dir := files(t, map[string]string{"sub/My.procfile": "worker: work\n", "none": "# nothing\n"})
	contains(t, refused(t, asked(dir, "run", "worker")), "no Procfile "+dir+"/Procfile", "--procfile", "launcher exec")
	contains(t, refused(t, asked(dir, "run", "rake", "x")), "launcher exec -- rake x")
	r := asked(dir, "run", "worker=1")
	r.Procfile = "sub/My.procfile"
	if spec := resolved(t, r).Specs[0]; spec.Dir != dir || spec.Argv[0] != "work" {
		t.Errorf("%q in %s", spec.Argv, spec.Dir)
	}
	r.Procfile = dir + "/sub/My.procfile"
	resolved(t, r)
	r.Procfile = "sub"
	contains(t, refused(t, r), "sub: cannot read the Procfile: is a directory")
	r.Procfile = "none"
	contains(t, refused(t, r), "none: defines no process type")
}

func TestUnknownTypesInCounts(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "web: serve\nworker: work\nrelease: migrate\n"})
	contains(t, refused(t, asked(dir, "run", "worker").counted(t, "COUNT", "wroker=2,all=1")), `COUNT: "wroker"`, "did you mean worker?")
	contains(t, refused(t, asked(dir, "run", "worker").counted(t, "--count", "clock=2")), `--count: "clock"`, "web, worker, release")
	contains(t, refused(t, asked(dir, "start").formed(t, "wbe=1")), `--formation: "wbe"`, "did you mean web?")
	contains(t, refused(t, asked(dir, "start").formed(t, "all=1,release=1")), "release=1", "launcher run release")
	resolved(t, asked(dir, "start").formed(t, "all=1,release=0"))
}

func TestCommandType(t *testing.T) {
	for _, c := range []struct{ word, want string }{
		{"node", "node"}, {"/usr/local/bin/run.sh", "run-sh"}, {"./", "command"}, {"é", "command"}, {"my app", "my-app"},
	} {
		if got := commandType([]string{c.word}); got != c.want {
			t.Errorf("%q: %q, want %q", c.word, got, c.want)
		}
	}
}
