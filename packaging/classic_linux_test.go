package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// classic is what Heroku's build system hands to the scripts.
type classic struct {
	buildpack, app, cache, config string
	env                           []string
}

func newClassic(t *testing.T, procfile string) *classic {
	t.Helper()
	dir := filepath.Join(t.TempDir(), `it's a "dir" $PATH`)
	c := &classic{
		buildpack: buildpackDir(t), app: filepath.Join(dir, "build dir"),
		cache: filepath.Join(dir, "cache dir"), config: filepath.Join(dir, "env dir"),
		env: []string{"PATH=" + onlyUname(t, ""), "HOME=/nonexistent", "STACK=heroku-24"},
	}
	for _, d := range []string{c.app, c.cache, c.config} {
		must(t, os.MkdirAll(d, 0o755))
	}
	write(t, "4", c.config, "COUNT")
	if procfile != "" {
		write(t, procfile, c.app, "Procfile")
	}
	return c
}

func (c *classic) script(t *testing.T, name string, args ...string) result {
	t.Helper()
	return call(t, "/", c.env, append([]string{c.buildpack + "/bin/" + name}, args...)...)
}

func (c *classic) compile(t *testing.T) result {
	t.Helper()
	return c.script(t, "compile", c.app, c.cache, c.config)
}

// dyno runs a command as a dyno does: the app somewhere else, in $HOME, and its
// .profile.d read before.
func (c *classic) dyno(t *testing.T, env []string, command string) result {
	t.Helper()
	home := filepath.Join(t.TempDir(), "the app")
	must(t, os.Rename(c.app, home))
	defer func() { must(t, os.Rename(home, c.app)) }()
	env = append([]string{"PATH=/usr/bin:/bin", "HOME=" + home}, env...)
	return call(t, home, env, "/bin/sh", "-euc", `for f in .profile.d/*.sh; do . "./$f"; done; `+command)
}

func TestClassicDetect(t *testing.T) {
	c := newClassic(t, "web: a")
	if r := c.script(t, "detect", c.app).want(t, 0); r.out != "launcher\n" || r.err != "" {
		t.Errorf("it says %q", r.out+r.err)
	}
	c.script(t, "detect", c.app, "junk", "--help").want(t, 0)
	newClassic(t, "").script(t, "detect", newClassic(t, "").app).want(t, 1)
	r := c.script(t, "detect").want(t, 1)
	r.wantIn(t, r.err, "no BUILD_DIR")
}

