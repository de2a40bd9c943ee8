package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestLifecycle: the real lifecycle detects, builds and launches. It is run
// where CNB_LIFECYCLE_DIR names the directory of its programs lifecycle and
// launcher: make test-platforms ON=buildpack does.
func TestLifecycle(t *testing.T) {
	programs := os.Getenv("CNB_LIFECYCLE_DIR")
	if programs == "" {
		t.Skip("make test-platforms ON=buildpack does")
	}
	l := newLifecycle(t, programs, "web: /bin/echo web $COUNT $MALLOC_ARENA_MAX\n"+
		"My_Worker: launcher exec -c 2 /bin/echo hello $INDEX\nrelease: echo released\n")
	r := l.phase(t, "detector", "-order", l.file("order.toml"))
	r.want(t, 0).wantIn(t, r.out, "dyno/launcher "+testNumber)
	l.phase(t, "builder").want(t, 0)
	if sbom := read(t, l.layers, "sbom/launch/dyno_launcher/launcher/sbom.cdx.json"); !strings.Contains(sbom, "CycloneDX") {
		t.Error("the lifecycle took no SBOM")
	}
	r = l.launch(t, "web").want(t, 0)
	r.wantIn(t, r.out, "web 1 2\n")
	r = l.launch(t, "my-worker").want(t, 0)
	r.wantIn(t, r.out, "hello 0\n")
	r.wantIn(t, r.out, "hello 1\n")
	r = l.launch(t, "web", "--", "more", "words").want(t, 0)
	r.wantIn(t, r.out, "web 1 2 more words\n")
	r = l.launch(t, "release").want(t, 0)
	r.wantIn(t, r.out, "released\n")
}

// lifecycle is a directory as a builder image has it.
type lifecycle struct{ dir, programs, app, layers string }

func newLifecycle(t *testing.T, programs, procfile string) *lifecycle {
	t.Helper()
	dir, err := os.MkdirTemp("", "launcher-lifecycle-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &lifecycle{dir: dir, programs: programs, app: filepath.Join(dir, "my app"), layers: filepath.Join(dir, "layers")}
	write(t, procfile, l.app, "Procfile")
	write(t, "[[order]]\n[[order.group]]\nid = \"dyno/launcher\"\nversion = \""+testNumber+"\"\n", l.file("order.toml"))
	write(t, "[run-image]\nreference = \"run\"\n[run-image.target]\nos = \"linux\"\narch = \""+runtime.GOARCH+"\"\n", l.file("analyzed.toml"))
	for _, d := range []string{"layers", "platform", "bin"} {
		must(t, os.MkdirAll(l.file(d), 0o755))
	}
	unpacked(t, l.file("buildpacks/dyno_launcher/"+testNumber))
	if out, err := exec.Command("chown", "-R", nobody, dir).CombinedOutput(); err != nil && os.Getuid() == 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	return l
}

func (l *lifecycle) file(name string) string { return filepath.Join(l.dir, name) }

// nobody is who runs it: the lifecycle refuses root.
const nobody = "65534:65534"

func (l *lifecycle) run(t *testing.T, argv0, program string, env []string, args ...string) result {
	t.Helper()
	link := l.file("bin/" + argv0)
	os.Remove(link)
	must(t, os.Symlink(filepath.Join(l.programs, program), link))
	cmd := exec.Command(link, args...)
	cmd.Dir, cmd.Env = l.app, append([]string{"PATH=/usr/bin:/bin", "CNB_PLATFORM_API=0.13"}, env...)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{string(out), "", cmd.ProcessState.ExitCode()}
}

func (l *lifecycle) phase(t *testing.T, name string, args ...string) result {
	t.Helper()
	return l.run(t, name, "lifecycle", nil, append([]string{
		"-app", l.app, "-buildpacks", l.file("buildpacks"), "-layers", l.layers, "-platform", l.file("platform"),
		"-plan", l.file("plan.toml"), "-group", l.file("group.toml"), "-analyzed", l.file("analyzed.toml"),
	}, args...)...)
}

func (l *lifecycle) launch(t *testing.T, typ string, args ...string) result {
	t.Helper()
	return l.run(t, typ, "launcher", []string{
		"CNB_APP_DIR=" + l.app, "CNB_LAYERS_DIR=" + l.layers, "LAUNCHER_RESTART=never", "LAUNCHER_SOCKET=none", "HOME=/nonexistent",
	}, args...)
}

// TestPack: the real pack makes a package of each tree, and of both at once.
// It is run where PACK_BIN names the program: make test-platforms ON=buildpack does.
func TestPack(t *testing.T) {
	if os.Getenv("PACK_BIN") == "" {
		t.Skip("make test-platforms ON=buildpack does")
	}
	dir := t.TempDir()
	for _, arch := range arches {
		packs(t, dir, "one-"+arch+".cnb", filepath.Join(made, "package", "linux", arch), arch)
		holds(t, filepath.Join(dir, "one-"+arch+".cnb"), arch)
	}
	all := filepath.Join(dir, "package") // it takes files away
	if out, err := exec.Command("cp", "-a", filepath.Join(made, "package"), all).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	packs(t, dir, "both.cnb", all, arches...)
	for _, arch := range arches {
		holds(t, filepath.Join(dir, "both-linux-"+arch+".cnb"), arch)
	}
}

func packs(t *testing.T, dir, name, path string, arches ...string) {
	t.Helper()
	cmd := exec.Command(os.Getenv("PACK_BIN"), "buildpack", "package", name, "--format", "file", "--path", path)
	for _, arch := range arches {
		cmd.Args = append(cmd.Args, "--target", "linux/"+arch)
	}
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "PACK_HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// holds: a package has the binary for an architecture, and no other.
func holds(t *testing.T, file, arch string) {
	t.Helper()
	out, err := shell(t.TempDir(), `tar -xf "$1"; for b in blobs/sha256/*; do tar -tzf "$b" 2>/dev/null || true; done`, file)
	must(t, err)
	for _, other := range arches {
		if has := strings.Contains(out, "/bin/launcher-"+other+"\n"); has != (other == arch) {
			t.Errorf("%s: binary for %s: %v\n%s", file, other, has, out)
		}
	}
}
