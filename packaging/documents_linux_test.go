package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dyno/procfile"
)

// stub is what `bundle` is in these dynos: it says what it was given.
const stub = "#!/bin/sh\necho \"$* index=$INDEX count=$COUNT timeout=$STOP_TIMEOUT arenas=$MALLOC_ARENA_MAX\"\n"

// herokuLines runs each line of a Procfile as a dyno does: by bash, after the
// .profile.d of an app that the buildpack has compiled. It returns what each
// type's processes said, sorted.
func herokuLines(t *testing.T, text string, config map[string]string) map[string]string {
	t.Helper()
	bash, err := exec.LookPath("bash")
	must(t, err)
	c := newClassic(t, text)
	r := c.compile(t).want(t, 0)
	entries, err := procfile.Parse("Procfile", []byte(text))
	must(t, err)
	bin := t.TempDir()
	must(t, os.WriteFile(filepath.Join(bin, "bundle"), []byte(stub), 0o755))
	said := map[string]string{}
	for _, e := range entries {
		launched := strings.HasPrefix(e.Command, "launcher ")
		r.wantIn(t, r.out, "       "+e.Type+map[bool]string{true: " runs under the launcher\n", false: " runs as it is\n"}[launched])
		env := []string{
			"PATH=" + bin + ":/usr/bin:/bin", "HOME=" + c.app, "DYNO=" + e.Type + ".3", "PORT=5000",
			"LAUNCHER_RESTART=never", "LAUNCHER_SOCKET=none",
		}
		for name, value := range config {
			env = append(env, name+"="+value)
		}
		out := call(t, c.app, env, bash, "-c", `for f in .profile.d/*.sh; do . "$f"; done; `+e.Command).want(t, 0).out
		lines := strings.Split(strings.TrimSpace(out), "\n")
		slices.Sort(lines)
		said[e.Type] = strings.Join(lines, "\n")
	}
	return said
}

// TestHerokuExample: every line of examples/heroku does what its README says, with
// the variables of its app.json.
func TestHerokuExample(t *testing.T) {
	var app struct {
		Env map[string]struct{ Value string }
	}
	must(t, json.Unmarshal([]byte(read(t, "../examples/heroku/app.json")), &app))
	config := map[string]string{}
	for name, v := range app.Env {
		config[name] = v.Value
	}
	said := herokuLines(t, read(t, "../examples/heroku/Procfile"), config)
	for typ, want := range map[string]string{
		"web": "exec puma --bind tcp://0.0.0.0:5000 config.ru index=2 count=1 timeout=26 arenas=2",
		"worker": "exec sidekiq index=4 count=2 timeout=26 arenas=2\n" +
			"exec sidekiq index=5 count=2 timeout=26 arenas=2",
		"release": "exec rails db:migrate index= count= timeout= arenas=2",
	} {
		if said[typ] != want {
			t.Errorf("%s says\n%s\nwant\n%s", typ, said[typ], want)
		}
	}
}

// section is one of README.md, from its heading to the next.
func section(t *testing.T, heading string) string {
	t.Helper()
	_, text, found := strings.Cut(read(t, "../README.md"), "\n"+heading+"\n")
	if !found {
		t.Fatalf("README.md has no %s", heading)
	}
	text, _, _ = strings.Cut(text, "\n##")
	return text
}

// TestReadmeHeroku: the Procfile of README.md's section runs as it says, COUNT of
// the workers that take jobs, and one web server; the mistake reads as shown.
func TestReadmeHeroku(t *testing.T) {
	block := regexp.MustCompile("(?s)\n```\n(\\w.*?)```\n").FindStringSubmatch(section(t, "### Heroku (classic)"))
	if block == nil {
		t.Fatal("it shows no Procfile")
	}
	said := herokuLines(t, block[1], map[string]string{"COUNT": "2"})
	for typ, want := range map[string]string{
		"web":    "exec puma index=2 count=1 timeout=26 arenas=2",
		"worker": "exec sidekiq index=4 count=2 timeout=26 arenas=2\nexec sidekiq index=5 count=2 timeout=26 arenas=2",
	} {
		if said[typ] != want {
			t.Errorf("%s says\n%s\nwant\n%s", typ, said[typ], want)
		}
	}
	mistake := regexp.MustCompile(`(?m)^ !     Procfile:4: .*$`).FindString(section(t, "## As a buildpack"))
	r := newClassic(t, "web: a\n\n# the jobs\nworker:\n").compile(t).want(t, 1)
	if mistake == "" || !strings.Contains(r.err, mistake+"\n") {
		t.Errorf("README.md shows %q, it is\n%s", mistake, r.err)
	}
}

// TestReadmeCNB: what README.md says of the names of processes, and of their
// arguments.
func TestReadmeCNB(t *testing.T) {
	c := newCNB(t, "web: /bin/echo\nMy_Worker: /bin/echo job\n")
	c.build(t).want(t, 0)
	var launch launchTOML
	strict(t, read(t, c.layers, "launch.toml"), &launch)
	worker := launch.Processes[1]
	if worker.Type != "my-worker" || !launch.Processes[0].Default {
		t.Errorf("%+v", launch.Processes)
	}
	// docker run --entrypoint my-worker my-app -- -q mailers
	env := []string{"PATH=/nonexistent", "LAUNCHER_RESTART=never", "LAUNCHER_SOCKET=none", "COUNT=1"}
	r := call(t, c.app, env, append(worker.Command, "--", "-q", "mailers")...).want(t, 0)
	r.wantIn(t, r.out, "job -q mailers\n")
	for text, what := range map[string]string{"a_b: x\na-b: y\n": "a-b", "launcher: x\n": "launcher"} {
		c := newCNB(t, text)
		r := c.build(t).want(t, 1)
		r.wantIn(t, r.err, what)
	}
}

// TestReadmeMakes: every file and place that README.md names of `make package` and
// `make release` is there.
func TestReadmeMakes(t *testing.T) {
	for heading, dir := range map[string]string{"## As a buildpack": "package", "## Releases": "release"} {
		named := 0
		for line := range strings.Lines(section(t, heading)) {
			first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
			if !strings.HasPrefix(line, "| `") {
				continue
			}
			before := ""
			for i, name := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(first, -1) {
				file := strings.ReplaceAll(name[1], "VERSION", versionIn(name[1]))
				if i == 0 {
					before = file
				} else if strings.HasPrefix(file, "-") { // `launcher-VERSION-linux-amd64`, `-linux-arm64`
					file = before[:strings.LastIndex(before, "-linux")] + file
				}
				named++
				if _, err := os.Stat(filepath.Join(made, dir, file)); err != nil {
					t.Error(err)
				}
			}
		}
		if named == 0 {
			t.Errorf("%s names no file", heading)
		}
	}
}

// versionIn is the version as a file's name has it.
func versionIn(name string) string {
	if strings.HasSuffix(name, ".deb") {
		return strings.TrimPrefix(testVersion, "v")
	}
	return testVersion
}
