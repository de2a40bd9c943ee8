package main

import (
	"strings"
	"testing"

	"dyno/launcher"
	"dyno/procfile"
)

const typical = "web: puma -p $PORT\nworker: work\nmailer: bundle exec sidekiq -t 5\nclock: tick\nrelease: migrate\nconsole: irb\n"

// decided is a decision and its source.
func decided(gen *generation, name string) (value, source string) {
	for _, d := range gen.Decisions {
		if d.Name == name {
			return d.Value, d.Source
		}
	}
	return "", ""
}

func TestCount(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": typical})
	run := func(words ...string) request { return asked(dir, "run", words...) }
	for _, c := range []struct {
		name, typ string
		r         request
		want      string
		source    string
	}{
		{"worker: the cores", "worker", run("worker"), "4", "default: the cores"},
		{"takes jobs: the cores", "mailer", run("mailer"), "4", "default: the cores"},
		{"others: 1", "clock", run("clock"), "1", "default"},
		{"release: 1", "release", run("release").counted(t, "COUNT", "3"), "1", "always runs once"},
		{"console: 1", "console", run("console").counted(t, "--count", "3"), "1", "always runs once"},
		{"TYPE=N for release", "release", run("release=4"), "1", "always runs once"},
		{"TYPE=N beats the flag", "worker", run("worker=2").counted(t, "--count", "3"), "2", "argument worker=2"},
		{"TYPE=auto", "worker", run("worker=auto"), "4", "argument worker=auto"},
		{"flag", "clock", run("clock").counted(t, "--count", "3"), "3", "--count"},
		{"COUNT", "clock", run("clock").counted(t, "COUNT", "3"), "3", "COUNT"},
		{"SIDEKIQ_COUNT", "mailer", run("mailer").counted(t, "SIDEKIQ_COUNT", "2"), "2", "SIDEKIQ_COUNT"},
		{"percent", "worker", run("worker").counted(t, "COUNT", "50%"), "2", "COUNT"},
		{"by type", "worker", run("worker").counted(t, "COUNT", "worker=6,all=1"), "6", "COUNT"},
		{"all", "clock", run("clock").counted(t, "COUNT", "worker=6,all=2"), "2", "COUNT"},
		{"a list without all names others only", "clock", run("clock").counted(t, "COUNT", "worker=6"), "1", "default"},
		{"one-off", "worker", run("worker").with("DYNO=run.9157").counted(t, "COUNT", "5"), "1", "one-off dyno run.9157"},
		{"start: 1", "mailer", asked(dir, "start"), "1", "default"},
		{"start: a bare COUNT is for run", "worker", asked(dir, "start").counted(t, "COUNT", "3"), "1", "default"},
		{"start: COUNT by type", "worker", asked(dir, "start").counted(t, "COUNT", "worker=3"), "3", "COUNT"},
		{"start: -m beats -c", "worker", asked(dir, "start").counted(t, "--count", "worker=3").formed(t, "all=2"), "2", "--formation"},
		{"start: -m leaves out what it does not name", "clock", asked(dir, "start").formed(t, "worker=2"), "0", "--formation"},
		{"start in a one-off", "worker", asked(dir, "start").with("DYNO=run.1").formed(t, "all=2"), "1", "one-off"},
		{"start in a one-off: none is none", "worker", asked(dir, "start").with("DYNO=run.1").formed(t, "web=2"), "0", "--formation"},
		{"none of a one-off", "worker", asked(dir, "run", "worker=0").with("DYNO=run.1"), "0", "argument worker=0"},
		{"exec: 1", "serve", asked(dir, "exec", "serve").counted(t, "COUNT", "3"), "1", "default"},
		{"exec: the flag", "serve", asked(dir, "exec", "serve").counted(t, "--count", "3"), "3", "--count"},
		{"exec of what takes jobs: COUNT", "sidekiq", asked(dir, "exec", "sidekiq").counted(t, "COUNT", "3"), "3", "COUNT"},
		{"exec of what takes jobs: no cores", "sidekiq", asked(dir, "exec", "sidekiq"), "1", "default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			gen := resolved(t, c.r)
			value, source := decided(gen, c.typ+": count")
			if value != c.want || !strings.Contains(source, c.source) {
				t.Errorf("%s by %q, want %s by %q", value, source, c.want, c.source)
			}
			n := 0
			for _, spec := range gen.Specs {
				if spec.Type == c.typ {
					n++
				}
			}
			if want := (procfile.Count{N: n}).String(); want != c.want {
				t.Errorf("%d processes", n)
			}
		})
	}
}

