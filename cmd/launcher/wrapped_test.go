package main

import (
	"strings"
	"testing"

	"dyno/launcher"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestLauncherExecInALineIsUnwrapped(t *testing.T) {
	dir := files(t, map[string]string{
		"Procfile": "worker: RAILS_MAX=5 launcher exec -c 2 --index 7 --restart on-failure --quiet-signal none --stop-signal QUIT -e line.env -- work --tag $TAG\n" +
			"web: bin/launcher exec serve\n",
		"line.env": "TAG=from-line\nSHARED=line\n",
		".env":     "SHARED=dot\n",
	})
	gen := resolved(t, asked(dir, "run", "worker", "web"))
	if got := names(gen); !cmp.Equal(got, []string{"worker.1", "worker.2", "web.1"}) {
		t.Fatalf("runs %v", got)
	}
	spec := gen.Specs[1]
	if diff := cmp.Diff([]string{"work", "--tag", "from-line"}, spec.Argv); diff != "" {
		t.Error(diff)
	}
	if got := variables(spec, "INDEX", "COUNT", "RAILS_MAX", "TAG", "SHARED"); got != "8 2 5 from-line line" {
		t.Errorf("environment %q", got)
	}
	if spec.Restart != launcher.RestartOnFailure || spec.QuietSignal != launcher.NoSignal || spec.StopSignal != unix.SIGQUIT {
		t.Errorf("restart %s, quiet %d, stop %d", spec.Restart, spec.QuietSignal, spec.StopSignal)
	}
	web := gen.Specs[2]
	if web.Argv[0] != "serve" || web.QuietSignal != 0 || variables(web, "TAG", "SHARED") != "- dot" {
		t.Errorf("the flags of one line went to another: %q %v", web.Argv, variables(web, "TAG", "SHARED"))
	}
}

func TestCountOfAWrappedLine(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: launcher exec --count=2 -- work\n"})
	for _, c := range []struct {
		r      request
		want   int
		source string
	}{
		{asked(dir, "run", "worker"), 2, "--count in Procfile:1"},
		{asked(dir, "start"), 2, "--count in Procfile:1"},
		{asked(dir, "run", "worker").counted(t, "COUNT", "5"), 2, "--count in Procfile:1"},
		{asked(dir, "run", "worker").counted(t, "--count", "5"), 5, "--count"},
		{asked(dir, "run", "worker=3"), 3, "argument"},
	} {
		gen := resolved(t, c.r)
		_, source := decided(gen, "worker: count")
		if len(gen.Specs) != c.want || !strings.Contains(source, c.source) {
			t.Errorf("%v by %q, want %d", names(gen), source, c.want)
		}
	}
}

func TestFlagsOfAWrappedLineThatAreNotTaken(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: launcher exec --budget 20s --log json -- work\n"})
	contains(t, strings.Join(resolved(t, asked(dir, "run", "worker=1")).Warnings, "\n"),
		"Procfile:1: worker: --budget of the `launcher exec`", "give --budget to launcher run", "--log of")
}

func TestMistakesInAWrappedLine(t *testing.T) {
	for line, want := range map[string]string{
		"launcher exec -c many -- work":            `--count: "many" is no count`,
		"launcher exec --restart=allways -- work":  "--restart: ",
		"launcher exec --stop-signal TREM -- work": "--stop-signal: ",
		"launcher exec --index x -- work":          `--index: "x" is no index`,
		"launcher exec -e gone.env -- work":        "gone.env: cannot read",
		"launcher run worker":                      "would run this line again",
		"exec /usr/bin/launcher run web worker=2":  "would run this line again",
		"launcher start -m all=1":                  "would start this type again",
		"launcher exec -- sidekiq -d":              "goes to the background",
	} {
		dir := files(t, map[string]string{"Procfile": "web: serve\nworker: " + line + "\n"})
		got := refused(t, asked(dir, "run", "worker"))
		contains(t, got, want)
		if !strings.Contains(line, "gone.env") {
			contains(t, got, "Procfile:2: worker: ")
		}
	}
}

func TestALauncherForOtherTypesIsLeftAlone(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "web: launcher run clock\nclock: tick\n"})
	if got := strings.Join(resolved(t, asked(dir, "run", "web")).Specs[0].Argv, " "); got != "launcher run clock" {
		t.Errorf("argv %q", got)
	}
}
