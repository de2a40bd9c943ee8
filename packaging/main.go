// Command packaging makes what is distributed of binaries that are built:
// `make package` and `make release` call it. The same binaries give the same
// bytes: no times, no names of the machine, everything sorted.
//
//	go run ./packaging -version V -binaries DIR -out DIR buildpack
//	go run ./packaging -version V -binaries DIR -out DIR -launcher FILE release
//
// The binaries are DIR/launcher-OS-ARCH; FILE is one that runs here, and prints
// its own manual page and completions.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// job is what the flags say.
type job struct {
	version  string // as git describe has it
	source   string // the project's directory
	binaries string
	out      string // made anew
	launcher string
}

// arches are those that the buildpack and the Debian packages are for.
var arches = []string{"amd64", "arm64"}

func main() {
	var j job
	flag.StringVar(&j.version, "version", "dev", "as git describe has it")
	flag.StringVar(&j.source, "source", ".", "the project's directory")
	flag.StringVar(&j.binaries, "binaries", "", "where launcher-OS-ARCH are")
	flag.StringVar(&j.out, "out", "", "directory to make anew")
	flag.StringVar(&j.launcher, "launcher", "", "a launcher that runs here, for release")
	flag.Parse()
	run := map[string]func() error{"buildpack": j.buildpack, "release": j.release}[flag.Arg(0)]
	if run == nil || flag.NArg() != 1 || j.binaries == "" || j.out == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

// binary is where the launcher for a platform is.
func (j *job) binary(platform string) string {
	return filepath.Join(j.binaries, "launcher-"+platform)
}

var described = regexp.MustCompile(`^v?([0-9]+\.[0-9]+\.[0-9]+)(?:-([0-9]+)-(g[0-9a-f]+))?$`)

// number is X.Y.Z of a version that is released, and 0.0.0 of any other: CNB
// knows nothing else.
func number(version string) string {
	if m := described.FindStringSubmatch(version); m != nil && m[2] == "" {
		return m[1]
	}
	return "0.0.0"
}

// debianVersion is a version that dpkg takes and sorts: 1.2.3+4.gabc is after
// 1.2.3, and 0~abc before everything.
func debianVersion(version string) string {
	switch m := described.FindStringSubmatch(version); {
	case m == nil:
		return "0~" + regexp.MustCompile(`[^A-Za-z0-9.+~]+`).ReplaceAllString(version, ".")
	case m[2] == "":
		return m[1]
	default:
		return m[1] + "+" + m[2] + "." + m[3]
	}
}

// path is where a file of the project is.
func (j *job) path(name string) string { return filepath.Join(j.source, filepath.FromSlash(name)) }

// read is such a file.
func (j *job) read(name string) ([]byte, error) { return os.ReadFile(j.path(name)) }

// buildpack makes OUT/launcher-buildpack-VERSION.tgz, for both architectures,
// and OUT/buildpack.toml and OUT/linux/ARCH for pack, with OUT/SHA256SUMS.
func (j *job) buildpack() error {
	if err := os.RemoveAll(j.out); err != nil {
		return err
	}
	for _, arch := range arches {
		t, err := j.buildpackTree(arch)
		if err != nil {
			return err
		}
		if err := t.write(filepath.Join(j.out, "linux", arch)); err != nil {
			return err
		}
	}
	t, err := j.buildpackTree(arches...)
	if err != nil {
		return err
	}
	// pack takes both at once where this file is above linux, and without it
	// empties those below.
	if err := t.only("buildpack.toml").write(j.out); err != nil {
		return err
	}
	text, err := t.archive("")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(j.out, "launcher-buildpack-"+j.version+".tgz"), text, 0o644); err != nil {
		return err
	}
	return writeSums(j.out)
}

// buildpackTree is the buildpack with the binaries for some architectures.
func (j *job) buildpackTree(arches ...string) (tree, error) {
	var t tree
	description, err := j.read("buildpack.toml")
	if err != nil {
		return nil, err
	}
	t.add("buildpack.toml", 0o644, forTargets(string(description), number(j.version), arches))
	for script, mode := range map[string]os.FileMode{
		"bin/binary.sh": 0o644, "bin/detect": 0o755, "bin/build": 0o755, "bin/compile": 0o755, "bin/release": 0o755,
	} {
		if err := t.copy(script, mode, j.path(script)); err != nil {
			return nil, err
		}
	}
	for _, arch := range arches {
		binary := j.binary("linux-" + arch)
		if err := t.copy("bin/launcher-"+arch, 0o755, binary); err != nil {
			return nil, err
		}
		sbom, err := sbomOf(binary, j.version)
		if err != nil {
			return nil, err
		}
		t.add("bin/launcher-"+arch+".cdx.json", 0o644, sbom)
	}
	notices, err := j.licenses("linux-" + arches[0])
	if err != nil {
		return nil, err
	}
	t.add("LICENSES", 0o644, notices)
	return t, nil
}

// forTargets puts version and targets into buildpack.toml, where the targets
// stand last.
func forTargets(text, version string, arches []string) string {
	text = strings.Replace(text, `version = "0.0.0"`, `version = "`+version+`"`, 1)
	head, _, _ := strings.Cut(text, "[[targets]]")
	var targets []string
	for _, arch := range arches {
		targets = append(targets, "[[targets]]\nos = \"linux\"\narch = \""+arch+"\"\n")
	}
	return head + strings.Join(targets, "\n")
}
