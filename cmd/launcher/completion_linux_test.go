package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestCompletionByTab: in a shell that a person would type in, with nothing set up
// but what the help says, the tab key completes a process type and a value.
func TestCompletionByTab(t *testing.T) {
	for shell, how := range map[string]struct {
		args []string
		load string
	}{
		"bash": {[]string{"--norc", "--noprofile"}, "source <(launcher completion bash)"},
		"zsh":  {[]string{"-f"}, "autoload -U compinit; compinit -u -D; source <(launcher completion zsh)"},
		"fish": {[]string{"--no-config"}, "launcher completion fish | source"},
	} {
		t.Run(shell, func(t *testing.T) {
			needProgram(t, shell)
			if !hasTerminals() {
				t.Skip("no pseudo-terminals")
			}
			dir := t.TempDir()
			if err := os.Symlink(launcherBinary, filepath.Join(dir, "launcher")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "Procfile"), []byte("web: a\nworker: b\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(shell, how.args...)
			cmd.Dir = dir
			cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "TERM=dumb", "PS1=$ "}
			terminal, err := pty.Start(cmd)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				terminal.Close()
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			}()
			screen := ""
			see := func(pattern string) {
				t.Helper()
				enough := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
				defer enough.Stop()
				for buffer := make([]byte, 4096); !regexp.MustCompile(pattern).MatchString(screen); {
					n, err := terminal.Read(buffer)
					if screen += string(buffer[:n]); err != nil {
						t.Fatalf("no %s: %v\n%q", pattern, err, screen)
					}
				}
				screen = ""
			}
			say := func(text string) { _, _ = terminal.WriteString(text) }
			say(how.load + "; echo load''ed\n")
			see("loaded")
			say("launcher run wo\t")
			see("worker|rker")
			say("--log=j\t")
			see("json|son")
			say("\x15exit\n")
		})
	}
}
