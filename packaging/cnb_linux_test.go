package main

import (
	"debug/elf"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

// cnb is what the lifecycle hands to bin/detect and bin/build, API 0.10.
type cnb struct {
	buildpack, app, layers, platform, plan string
	env                                    []string
}

func newCNB(t *testing.T, procfile string) *cnb {
	t.Helper()
	dir := filepath.Join(t.TempDir(), `a "b" c`)
	c := &cnb{
		buildpack: buildpackDir(t), app: filepath.Join(dir, "my app"), layers: filepath.Join(dir, "lay ers"),
		platform: filepath.Join(dir, "platform"), plan: filepath.Join(dir, "plan.toml"),
	}
	for _, d := range []string{c.app, c.layers, c.platform} {
		must(t, os.MkdirAll(d, 0o755))
	}
	write(t, "", c.plan)
	if procfile != "" {
		write(t, procfile, c.app, "Procfile")
	}
	c.env = []string{
		"PATH=" + onlyUname(t, ""), "HOME=/nonexistent", "CNB_STACK_ID=",
		"CNB_BUILDPACK_DIR=" + c.buildpack, "CNB_PLATFORM_DIR=" + c.platform,
		"CNB_TARGET_OS=linux", "CNB_TARGET_ARCH=" + runtime.GOARCH, "CNB_TARGET_ARCH_VARIANT=",
		"CNB_TARGET_DISTRO_NAME=debian", "CNB_TARGET_DISTRO_VERSION=12",
	}
	return c
}

func (c *cnb) detect(t *testing.T) result {
	t.Helper()
	return call(t, c.app, append(c.env, "CNB_BUILD_PLAN_PATH="+c.plan),
		c.buildpack+"/bin/detect", c.platform, c.plan)
}

// build calls bin/build with a tight umask; what it writes is for another user.
func (c *cnb) build(t *testing.T, env ...string) result {
	t.Helper()
	env = slices.Concat(c.env, []string{"CNB_LAYERS_DIR=" + c.layers, "CNB_BP_PLAN_PATH=" + c.plan}, env)
	return call(t, c.app, env, "/bin/sh", "-c", `umask 077; exec "$0" "$@"`,
		c.buildpack+"/bin/build", "/junk", "--help", "-x")
}

// strict decodes TOML and takes no key that it does not know.
func strict(t *testing.T, text string, v any) {
	t.Helper()
	if err := toml.NewDecoder(strings.NewReader(text)).DisallowUnknownFields().Decode(v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

type launchTOML struct {
	Processes []struct {
		Type    string   `toml:"type"`
		Command []string `toml:"command"`
		Default bool     `toml:"default"`
	} `toml:"processes"`
}

func TestCNBDetect(t *testing.T) {
	c := newCNB(t, "web: a")
	if r := c.detect(t).want(t, 0); r.out+r.err != "" {
		t.Errorf("it says %q", r.out+r.err)
	}
	if plan := read(t, c.plan); plan != "" {
		t.Errorf("the build plan is %q", plan)
	}
	newCNB(t, "").detect(t).want(t, 100)
	c = newCNB(t, "")
	must(t, os.Mkdir(filepath.Join(c.app, "Procfile"), 0o755))
	c.detect(t).want(t, 100)
}

func TestCNBBuild(t *testing.T) {
	c := newCNB(t, "web: bundle exec puma\nMy_Worker: bundle exec sidekiq\nrelease: rake db:migrate\n")
	c.build(t).want(t, 0)
	want := []string{
		"-rw-r--r-- launch.toml",
		"drwxr-xr-x launcher",
		"drwxr-xr-x launcher/bin",
		"-rwxr-xr-x launcher/bin/launcher",
		"Lrwxrwxrwx launcher/bin/launcherctl -> launcher",
		"drwxr-xr-x launcher/env.launch",
		"-rw-r--r-- launcher/env.launch/LAUNCHER_BUDGET.default",
		"-rw-r--r-- launcher/env.launch/MALLOC_ARENA_MAX.default",
		"-rw-r--r-- launcher.sbom.cdx.json",
		"-rw-r--r-- launcher.toml",
	}
	got := listing(t, c.layers)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var launch launchTOML
	strict(t, read(t, c.layers, "launch.toml"), &launch)
	launcher := c.layers + "/launcher/bin/launcher"
	var wanted launchTOML
	strict(t, `processes = [
		{type = "web", command = ['`+launcher+`', "run", "web"], default = true},
		{type = "my-worker", command = ['`+launcher+`', "run", "My_Worker"]},
		{type = "release", command = ["bash", "-c", "rake db:migrate"]}]`, &wanted)
	if diff := cmp.Diff(wanted, launch); diff != "" {
		t.Error(diff)
	}
	var layer struct {
		Types struct{ Launch, Build, Cache bool }
	}
	strict(t, read(t, c.layers, "launcher.toml"), &layer)
	if !layer.Types.Launch || layer.Types.Build || layer.Types.Cache {
		t.Errorf("%+v", layer)
	}
	if budget := read(t, c.layers, "launcher/env.launch/LAUNCHER_BUDGET.default"); budget != "auto" {
		t.Errorf("LAUNCHER_BUDGET is %q", budget)
	}
	sbom := new(cdx.BOM)
	must(t, cdx.NewBOMDecoder(strings.NewReader(read(t, c.layers, "launcher.sbom.cdx.json")), cdx.BOMFileFormatJSON).Decode(sbom))
	if m := sbom.Metadata.Component; m.Name != "launcher" || m.Version != testVersion || sbom.SerialNumber != "" || sbom.Metadata.Timestamp != "" {
		t.Errorf("%+v", m)
	}
	if !slices.ContainsFunc(*sbom.Components, func(c cdx.Component) bool { return c.Name == "github.com/spf13/cobra" && c.Version != "" }) {
		t.Error("the SBOM does not know cobra")
	}
}

// TestCNBSettingsFile: a default in the environment would beat launcher.toml.
func TestCNBSettingsFile(t *testing.T) {
	c := newCNB(t, "web: a")
	write(t, `budget = "20s"`, c.app, "launcher.toml")
	c.build(t).want(t, 0)
	if _, err := os.Stat(c.layers + "/launcher/env.launch/LAUNCHER_BUDGET.default"); err == nil {
		t.Error("LAUNCHER_BUDGET would beat the app's launcher.toml")
	}
}

// TestCNBSameBytes: into the same directory, and into one that is new.
func TestCNBSameBytes(t *testing.T) {
	c := newCNB(t, "b: x\na: y\nweb: z\n")
	c.build(t).want(t, 0)
	once := contents(t, c.layers)
	c.build(t).want(t, 0)
	sameContents(t, once, contents(t, c.layers))
	must(t, os.RemoveAll(c.layers))
	must(t, os.Mkdir(c.layers, 0o755))
	c.build(t).want(t, 0)
	sameContents(t, once, contents(t, c.layers))
}

func TestCNBArchitectures(t *testing.T) {
	for arch, want := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		c := newCNB(t, "web: a")
		c.build(t, "CNB_TARGET_ARCH="+arch).want(t, 0)
		f, err := elf.Open(c.layers + "/launcher/bin/launcher")
		must(t, err)
		if f.Machine != want {
			t.Errorf("%s: the binary is for %s", arch, f.Machine)
		}
		f.Close()
	}
	c := newCNB(t, "web: a")
	c.env = slices.DeleteFunc(c.env, func(e string) bool { return strings.HasPrefix(e, "CNB_TARGET_") })
	c.build(t).want(t, 0)
	call(t, "/", nil, c.layers+"/launcher/bin/launcherctl", "version").want(t, 0)
}

func TestCNBMistakes(t *testing.T) {
	for _, test := range []struct {
		name, procfile string
		env            []string
		want           []string
	}{
		{"lines", "web: a\nnonsense\nweb: b\n", nil, []string{` !     Procfile:2: "nonsense" is not TYPE: COMMAND`, " !     Procfile:3: web: is defined a second time"}},
		{"names", "a_b: a\na-b: b\nlauncher: c\n", nil, []string{" !     Procfile:2: a-b: ", " !     Procfile:3: launcher: "}},
		{"itself", "web: launcher run web\n", nil, []string{" !     Procfile:1: web: starts this line again"}},
		{"nothing", "# none\n", nil, []string{" !     Procfile: defines no process type"}},
		{"another system", "web: a\n", []string{"CNB_TARGET_OS=windows"}, []string{"the target is windows"}},
		{"another machine", "web: a\n", []string{"CNB_TARGET_ARCH=riscv64"}, []string{"no binary for linux/riscv64"}},
		{"no layers", "web: a\n", []string{"CNB_LAYERS_DIR="}, []string{"CNB_LAYERS_DIR is not set"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCNB(t, test.procfile)
			r := c.build(t, test.env...).want(t, 1)
			for _, want := range test.want {
				r.wantIn(t, r.err, want)
			}
			if _, err := os.Stat(filepath.Join(c.layers, "launch.toml")); err == nil {
				t.Error("launch.toml is there all the same")
			}
		})
	}
}

// TestCNBRuns: the processes run where there is no shell, and COUNT is the
// run time's.
func TestCNBRuns(t *testing.T) {
	c := newCNB(t, "My_Worker: /bin/echo hello $INDEX\n")
	c.build(t).want(t, 0)
	var launch launchTOML
	strict(t, read(t, c.layers, "launch.toml"), &launch)
	env := []string{"PATH=/nonexistent", "LAUNCHER_RESTART=never", "LAUNCHER_SOCKET=none", "COUNT=2", "LAUNCHER_BUDGET=auto"}
	r := call(t, c.app, env, launch.Processes[0].Command...).want(t, 0)
	r.wantIn(t, r.out, "hello 0\n")
	r.wantIn(t, r.out, "hello 1\n")
}

func TestBuildpackTOML(t *testing.T) {
	for file, arches := range map[string][]string{
		"linux/amd64": {"amd64"}, "linux/arm64": {"arm64"}, "tgz": {"amd64", "arm64"}, "": {"amd64", "arm64"}, "source": {"amd64", "arm64"},
	} {
		dir, version := filepath.Join(made, "package", file), testNumber
		switch file {
		case "tgz":
			dir = buildpackDir(t)
		case "source":
			dir, version = "..", "0.0.0"
		}
		var b struct {
			API       string `toml:"api"`
			Buildpack struct {
				ID, Version, Name, Description string
				Keywords                       []string
				SBOMFormats                    []string `toml:"sbom-formats"`
				Licenses                       []struct{ Type string }
			}
			Targets []struct{ OS, Arch string }
		}
		strict(t, read(t, dir, "buildpack.toml"), &b)
		var got []string
		for _, target := range b.Targets {
			got = append(got, target.Arch)
		}
		if b.API != "0.10" || b.Buildpack.Version != version || !slices.Equal(got, arches) {
			t.Errorf("%s: %+v", file, b)
		}
	}
}