func TestClassicCompile(t *testing.T) {
	c := newClassic(t, "web: launcher exec bundle exec puma\nworker: bundle exec sidekiq\nrelease: rake x\n")
	r := c.compile(t).want(t, 0)
	r.wantIn(t, r.out, "-----> Installing launcher "+testVersion)
	r.wantIn(t, r.out, "\n       web runs under the launcher\n       worker runs as it is\n")
	r.wantIn(t, r.out, "write: worker: launcher exec COMMAND\n")
	for line := range strings.Lines(r.out) {
		if !strings.HasPrefix(line, "-----> ") && !strings.HasPrefix(line, "       ") {
			t.Errorf("not in Heroku's style: %s", line)
		}
	}
	got := strings.Join(listing(t, c.app), "\n")
	for _, want := range []string{
		"-rwxr-xr-x .launcher/bin/launcher\n", "Lrwxrwxrwx .launcher/bin/launcherctl -> launcher\n", "-rw-r--r-- .profile.d/launcher.sh\n",
	} {
		if !strings.Contains(got+"\n", want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	once, export := contents(t, c.app), read(t, c.buildpack, "export")
	c.compile(t).want(t, 0)
	sameContents(t, once, contents(t, c.app))
	if again := read(t, c.buildpack, "export"); again != export {
		t.Errorf("export is %q, then %q", export, again)
	}
}

func TestClassicDyno(t *testing.T) {
	c := newClassic(t, "worker: launcher exec /bin/echo hi\n")
	c.compile(t).want(t, 0)
	if r := c.dyno(t, nil, "exec launcher exec /bin/echo hi").want(t, 0); r.out != "hi\n" {
		t.Errorf("%q", r.out)
	}
	r := c.dyno(t, nil, `launcherctl version; echo "$LAUNCHER_BUDGET $MALLOC_ARENA_MAX $PATH"`).want(t, 0)
	r.wantIn(t, r.out, "launcher "+testVersion)
	r.wantIn(t, r.out, "\nauto 2 /")
	r = c.dyno(t, []string{"LAUNCHER_BUDGET=20s", "MALLOC_ARENA_MAX="}, `echo "<$LAUNCHER_BUDGET> <$MALLOC_ARENA_MAX>"`).want(t, 0)
	r.wantIn(t, r.out, "<20s> <>\n")
}

// TestClassicExport: a later buildpack reads export and has the launcher.
func TestClassicExport(t *testing.T) {
	c := newClassic(t, "web: a\n")
	c.compile(t).want(t, 0)
	r := call(t, "/", []string{"PATH=/usr/bin:/bin"}, "/bin/sh", "-euc", `. "$0"; command -v launcher; launcher version`, c.buildpack+"/export").want(t, 0)
	r.wantIn(t, r.out, c.app+"/.launcher/bin/launcher\n")
}

// TestClassicAppLinks: what the app has in our places is replaced, not followed.
func TestClassicAppLinks(t *testing.T) {
	c := newClassic(t, "web: a\n")
	victim := filepath.Join(t.TempDir(), "victim")
	write(t, "mine", victim)
	for _, place := range []string{".profile.d/launcher.sh", ".launcher/bin/launcher", ".launcher/bin/launcherctl"} {
		file := filepath.Join(c.app, place)
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.Symlink(victim, file))
	}
	c.compile(t).want(t, 0)
	if text := read(t, victim); text != "mine" {
		t.Errorf("a file outside the app was written: %.20q", text)
	}
	c.dyno(t, nil, "launcherctl version").want(t, 0)
}

func TestClassicMistakes(t *testing.T) {
	c := newClassic(t, "web: a\nnonsense\n\nworker:\n")
	r := c.compile(t).want(t, 1)
	r.wantIn(t, r.err, ` !     Procfile:2: "nonsense" is not TYPE: COMMAND`)
	r.wantIn(t, r.err, " !     Procfile:4: worker: has no command")
	c = newClassic(t, "worker: launcher run worker\n")
	r = c.compile(t).want(t, 1)
	r.wantIn(t, r.err, " !     Procfile:1: worker: starts this line again")
	c = newClassic(t, "")
	r = c.compile(t).want(t, 0)
	r.wantIn(t, r.out, "       there is none\n")
	r = c.script(t, "compile").want(t, 1)
	r.wantIn(t, r.err, "no BUILD_DIR")
}

func TestClassicRelease(t *testing.T) {
	c := newClassic(t, "web: a\n")
	if r := c.script(t, "release", c.app).want(t, 0); r.out != "--- {}\n" || r.err != "" {
		t.Errorf("%q", r.out+r.err)
	}
}

// TestNoBinary: what a source checkout, or a machine that is none of ours, says.
func TestNoBinary(t *testing.T) {
	source, err := filepath.Abs("..")
	must(t, err)
	for _, script := range []string{"detect", "build", "compile", "release"} {
		r := call(t, "/", []string{"PATH=" + onlyUname(t, "")}, source+"/bin/"+script, "/").want(t, 1)
		r.wantIn(t, r.err, "make package")
	}
	c := newClassic(t, "web: a")
	c.env = []string{"PATH=" + onlyUname(t, "riscv64")}
	r := c.script(t, "detect", c.app).want(t, 1)
	r.wantIn(t, r.err, "no binary for riscv64")
	// By a relative name, and as an argument of sh in its own directory.
	env := []string{"PATH=" + onlyUname(t, machine)}
	call(t, c.buildpack, env, "bin/detect", c.app).want(t, 0)
	call(t, c.buildpack+"/bin", env, "/bin/sh", "detect", c.app).want(t, 0)
}
