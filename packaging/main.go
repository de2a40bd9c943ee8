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
