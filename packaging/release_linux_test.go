package main

import (
	"debug/elf"
	"debug/macho"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSums: the checksums are right by sha256sum, and name every file.
func TestSums(t *testing.T) {
	for _, dir := range []string{"package", "release"} {
		dir = filepath.Join(made, dir)
		if out, err := shell(dir, "sha256sum -c --strict SHA256SUMS"); err != nil {
			t.Errorf("%s\n%s", err, out)
		}
		sums := read(t, dir, "SHA256SUMS")
		for _, line := range listing(t, dir) {
			mode, name, _ := strings.Cut(line, " ")
			if mode[0] == '-' && name != "SHA256SUMS" && !strings.Contains(sums, "  "+name+"\n") {
				t.Errorf("%s has no checksum", name)
			}
		}
	}
}

func shell(dir, script string, args ...string) (string, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-euc", script, "sh"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestSameTwice: made again, from the source on, everything is the same.
func TestSameTwice(t *testing.T) {
	again := filepath.Join(t.TempDir(), "again")
	if out, err := makeAll(again); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, dir := range []string{"package", "release"} {
		if diff := cmp.Diff(read(t, made, dir, "SHA256SUMS"), read(t, again, dir, "SHA256SUMS")); diff != "" {
			t.Errorf("%s: %s", dir, diff)
		}
	}
}

// TestTarball: the .tgz is the tree of pack, with both binaries, and root's.
func TestTarball(t *testing.T) {
	tgz := filepath.Join(made, "package", "launcher-buildpack-"+testVersion+".tgz")
	out, err := shell("/", `tar --numeric-owner -tvzf "$1"`, tgz)
	must(t, err)
	for line := range strings.Lines(out) {
		if fields := strings.Fields(line); fields[1] != "0/0" || fields[3] != "1980-01-01" {
			t.Errorf("not root's, or with a time: %s", line)
		}
	}
	got := contents(t, unpacked(t, filepath.Join(t.TempDir(), "tgz")))
	for _, arch := range arches {
		for name, text := range contents(t, filepath.Join(made, "package", "linux", arch)) {
			other, ok := got[name]
			if !ok || other != text && !strings.HasSuffix(name, " buildpack.toml") {
				t.Errorf("%s: %s is not in the .tgz as it is in the tree", arch, name)
			}
		}
	}
}

// TestBinaries: static, and for what their names say.
func TestBinaries(t *testing.T) {
	dir := filepath.Join(made, "release")
	for arch, want := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		f, err := elf.Open(filepath.Join(dir, "launcher-"+testVersion+"-linux-"+arch))
		must(t, err)
		if f.Machine != want {
			t.Errorf("%s: for %s", arch, f.Machine)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s: not static: %s", arch, p.Type)
			}
		}
		f.Close()
	}
	f, err := macho.Open(filepath.Join(dir, "launcher-"+testVersion+"-darwin-arm64"))
	must(t, err)
	if f.Cpu != macho.CpuArm64 {
		t.Errorf("for %s", f.Cpu)
	}
	f.Close()
	r := call(t, "/", nil, filepath.Join(dir, "launcher-"+testVersion+"-linux-"+runtime.GOARCH), "version").want(t, 0)
	r.wantIn(t, r.out, "launcher "+testVersion+", ")
}

// TestManPage: groff has nothing to say about it, and it knows the settings.
func TestManPage(t *testing.T) {
	page := filepath.Join(made, "release", "launcher.1")
	out, err := shell("/", `MANWIDTH=80 LC_ALL=C.UTF-8 man --warnings -l "$1" 2>&1 | cat`, page)
	must(t, err)
	for _, want := range []string{"LAUNCHER(1)", "launcher run TYPE[=N]", "-t, --budget TIME", "LAUNCHER_QUIET_FOR", "Exit status: 0", testVersion} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	if strings.Contains(out, "warning:") || strings.Contains(out, "buildpack") {
		t.Error(out)
	}
}

// TestDebian: dpkg installs the package into a root of its own, where it runs,
// verifies and goes again.
func TestDebian(t *testing.T) {
	deb := filepath.Join(made, "release", "launcher_"+testNumber+"_"+runtime.GOARCH+".deb")
	out, err := shell("/", `dpkg-deb --field "$1" Package Version Architecture`, deb)
	must(t, err)
	if want := "Package: launcher\nVersion: " + testNumber + "\nArchitecture: " + runtime.GOARCH + "\n"; out != want {
		t.Errorf("%s, want %s", out, want)
	}
	root := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg/updates"), 0o755))
	must(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg/info"), 0o755))
	for _, file := range []string{"status", "available"} {
		write(t, "", root, "var/lib/dpkg", file)
	}
	dpkg := func(args ...string) string {
		args = append([]string{"--root=" + root, "--force-not-root", "--force-script-chrootless", "--log=/dev/null"}, args...)
		out, err := exec.Command("dpkg", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("dpkg %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	dpkg("--install", deb)
	if out := dpkg("--verify", "launcher"); out != "" {
		t.Error(out)
	}
	for _, name := range []string{"launcher", "launcherctl"} {
		r := call(t, "/", nil, filepath.Join(root, "usr/bin", name), "version").want(t, 0)
		r.wantIn(t, r.out, testVersion)
	}
	share := filepath.Join(root, "usr/share")
	for _, name := range []string{"launcher", "launcherctl"} {
		out, err := shell(share, `bash -n "bash-completion/completions/$1"; zsh -f -n "zsh/vendor-completions/_$1"
			fish --no-config -n "fish/vendor_completions.d/$1.fish"; test -s "man/man1/$1.1.gz"
			grep -q "$1" "bash-completion/completions/$1"`, name)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	copyright := read(t, share, "doc/launcher/copyright")
	for _, want := range []string{"MIT License", "github.com/spf13/cobra v1", "Go go1."} {
		if !strings.Contains(copyright, want) {
			t.Errorf("no %q in the copyright", want)
		}
	}
	units, err := filepath.Glob("../examples/systemd/launcher@.*")
	must(t, err)
	for _, unit := range units {
		if read(t, unit) != read(t, root, "usr/lib/systemd/system", filepath.Base(unit)) {
			t.Errorf("%s is not as it is in the project", unit)
		}
	}
	dpkg("--remove", "launcher")
	if left := slices.DeleteFunc(listing(t, root), func(line string) bool { return strings.Contains(line, " var") }); len(left) > 0 {
		t.Errorf("it leaves %v", left)
	}
}

// TestVersions: what other tools make of versions.
func TestVersions(t *testing.T) {
	for _, test := range []struct{ described, number, debian string }{
		{"v1.2.3", "1.2.3", "1.2.3"},
		{"1.2.3", "1.2.3", "1.2.3"},
		{"v1.2.3-14-gabc1234", "0.0.0", "1.2.3+14.gabc1234"},
		{"v1.2.3-dirty", "0.0.0", "0~v1.2.3.dirty"},
		{"4934587", "0.0.0", "0~4934587"},
		{"dev", "0.0.0", "0~dev"},
	} {
		if got := number(test.described); got != test.number {
			t.Errorf("%s: number %s, want %s", test.described, got, test.number)
		}
		if got := debianVersion(test.described); got != test.debian {
			t.Errorf("%s: Debian's %s, want %s", test.described, got, test.debian)
		}
		if out, err := exec.Command("dpkg", "--validate-version", test.debian).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", test.debian, out)
		}
	}
}
