package main

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// platforms are those that binaries are released for.
var platforms = []string{"linux-amd64", "linux-arm64", "darwin-arm64"}

// release makes OUT/launcher-VERSION-OS-ARCH, a Debian package for each
// architecture of Linux, the manual page, and OUT/SHA256SUMS.
func (j *job) release() error {
	if j.launcher == "" {
		return fmt.Errorf("release needs -launcher")
	}
	var t tree
	for _, platform := range platforms {
		if err := t.copy("launcher-"+j.version+"-"+platform, 0o755, j.binary(platform)); err != nil {
			return err
		}
	}
	common, err := j.installed()
	if err != nil {
		return err
	}
	for _, arch := range arches {
		text, err := j.debian(arch, common)
		if err != nil {
			return err
		}
		t.add("launcher_"+debianVersion(j.version)+"_"+arch+".deb", 0o644, text)
	}
	page, err := j.printed("launcher", "man")
	if err != nil {
		return err
	}
	t.add("launcher.1", 0o644, page)
	if err := os.RemoveAll(j.out); err != nil {
		return err
	}
	if err := t.write(j.out); err != nil {
		return err
	}
	return writeSums(j.out)
}

// printed is what the launcher, called by a name of its own, prints.
func (j *job) printed(name string, args ...string) (string, error) {
	program, err := filepath.Abs(j.launcher)
	if err != nil {
		return "", err
	}
	cmd := exec.Cmd{Path: program, Args: append([]string{name}, args...), Env: []string{}, Stderr: os.Stderr}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return string(out), nil
}

// installed is what a Debian package holds on every architecture.
func (j *job) installed() (tree, error) {
	var t tree
	t.addLink("usr/bin/launcherctl", "launcher")
	page, err := j.printed("launcher", "man")
	if err != nil {
		return nil, err
	}
	if page, err = zipped(page); err != nil {
		return nil, err
	}
	t.add("usr/share/man/man1/launcher.1.gz", 0o644, page)
	t.addLink("usr/share/man/man1/launcherctl.1.gz", "launcher.1.gz")
	for _, name := range []string{"launcher", "launcherctl"} {
		for shell, to := range map[string]string{
			"bash": "usr/share/bash-completion/completions/" + name,
			"zsh":  "usr/share/zsh/vendor-completions/_" + name,
			"fish": "usr/share/fish/vendor_completions.d/" + name + ".fish",
		} {
			script, err := j.printed(name, "completion", shell)
			if err != nil {
				return nil, err
			}
			t.add(to, 0o644, script)
		}
	}
	changes, err := j.read("CHANGELOG.md")
	if err != nil {
		return nil, err
	}
	log, err := zipped(string(changes))
	if err != nil {
		return nil, err
	}
	t.add("usr/share/doc/launcher/CHANGELOG.md.gz", 0o644, log)
	units, err := filepath.Glob(j.path("examples/systemd/launcher@.*"))
	if err != nil {
		return nil, err
	}
	for _, unit := range units {
		if err := t.copy("usr/lib/systemd/system/"+filepath.Base(unit), 0o644, unit); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// debian is a Debian package, deb(5): an ar archive of debian-binary,
// control.tar.gz and data.tar.gz.
func (j *job) debian(arch string, common tree) (string, error) {
	files := append(tree{}, common...)
	if err := files.copy("usr/bin/launcher", 0o755, j.binary("linux-"+arch)); err != nil {
		return "", err
	}
	notices, err := j.licenses("linux-" + arch)
	if err != nil {
		return "", err
	}
	files.add("usr/share/doc/launcher/copyright", 0o644, notices)
	data, err := files.archive("./")
	if err != nil {
		return "", err
	}
	control, err := j.control(arch, files).archive("./")
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, member := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", control}, {"data.tar.gz", data}} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", member.name, epoch.Unix(), 0, 0, "100644", len(member.data))
		b.Write(member.data)
		if len(member.data)%2 != 0 {
			b.WriteByte('\n')
		}
	}
	return b.String(), nil
}

// control are the package's own files: deb-control(5) and md5sums.
func (j *job) control(arch string, files tree) tree {
	var sums strings.Builder
	size := 0
	for _, f := range files.sorted() {
		size += (len(f.data) + 1023) / 1024
		if f.link == "" {
			fmt.Fprintf(&sums, "%x  %s\n", md5.Sum([]byte(f.data)), path.Clean(f.path))
		}
	}
	var t tree
	t.add("control", 0o644, fmt.Sprintf(`Package: launcher
Version: %s
Architecture: %s
Maintainer: The launcher authors <launcher@localhost>
Installed-Size: %d
Section: admin
Priority: optional
Description: process launcher for one container, dyno or unit
 Reads a Procfile and COUNT, starts that many processes, keeps them running,
 and turns SIGTERM into quiet, then TERM, then KILL, inside one budget. As PID
 1 or not it reaps every zombie and leaves no process behind.
`, debianVersion(j.version), arch, size))
	t.add("md5sums", 0o644, sums.String())
	return t
}
