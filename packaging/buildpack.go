package main

import (
	"os"
	"path/filepath"
	"strings"
)

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
