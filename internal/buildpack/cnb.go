package buildpack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dyno/procfile"

	"github.com/hashicorp/go-multierror"
)

// layerName is that of our one layer: LAYERS/launcher, launcher.toml and
// launcher.sbom.cdx.json.
const layerName = "launcher"

// Build is bin/build: a launch layer with the launcher for the target, and a
// process for each type of the Procfile.
func (c *Call) Build() error {
	layers := c.Getenv("CNB_LAYERS_DIR")
	if layers == "" {
		return &procfile.Problem{What: "CNB_LAYERS_DIR is not set", Remedy: "bin/build is for the lifecycle of Cloud Native Buildpacks"}
	}
	layers, err := filepath.Abs(layers)
	if err != nil {
		return err
	}
	arch, err := c.target()
	if err != nil {
		return err
	}
	entries, err := readProcfile(c.App)
	if err != nil {
		return err
	}
	layer := filepath.Join(layers, layerName)
	processes, err := processesOf(entries, filepath.Join(layer, "bin", "launcher"))
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "launcher %s for linux/%s\n", c.Version, arch)
	if err := c.writeLayer(layer, arch); err != nil {
		return err
	}
	text, err := launchTOML(processes)
	if err != nil {
		return err
	}
	for _, p := range processes {
		fmt.Fprintf(c.Out, "  %s: %s\n", p.typ, strings.Join(p.command, " "))
	}
	return writeFile(filepath.Join(layers, "launch.toml"), text)
}

// target is the architecture that the image is for.
func (c *Call) target() (string, error) {
	if system := c.Getenv("CNB_TARGET_OS"); system != "" && system != "linux" {
		return "", &procfile.Problem{What: "the target is " + system, Remedy: "the launcher is for linux images"}
	}
	if arch := c.Getenv("CNB_TARGET_ARCH"); arch != "" {
		return arch, nil
	}
	return c.Arch, nil
}

// writeLayer makes the layer anew.
func (c *Call) writeLayer(layer, arch string) error {
	if err := os.RemoveAll(layer); err != nil {
		return err
	}
	if err := c.install(arch, filepath.Join(layer, "bin")); err != nil {
		return err
	}
	variables, err := defaults(c.App)
	if err != nil {
		return err
	}
	env := filepath.Join(layer, "env.launch")
	if err := makeDir(env); err != nil {
		return err
	}
	for _, v := range variables {
		// The file's content is the value: no newline.
		if err := writeFile(filepath.Join(env, v.name+".default"), v.value); err != nil {
			return err
		}
	}
	if err := copyFile(layer+".sbom"+sbomExt, c.binary(arch)+sbomExt, 0o644); err != nil {
		return err
	}
	return writeFile(layer+".toml", "[types]\nlaunch = true\n")
}

// process is one [[processes]] of launch.toml.
type process struct {
	typ     string
	command []string
	first   bool // the image's default
}

// processesOf makes the image's processes of the Procfile's: names as
// heroku/procfile makes them, in lower case and with - for _, the default web
// or the only one. command holds the Procfile's own name, for launcher run.
func processesOf(entries []entry, launcher string) ([]process, error) {
	var all []process
	var mistakes *multierror.Error
	refuse := func(e entry, what, remedy string) {
		mistakes = multierror.Append(mistakes, &procfile.Problem{
			File: procfileName, Line: e.Line, Setting: e.Type, What: what, Remedy: remedy,
		})
	}
	taken := map[string]entry{}
	for _, e := range entries {
		p := process{typ: strings.ReplaceAll(strings.ToLower(e.Type), "_", "-")}
		other, twice := taken[p.typ]
		switch {
		case p.typ == "launcher":
			refuse(e, "the image's own launcher has this name", "rename it")
		case twice:
			refuse(e, fmt.Sprintf("is %s in the image, as %s of line %d is", p.typ, other.Type, other.Line), "rename one of them")
		}
		taken[p.typ] = e
		p.first = p.typ == "web" || len(entries) == 1
		p.command = []string{launcher, "run", e.Type}
		if p.typ == "release" && !e.launched {
			// The platform's own affair, once, and as heroku/procfile writes it.
			p.command = []string{"bash", "-c", e.Command}
		}
		all = append(all, p)
	}
	return all, mistakes.ErrorOrNil()
}
