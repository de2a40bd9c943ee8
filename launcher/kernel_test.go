//go:build linux

package launcher

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	childModes["interrupted"] = waitInterrupted
	childModes["idle"] = idle
}

func TestNoExitIsLost(t *testing.T) {
	s := newSystem(t)
	const count = 300
	left := make(map[int]int)
	for i := range count {
		spec := sh(t, "exit "+strconv.Itoa(i%100))
		left[start(t, s, spec)] = i % 100
	}
	for end := time.Now().Add(patience); len(left) > 0 && time.Now().Before(end); {
		pid, err := s.Peek()
		if err != nil {
			t.Fatalf("peek with %d left: %v", len(left), err)
		}
		if pid == 0 {
			s.Wait(end)
			continue
		}
		want, ours := left[pid]
		if exit, _, err := s.Reap(pid); !ours || err != nil || exit.Code() != want {
			t.Fatalf("pid %d (ours: %v): %v, %v, want %d", pid, ours, exit.Code(), err, want)
		}
		delete(left, pid)
	}
	if _, err := s.Peek(); err != unix.ECHILD {
		t.Errorf("after all of them: %v", err)
	}
	if len(s.children)+len(s.sockets)+len(s.names) != 0 {
		t.Errorf("kept: %d children, %d sockets, %d names", len(s.children), len(s.sockets), len(s.names))
	}
}

func TestReapOfOneThatRuns(t *testing.T) {
	s := newSystem(t)
	pid := start(t, s, sh(t, "read x"))
	if _, _, err := s.Reap(pid); err != unix.EAGAIN {
		t.Errorf("reap: %v", err)
	}
	if got, err := s.Peek(); got != 0 || err != nil {
		t.Errorf("peek: %d, %v", got, err)
	}
	if err := s.Signal(pid, unix.SIGKILL); err != nil {
		t.Error(err)
	}
	if exit, _ := await(t, s, pid); exit.Code() != 137 {
		t.Errorf("code %d", exit.Code())
	}
	for _, pid := range []int{-1, 0, 1} {
		if err := s.Signal(pid, unix.SIGTERM); err != unix.EINVAL {
			t.Errorf("signal to %d: %v", pid, err)
		}
		if _, _, err := s.Reap(pid); err != unix.EINVAL {
			t.Errorf("reap of %d: %v", pid, err)
		}
	}
}

