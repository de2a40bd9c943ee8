package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestPTY: with --pty children see a terminal, and readers of our output see
// lines as ever.
func TestPTY(t *testing.T) {
	if !hasTerminals() {
		t.Skip("no pseudo-terminals here")
	}
	run := func(t *testing.T, mode, line string) string {
		t.Helper()
		tr := newTrial(t, map[string]string{"Procfile": "w: " + line + "\n"})
		tr.start("run", "w", "--pty", "--log", mode, "--restart", "never")
		tr.wait(0)
		return tr.text("out")
	}
	t.Run("isatty", func(t *testing.T) {
		out := run(t, "prefix", `sh -c 'test -t 1 && test -t 2 && echo both'`)
		if out != "w.1 | both\n" {
			t.Errorf("%q", out)
		}
	})
	t.Run("colours", func(t *testing.T) {
		if out := run(t, "raw", "env TERM=xterm ls --color=auto -d /"); !strings.Contains(out, "\x1b[") {
			t.Errorf("no colour in %q", out)
		}
	})
	t.Run("line by line", func(t *testing.T) { // not at the end only, as to a pipe
		needProgram(t, "python3")
		tr := newTrial(t, map[string]string{"Procfile": `w: python3 -c "import time; print('first'); time.sleep(1000)"` + "\n"})
		tr.start("run", "w", "--pty", "--log", "prefix")
		tr.eventually("a line of one that still runs", func() bool { return tr.text("out") == "w.1 | first\n" })
		tr.stop(0)
	})
	t.Run("the last lines", func(t *testing.T) {
		for _, mode := range []string{"prefix", "raw"} {
			out := run(t, mode, `sh -c 'seq 2000; printf "the end"'`)
			lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
			if last := lines[len(lines)-1]; len(lines) != 2001 || !strings.HasSuffix(last, "the end") {
				t.Errorf("%s: %d lines, the last: %q", mode, len(lines), last)
			}
			if strings.Contains(out, "\r") {
				t.Errorf("%s: carriage returns", mode)
			}
		}
	})
	t.Run("size and no control", func(t *testing.T) {
		needProgram(t, "stty")
		s := openScreen(t, nil, "sh", "-c", "read -r x; exec launcher run w --pty --restart never")
		s.write("Procfile", `w: sh -c 'stty size <&1; (exec 3</dev/tty) 2>&1 | grep -c .'`+"\n")
		s.enter("go", `^w\.1 \| 24 80\r`)
		s.until(`^w\.1 \| 1\r`) // it is nobody's controlling terminal
		s.exits(0)
	})
	t.Run("many lines of two", func(t *testing.T) {
		tr := newTrial(t, map[string]string{"Procfile": "w: seq 5000\n"})
		tr.start("run", "w=2", "--pty", "--log", "prefix", "--restart", "never")
		tr.wait(0)
		for _, name := range []string{"w.1", "w.2"} {
			if n := bytes.Count([]byte(tr.text("out")), []byte(name+" | ")); n != 5000 {
				t.Errorf("%s: %d lines", name, n)
			}
		}
	})
}
