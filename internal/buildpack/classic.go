package buildpack

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// Where the launcher is in the app.
const appBin = ".launcher/bin"

// Compile is bin/compile BUILD_DIR CACHE_DIR ENV_DIR: the launcher goes into
// the app, onto PATH when a dyno starts, and onto that of later buildpacks. A
// mistake in the Procfile ends the build.
func (c *Call) Compile() error {
	app, err := c.argument(0, "BUILD_DIR")
	if err != nil {
		return err
	}
	if app, err = filepath.Abs(app); err != nil {
		return err
	}
	c.step("Installing launcher %s (linux/%s)", c.Version, c.Arch)
	bin := filepath.Join(app, filepath.FromSlash(appBin))
	if err := c.install(c.Arch, bin); err != nil {
		return err
	}
	profile, err := profileOf(app)
	if err != nil {
		return err
	}
	if err := makeDir(filepath.Join(app, ".profile.d")); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(app, ".profile.d", "launcher.sh"), profile); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(c.Dir, "export"), "export PATH="+shellQuote(bin)+`:"$PATH"`+"\n"); err != nil {
		return err
	}
	c.say("%s/launcher, and the same as launcherctl", appBin)
	return c.checkProcfile(app)
}

// profileOf is .profile.d/launcher.sh, which a shell reads before it starts a
// process. The app is elsewhere then: in $HOME.
func profileOf(app string) (string, error) {
	variables, err := defaults(app)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString("# Written by launcher's buildpack.\n")
	fmt.Fprintf(&b, "export PATH=\"$HOME/%s:$PATH\"\n", appBin)
	for _, v := range variables {
		fmt.Fprintf(&b, "export %s=\"${%s-%s}\"\n", v.name, v.name, v.value)
	}
	return b.String(), nil
}

// checkProcfile says of each type whether it runs under the launcher.
func (c *Call) checkProcfile(app string) error {
	c.step("Checking the Procfile")
	entries, err := readProcfile(app)
	if errors.Is(err, fs.ErrNotExist) {
		c.say("there is none")
		return nil
	}
	if err != nil {
		return err
	}
	outside := ""
	for _, e := range entries {
		how := "runs as it is"
		if e.launched {
			how = "runs under the launcher"
		} else if e.Type != "release" && outside == "" {
			outside = e.Type
		}
		c.say("%s %s", e.Type, how)
	}
	if outside != "" {
		c.say("To put a type under the launcher, write: %s: launcher exec COMMAND", outside)
	}
	return nil
}

// Release is bin/release: nothing is added to what the app asks for.
func (c *Call) Release() error {
	_, err := fmt.Fprintln(c.Out, "--- {}")
	return err
}

// step and say print in Heroku's style.
func (c *Call) step(format string, args ...any) { fmt.Fprintf(c.Out, "-----> "+format+"\n", args...) }

func (c *Call) say(format string, args ...any) { fmt.Fprintf(c.Out, "       "+format+"\n", args...) }

// shellQuote makes one word for a shell of any text.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
