//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// The contenders that figures are compared with by name.
const (
	launcherName = "launcher"
	prefixName   = "launcher --log prefix"
	loopName     = "C: loop over kill and wait"
	lookName     = "C: the same, /proc read first"
)

// contender is a program that starts processes and stops them.
type contender struct {
	name    string
	holds   int // processes at most; 0: any number
	replace bool
	// command writes what it needs into dir and says how it is started, for n
	// processes of a command.
	command func(dir string, n int, command []string) ([]string, error)
}

// ourselves is the launcher with the output that costs it most: two pipes for each
// process.
func (b *bench) ourselves() contender { return b.logging(launcherName, "prefix") }

// plain is the launcher with the output that is its default off a terminal, which is
// what those do that it is compared with.
func (b *bench) plain() contender { return b.logging(launcherName, "raw") }

func (b *bench) logging(name, form string) contender {
	return contender{name: name, replace: true, command: func(dir string, n int, command []string) ([]string, error) {
		err := procfile(dir, "worker: "+strings.Join(command, " "))
		return []string{
			b.launcher, "run", "worker", "-c", strconv.Itoa(n), "-f", "Procfile",
			"--log", form, "--socket", "none",
		}, err
	}}
}

// loops are the C programs, and the one in Go.
func (b *bench) loops() []contender {
	loop := func(words ...string) func(string, int, []string) ([]string, error) {
		return func(_ string, n int, command []string) ([]string, error) {
			return append(append([]string{}, words...), strconv.Itoa(n), command[0]), nil
		}
	}
	return []contender{
		{name: loopName, command: loop(b.loop)},
		{name: lookName, command: loop(b.loop, "-look")},
		{name: goLoopName, command: loop(b.self, goLoopWord)},
	}
}

// peers are those that are on PATH.
func (b *bench) peers() []contender {
	all := []contender{
		{name: "s6-svscan", replace: true, command: scanDirectory},
		{name: "supervisord", replace: true, command: supervisord},
		{name: "foreman", command: foreman},
		{name: "tini", holds: 1, command: prefixCommand("tini", "-s", "--")},
		{name: "dumb-init", holds: 1, command: prefixCommand("dumb-init")},
		{name: "catatonit", holds: 1, command: prefixCommand("catatonit", "--")},
	}
	var out []contender
	for _, c := range all {
		if _, err := exec.LookPath(c.name); err == nil {
			out = append(out, c)
		}
	}
	return out
}

func prefixCommand(words ...string) func(string, int, []string) ([]string, error) {
	return func(_ string, _ int, command []string) ([]string, error) {
		return append(append([]string{}, words...), command...), nil
	}
}

func procfile(dir, line string) error {
	return os.WriteFile(filepath.Join(dir, "Procfile"), []byte(line+"\n"), 0o644)
}

func scanDirectory(dir string, n int, command []string) ([]string, error) {
	run := "#!/bin/sh\nexec " + strings.Join(command, " ") + "\n"
	for i := range n {
		service := filepath.Join(dir, "scan", fmt.Sprintf("worker%d", i))
		if err := os.MkdirAll(service, 0o755); err != nil {
			return nil, err
		}
		var err error
		if len(command) == 1 { // no shell in between
			err = os.Symlink(command[0], filepath.Join(service, "run"))
		} else {
			err = os.WriteFile(filepath.Join(service, "run"), []byte(run), 0o755)
		}
		if err != nil {
			return nil, err
		}
	}
	return []string{"s6-svscan", filepath.Join(dir, "scan")}, nil
}

func supervisord(dir string, n int, command []string) ([]string, error) {
	text := fmt.Sprintf(`[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=%s/pid
[program:worker]
command=%s
numprocs=%d
process_name=worker%%(process_num)d
stdout_logfile=/dev/stdout
stdout_logfile_maxbytes=0
startsecs=0
`, dir, strings.Join(command, " "), n)
	path := filepath.Join(dir, "supervisord.conf")
	return []string{"supervisord", "-c", path}, os.WriteFile(path, []byte(text), 0o644)
}

func foreman(dir string, n int, command []string) ([]string, error) {
	err := procfile(dir, "worker: exec "+strings.Join(command, " "))
	return []string{"foreman", "start", "-f", "Procfile", "-m", "worker=" + strconv.Itoa(n), "-t", "10"}, err
}
