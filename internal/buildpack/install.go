package buildpack

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"dyno/procfile"
)

// binary is the launcher for an architecture, and its SBOM beside it.
func (c *Call) binary(arch string) string { return filepath.Join(c.Dir, "bin", "launcher-"+arch) }

// sbomExt is that of CycloneDX in JSON, as the CNB spec has it.
const sbomExt = ".cdx.json"

// install puts the launcher for an architecture into a directory, with its
// other name, which does not meet the platform's own launcher on PATH.
func (c *Call) install(arch, dir string) error {
	if _, err := os.Stat(c.binary(arch)); errors.Is(err, fs.ErrNotExist) {
		return &procfile.Problem{
			What:   "the buildpack has no binary for linux/" + arch,
			Remedy: "it is for the architectures of its bin/launcher-ARCH",
		}
	}
	if err := makeDir(dir); err != nil {
		return err
	}
	if err := copyFile(filepath.Join(dir, "launcher"), c.binary(arch), 0o755); err != nil {
		return err
	}
	other := filepath.Join(dir, "launcherctl")
	if err := os.RemoveAll(other); err != nil {
		return err
	}
	return os.Symlink("launcher", other)
}

// makeDir makes a directory and what is missing above it, readable for whoever
// will run the app, whatever the umask.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o755)
}

// copyFile copies a file; what was there, a link too, is replaced.
func copyFile(to, from string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return write(to, mode, func(out io.Writer) error {
		_, err := io.Copy(out, in)
		return err
	})
}

// writeFile writes a text; what was there, a link too, is replaced.
func writeFile(to, text string) error {
	return write(to, 0o644, func(out io.Writer) error {
		_, err := io.WriteString(out, text)
		return err
	})
}

func write(to string, mode fs.FileMode, content func(io.Writer) error) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	return errors.Join(content(out), out.Chmod(mode), out.Close()) // the umask may have taken bits
}
