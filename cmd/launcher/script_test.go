package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dyno/internal/early"
	"dyno/launcher"

	"github.com/creack/pty"
	"github.com/rogpeppe/go-internal/testscript"
)

// hupIgnored tells how HUP was when the test began.
var hupIgnored = early.IgnoredHUP

// TestScript runs the real binary as users do, by the scripts in
// testdata/script. Their own commands are:
//
//	exits STATUS CMD ARG ...    run, and want this exit status
//	background NAME CMD ARG ... start; output goes to NAME.out and NAME.err
//	until FILE REGEXP           wait until a line of the file matches
//	send SIGNAL NAME            signal what background started
//	ended NAME STATUS           wait for its end, and want this exit status
//	narrow FILE                 no line is wider than 80 columns
//	gone FILE                   the process whose pid the file holds is no more
//
// The condition [hup] is false where HUP is ignored, by nohup or a CI runner:
// the launcher leaves it so; [pty] where there are pseudo-terminals.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("testdata", "script"),
		Setup: setUpScript,
		Condition: func(cond string) (bool, error) {
			switch cond {
			case "hup":
				return !hupIgnored, nil
			case "pty":
				return hasTerminals(), nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "background": background, "until": until,
			"send": send, "ended": ended, "narrow": narrow, "gone": gone,
		},
	})
}

func hasTerminals() bool {
	controller, terminal, err := pty.Open()
	if err != nil {
		return false
	}
	return controller.Close() == nil && terminal.Close() == nil
}

// jobs are the processes that a script has in the background.
type jobs struct {
	sync.Mutex
	byName map[string]*job
}

type job struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

type jobsKey struct{}

func setUpScript(env *testscript.Env) error {
	bin := filepath.Join(env.WorkDir, ".bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"launcher", "launcherctl"} {
		if err := os.Symlink(launcherBinary, filepath.Join(bin, name)); err != nil {
			return err
		}
	}
	env.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	all := &jobs{byName: map[string]*job{}}
	env.Values[jobsKey{}] = all
	env.Defer(func() {
		all.Lock()
		defer all.Unlock()
		for _, j := range all.byName {
			if !isClosed(j.ended) {
				_ = j.cmd.Process.Kill()
				<-j.ended
			}
		}
	})
	return nil
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS CMD ARG ...")
	}
	err := ts.Exec(args[1], args[2:]...)
	status := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		status = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if strconv.Itoa(status) != args[0] {
		ts.Fatalf("exit status %d, want %s", status, args[0])
	}
}

func background(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: background NAME CMD ARG ...")
	}
	name, path := args[0], args[1]
	if !strings.Contains(path, "/") {
		path = lookPath(ts, path)
	}
	cmd := exec.Command(path, args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = scriptEnv(ts)
	for stream, ext := range map[*io.Writer]string{&cmd.Stdout: ".out", &cmd.Stderr: ".err"} {
		f, err := os.Create(ts.MkAbs(name + ext))
		ts.Check(err)
		defer f.Close()
		*stream = f
	}
	ts.Check(cmd.Start())
	j := &job{cmd: cmd, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(j.ended)
	}()
	all := ts.Value(jobsKey{}).(*jobs)
	all.Lock()
	defer all.Unlock()
	all.byName[name] = j
}

// lookPath finds a program on the script's own PATH.
func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
			return path
		}
	}
	ts.Fatalf("%s is not on PATH", name)
	return ""
}

// scriptEnv passes on what scripts set for the launcher; testscript has no way
// to ask for all of it.
func scriptEnv(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{
		"PATH", "HOME", "WORK", "TMPDIR", "COUNT", "INDEX", "DYNO", "PORT",
		"LAUNCHER_BUDGET", "LAUNCHER_LOG", "LAUNCHER_RESTART", "LAUNCHER_SOCKET", "XDG_RUNTIME_DIR",
	} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func theJob(ts *testscript.TestScript, name string) *job {
	all := ts.Value(jobsKey{}).(*jobs)
	all.Lock()
	defer all.Unlock()
	j := all.byName[name]
	if j == nil {
		ts.Fatalf("nothing called %s was started", name)
	}
	return j
}

func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: until FILE REGEXP")
	}
	want := regexp.MustCompile("(?m)" + args[1])
	var text []byte
	came := within(patience, func() bool {
		text, _ = os.ReadFile(ts.MkAbs(args[0]))
		return want.Match(text)
	})
	if came {
		return
	}
	ts.Fatalf("%s never came to match %s; it holds:\n%s%s", args[0], args[1], text, others(ts))
}

// others shows what the processes in the background wrote to standard error.
func others(ts *testscript.TestScript) string {
	var b strings.Builder
	files, _ := filepath.Glob(ts.MkAbs("*.err"))
	for _, file := range files {
		text, _ := os.ReadFile(file)
		fmt.Fprintf(&b, "\n%s:\n%s", filepath.Base(file), text)
	}
	return b.String()
}

func send(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: send SIGNAL NAME")
	}
	sig, err := launcher.ParseSignal(args[0])
	ts.Check(err)
	ts.Check(theJob(ts, args[1]).cmd.Process.Signal(sig))
}

func ended(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ended NAME STATUS")
	}
	j := theJob(ts, args[0])
	select {
	case <-j.ended:
	case <-time.After(patience):
		ts.Fatalf("%s does not end%s", args[0], others(ts))
	}
	if status := shellStatus(j.cmd.ProcessState); strconv.Itoa(status) != args[1] {
		ts.Fatalf("%s ended with %d, want %s%s", args[0], status, args[1], others(ts))
	}
}

// shellStatus is the exit status as a shell has it: 128+N for signal N.
func shellStatus(state *os.ProcessState) int {
	if ws := state.Sys().(syscall.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return state.ExitCode()
}

func narrow(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: narrow FILE")
	}
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if line = strings.TrimRight(line, "\n"); len([]rune(line)) > helpWidth {
			ts.Fatalf("%d columns: %s", len([]rune(line)), line)
		}
	}
}

func gone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone FILE")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[0])))
	ts.Check(err)
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		ts.Fatalf("process %d is still there (%v)", pid, err)
	}
}