func TestAutoCountIsCappedByMemory(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": typical})
	small := func() procfile.Capacity { return procfile.Capacity{Cores: 8, Memory: 1 << 30} }
	gen, err := resolveWithin(asked(dir, "run", "worker"), true, small)
	if err != nil || len(gen.Specs) != 2 {
		t.Errorf("%v, %v", names(gen), err)
	}
}

func TestBareCountForStart(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": typical})
	contains(t, refused(t, asked(dir, "start").counted(t, "--count", "3")), "--count: 3 is for the types that run names", "-m all=3")
}

func TestCountIgnoredIsSaid(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": typical})
	contains(t, strings.Join(resolved(t, asked(dir, "run", "release=3")).Warnings, "\n"), "argument release=3 is not taken")
	if w := resolved(t, asked(dir, "run", "release").counted(t, "COUNT", "3")).Warnings; len(w) > 0 {
		t.Errorf("COUNT of the fleet is no mistake: %q", w)
	}
}

func TestIndex(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": typical})
	given := asked(dir, "run", "worker=2").with("DYNO=worker.3")
	given.Index = chosen[int]{40, true}
	for _, c := range []struct {
		name   string
		r      request
		want   string
		source string
	}{
		{"nothing tells", asked(dir, "run", "worker=2"), "0 1", "default"},
		{"dyno", asked(dir, "run", "worker=3").with("DYNO=worker.3"), "6 7 8", "DYNO worker.3"},
		{"first dyno", asked(dir, "run", "worker=2").with("DYNO=worker.1"), "0 1", "DYNO worker.1"},
		{"one-off", asked(dir, "run", "worker").with("DYNO=run.77"), "0", "DYNO run.77"},
		{"pod", asked(dir, "run", "worker=2").with("POD_NAME=sidekiq-2"), "4 5", "POD_NAME"},
		{"job", asked(dir, "exec", "serve").with("JOB_COMPLETION_INDEX=5"), "5", "JOB_COMPLETION_INDEX"},
		{"given", given, "40 41", "--index"},
		{"unique per type", asked(dir, "run", "worker=2", "clock").with("DYNO=all.2"), "2 3 1", "DYNO all.2"},
	} {
		gen := resolved(t, c.r)
		var got []string
		for _, spec := range gen.Specs {
			got = append(got, variables(spec, "INDEX"))
		}
		_, source := decided(gen, gen.Specs[0].Type+": index")
		if strings.Join(got, " ") != c.want || !strings.Contains(source, c.source) {
			t.Errorf("%s: %v by %q, want %s", c.name, got, source, c.want)
		}
	}
}

func TestRestartPolicy(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": typical})
	failing := asked(dir, "exec", "serve")
	failing.Restart = chosen[launcher.Restart]{launcher.RestartOnFailure, true}
	for _, c := range []struct {
		r    request
		want launcher.Restart
	}{
		{asked(dir, "run", "worker"), launcher.RestartAlways},
		{asked(dir, "run", "clock"), launcher.RestartAlways},
		{asked(dir, "run", "release"), launcher.RestartNever},
		{asked(dir, "run", "console"), launcher.RestartNever},
		{asked(dir, "run", "worker").with("DYNO=run.1"), launcher.RestartNever},
		{asked(dir, "start"), launcher.RestartAlways},
		{asked(dir, "exec", "serve"), launcher.RestartNever},
		{asked(dir, "exec", "serve").counted(t, "--count", "2"), launcher.RestartAlways},
		{failing, launcher.RestartOnFailure},
	} {
		if got := resolved(t, c.r).Specs[0].Restart; got != c.want {
			t.Errorf("%s %v %v: %s, want %s", c.r.Command, c.r.Words, c.r.Environ, got, c.want)
		}
	}
}

func TestDecisionsAreToldInSpiteOfMistakes(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: work\nweb: nginx\n"})
	gen, err := resolveWithin(asked(dir, "run", "worker=3", "web"), true, fourCores)
	if err == nil {
		t.Fatal("nginx was not refused")
	}
	if value, _ := decided(gen, "worker: count"); value != "3" {
		t.Errorf("worker: count %q", value)
	}
	if value, source := decided(gen, "worker: command"); value != "work" || source != "Procfile:1" {
		t.Errorf("worker: command %q from %q", value, source)
	}
}

func TestHowItIsStartedIsSaid(t *testing.T) {
	dir := files(t, map[string]string{"Procfile": "worker: work\npipe: work | tee\n"})
	gen := resolved(t, asked(dir, "run", "worker=1", "pipe"))
	if value, _ := decided(gen, "worker: start"); value != "directly" {
		t.Errorf("worker: %q", value)
	}
	if value, _ := decided(gen, "pipe: start"); !strings.HasPrefix(value, "through sh: ") {
		t.Errorf("pipe: %q", value)
	}
}