func TestOrphansAreAdopted(t *testing.T) {
	s := newSystem(t)
	spec := sh(t, `(read x <"$OUT/gate"; exit 7) & echo $! >"$OUT/pid"`)
	if err := unix.Mkfifo(spec.out("gate"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, s, spec) // the shell is gone; what it left still runs
	orphan, err := strconv.Atoi(strings.TrimSpace(content(t, spec.out("pid"))))
	if err != nil {
		t.Fatal(err)
	}
	gate, err := os.OpenFile(spec.out("gate"), os.O_RDWR, 0) // both ends: it does not wait for the reader
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	if _, err := gate.WriteString("go\n"); err != nil {
		t.Fatal(err)
	}
	if exit, _ := await(t, s, orphan); exit.Code() != 7 {
		t.Errorf("the orphan ended with %d", exit.Code())
	}
}

func TestWaitEndsAtItsDeadline(t *testing.T) {
	s := newSystem(t)
	until := time.Now().Add(30 * time.Millisecond)
	for time.Now().Before(until) {
		s.Wait(until)
	}
	s.Wait(time.Now().Add(-time.Second)) // one that has passed: at once
}

func TestWakeEndsWait(t *testing.T) {
	s := newSystem(t)
	for range 50 {
		sent := make(chan struct{})
		go func() {
			close(sent)
			s.Wake()
			s.Wake()
		}()
		<-sent
		begin := time.Now()
		s.Wait(begin.Add(patience))
		if time.Since(begin) >= patience {
			t.Fatal("Wake did not wake")
		}
	}
}

func TestSignalsComeThroughABurst(t *testing.T) {
	s := newSystem(t)
	for range 200 {
		_ = unix.Kill(unix.Getpid(), unix.SIGCHLD)
		_ = unix.Kill(unix.Getpid(), unix.SIGUSR1)
	}
	_ = unix.Kill(unix.Getpid(), unix.SIGTERM)
	var heard []unix.Signal
	for end := time.Now().Add(patience); time.Now().Before(end) && !slices.Contains(heard, unix.SIGTERM); {
		heard = append(heard, s.Wait(end).Signals...)
	}
	if !slices.Contains(heard, unix.SIGTERM) {
		t.Error("TERM was pushed out")
	}
	if slices.Contains(heard, unix.SIGCHLD) {
		t.Error("CHLD is only to wake")
	}
}

func TestNotes(t *testing.T) {
	s := newSystem(t)
	spec := sh(t, "read x")
	first, second := start(t, s, spec), start(t, s, spec)
	if a, b := s.children[first].socket.Path(), s.children[second].socket.Path(); a == b {
		t.Fatalf("two processes of one slot share %s", a)
	}
	send(t, s.children[second].socket.Path(), "READY=1\nSTATUS=up")
	var notes []Note
	for end := time.Now().Add(patience); len(notes) == 0 && time.Now().Before(end); {
		notes = s.Wait(end).Notes
	}
	if want := (Note{PID: second, Sender: unix.Getpid(), Text: "READY=1\nSTATUS=up"}); len(notes) != 1 || notes[0] != want {
		t.Fatalf("notes %v, want %v", notes, want)
	}

	// What is unread at the end comes with Reap.
	if err := s.Signal(first, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	send(t, s.children[first].socket.Path(), "STATUS=bye")
	ends(t, s, first)
	if _, unread, err := s.Reap(first); err != nil || !slices.Equal(unread, []string{"STATUS=bye"}) {
		t.Errorf("unread %q, %v", unread, err)
	}
}

func TestExitInterruptsWaitOnTheMainThread(t *testing.T) { expectOK(t, rerun(t, "interrupted")) }

// waitInterrupted waits with nobody pumping CHLD. An end before the wait began
// is not seen then, hence several tries.
func waitInterrupted() {
	signal.Notify(make(chan os.Signal, 1), unix.SIGCHLD)
	s, err := NewKernel(KernelConfig{})
	check(err)
	spec := &Spec{Type: "t", Slot: 1, Argv: []string{"sleep", "0.2"}, Env: []string{"PATH=" + os.Getenv("PATH")}}
	for range 5 {
		pid, err := s.Start(spec)
		check(err)
		until := time.Now().Add(5 * time.Second)
		for got := 0; got == 0 && time.Now().Before(until); {
			s.Wait(until)
			got, err = s.Peek()
			check(err)
		}
		woken := time.Now().Before(until)
		_, _, err = s.Reap(pid)
		check(err)
		if woken {
			fmt.Println("ok")
			return
		}
	}
	check(errors.New("Wait slept on"))
}

func TestIdleKernelSleeps(t *testing.T) {
	cmd := rerun(t, "idle")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("it says %q, %v", line, err)
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	switches := func() int {
		text := content(t, "/proc/"+pid+"/task/"+pid+"/status")
		_, rest, ok := strings.Cut(text, "\nvoluntary_ctxt_switches:")
		line, _, _ := strings.Cut(rest, "\n")
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if !ok || err != nil {
			t.Skip("this kernel does not count context switches")
		}
		return n
	}
	// What start-up left to do may take its time; one quiet second proves it.
	least := 1000
	for range 5 {
		before := switches()
		time.Sleep(time.Second)
		if least = min(least, switches()-before); least == 0 {
			return
		}
	}
	t.Errorf("at least %d wake-ups of the main thread in a second", least)
}

func idle() {
	config, _ := channels()
	s, err := NewKernel(config)
	check(err)
	_, err = s.Start(&Spec{Type: "t", Slot: 1, Argv: []string{"/bin/sh", "-c", "read x"}})
	check(err)
	fmt.Println("ready")
	for {
		s.Wait(time.Time{})
	}
}

func TestSpareThreads(t *testing.T) {
	const count = 12
	spareThreads(count)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip(err)
	}
	if len(tasks) < count {
		t.Errorf("%d threads, want at least %d", len(tasks), count)
	}
}
