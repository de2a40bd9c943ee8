package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// sbomOf is what a binary is made of, by its own build information: CycloneDX
// 1.5 in JSON, with neither time nor serial number.
func sbomOf(binary, version string) (string, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	self := cdx.Component{
		Type: cdx.ComponentTypeApplication, Name: "launcher", Version: version, BOMRef: "launcher",
		Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "MIT"}}},
	}
	components := []cdx.Component{module("std", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		components = append(components, module(m.Path, m.Version, m.Sum))
	}
	var refs []string
	for _, c := range components {
		refs = append(refs, c.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Component: &self}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: self.BOMRef, Dependencies: &refs}}
	var b strings.Builder
	err = cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_5)
	return b.String(), err
}

// module is one Go module; sum is its h1: of go.sum, a SHA-256 in base64.
func module(path, version, sum string) cdx.Component {
	url := "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: url, BOMRef: url}
	if digest, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:")); err == nil && len(digest) == sha256.Size {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(digest)}}
	}
	return c
}

// licenses are the notices that go with a binary: our own, and those of Go and
// of every module in it, from where the go command has them.
func (j *job) licenses(platform string) (string, error) {
	info, err := buildinfo.ReadFile(j.binary(platform))
	if err != nil {
		return "", err
	}
	own, err := j.read("LICENSE")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "launcher\n\n%s", own)
	root, err := j.goCommand("env", "GOROOT")
	if err != nil {
		return "", err
	}
	if err := notice(&b, "Go "+info.GoVersion, root); err != nil {
		return "", err
	}
	for _, m := range info.Deps {
		dir, err := j.goCommand("list", "-m", "-f", "{{.Dir}}", m.Path)
		if err != nil {
			return "", err
		}
		if err := notice(&b, m.Path+" "+m.Version, dir); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// notice adds the licence files of a directory.
func notice(b *strings.Builder, name, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "LICEN[CS]E*"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s has no licence in %s", name, dir)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "\n%s\n%s\n\n%s", strings.Repeat("-", 72), name, text)
	}
	return nil
}

func (j *job) goCommand(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Stderr = j.source, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
