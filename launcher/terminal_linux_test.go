package launcher

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

func init() {
	childModes["terminal"] = haveTerminal
	childModes["suspend"] = suspend
}

func TestTerminal(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Skip("no pseudo-terminal: ", err)
	}
	defer master.Close()
	defer slave.Close()
	cmd := rerun(t, "terminal")
	cmd.Stdin = slave
	cmd.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	expectOK(t, cmd)
}

// haveTerminal leads a session on a terminal and lends it to a child.
func haveTerminal() {
	config, _ := channels()
	s, err := NewKernel(config)
	check(err)
	pid, err := s.Start(&Spec{
		Type: "t", Slot: 1, Interactive: true,
		Argv: []string{"sh", "-c", "kill -STOP $$; exit 5"},
		Env:  []string{"PATH=" + os.Getenv("PATH")},
	})
	check(err)
	foreground := func(want int) {
		group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
		check(err)
		if group != want {
			check(fmt.Errorf("group %d is in the foreground, want %d", group, want))
		}
	}
	foreground(pid)
	for end := time.Now().Add(patience); !s.Paused(pid); {
		if time.Now().After(end) {
			check(errors.New("not seen to have stopped"))
		}
		s.Wait(time.Now().Add(50 * time.Millisecond))
	}
	if s.Paused(pid) {
		check(errors.New("stopped once, said twice"))
	}
	check(s.Foreground(0)) // from the background, with TTOU caught
	foreground(os.Getpid())
	if s.Suspend() {
		check(errors.New("nobody could continue us"))
	}
	check(s.Foreground(pid))
	foreground(pid)
	check(s.Signal(pid, unix.SIGCONT))
	for got := 0; got != pid; {
		s.Wait(time.Now().Add(50 * time.Millisecond))
		got, err = s.Peek()
		check(err)
	}
	exit, _, err := s.Reap(pid)
	check(err)
	if exit.Code() != 5 {
		check(fmt.Errorf("ended with %d", exit.Code()))
	}
	check(s.Foreground(0))
	foreground(os.Getpid())
	fmt.Println("ok")
}

func TestSuspend(t *testing.T) {
	cmd := rerun(t, "suspend")
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true} // as a shell with job control does
	cmd.Stdout = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	next := func() unix.WaitStatus {
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
			var status unix.WaitStatus
			got, err := unix.Wait4(pid, &status, unix.WUNTRACED|unix.WNOHANG, nil)
			if got == pid {
				return status
			}
			if err != nil && err != unix.EINTR {
				t.Fatalf("wait4: %v", err)
			}
		}
		t.Fatal("it neither stopped nor ended")
		return 0
	}
	if status := next(); !status.Stopped() {
		t.Fatalf("it did not stop: %#x", status)
	}
	if err := unix.Kill(-pid, unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if status := next(); !status.Exited() || status.ExitStatus() != 0 {
		t.Errorf("continued, it ended with %#x", status)
	}
}

func suspend() {
	config, _ := channels()
	s, err := NewKernel(config)
	check(err)
	if !s.Suspend() {
		check(errors.New("it says that it cannot"))
	}
}
