package output

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A reader that does not read holds up the process and nobody else; when it
// reads, nothing is missing.
func TestStuckReader(t *testing.T) {
	for _, nonblock := range []bool{false, true} { // set by a stranger
		t.Run(fmt.Sprintf("nonblock=%v", nonblock), func(t *testing.T) {
			out, errs := newReader(t), newReader(t).start()
			if err := unix.SetNonblock(out.fd(), nonblock); err != nil {
				t.Fatal(err)
			}
			o := open(t, Config{Mode: Prefix, Stdout: out.fd(), Stderr: errs.fd()})
			p := start(t, o, "w")
			wrote := make(chan struct{})
			go func() {
				defer close(wrote)
				for i := range 20000 {
					p.print(t, fmt.Sprintf("%099d\n", i))
				}
				p.exit()
			}()
			eventually(t, func() bool { return o.out.sink.pending.Load() > 0 && !writable(out.fd()) }, "a full pipe")
			o.Line([]byte("own"))
			fmt.Fprintln(p.stderr, "theirs")
			errs.waitFor(t, "own\n")
			errs.waitFor(t, "w | theirs\n")
			q := start(t, o, "q")
			q.exit()

			out.start()
			<-wrote
			if lost := o.Close(time.Now().Add(generous)); lost != 0 {
				t.Errorf("lost %d bytes", lost)
			}
			i := 0
			for line := range strings.Lines(out.all(t)) {
				if want := fmt.Sprintf("w | %099d\n", i); line != want {
					t.Fatalf("line %d: %q", i, line)
				}
				i++
			}
			if i != 20000 {
				t.Errorf("%d lines", i)
			}
			flags, err := unix.FcntlInt(uintptr(errs.fd()), unix.F_GETFL, 0)
			if err == nil && flags&unix.O_NONBLOCK != 0 {
				t.Error("O_NONBLOCK was set on stderr")
			}
		})
	}
}

var droppedLines = regexp.MustCompile(`(?m)^launcher: stderr was stuck: (\d+) lines`)

// The launcher's own lines are dropped and counted while nobody reads them.
func TestLineWhileStuck(t *testing.T) {
	errs := newReader(t)
	o := open(t, Config{Stdout: 1, Stderr: errs.fd()})
	const lines = 20000
	line := []byte(strings.Repeat("x", 99))
	within(t, "Line", func() {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range lines / 4 {
					o.Line(line)
				}
			})
		}
		wg.Wait()
	})
	errs.start()
	o.Close(time.Now().Add(generous))
	got := errs.all(t)
	arrived := strings.Count(got, string(line)+"\n")
	dropped := 0
	for _, m := range droppedLines.FindAllStringSubmatch(got, -1) {
		n, _ := strconv.Atoi(m[1])
		dropped += n
	}
	if dropped == 0 || arrived+dropped != lines {
		t.Errorf("%d arrived and %d told as dropped, of %d", arrived, dropped, lines)
	}
}

func TestLineAfterClose(t *testing.T) {
	errs := newReader(t).start()
	o := open(t, Config{Stdout: 1, Stderr: errs.fd()})
	o.Close(time.Now().Add(generous))
	o.Line([]byte("last"))
	if got := errs.all(t); got != "last\n" {
		t.Errorf("%q", got)
	}
}

// A reader that has gone away does not end the processes, and that is said
// once.
func TestReaderGone(t *testing.T) {
	out := newReader(t)
	out.r.Close()
	dropsAll(t, Prefix, out.fd(), "broken pipe")
}

func TestDiskFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	dropsAll(t, JSON, int(full.Fd()), "no space left on device")
}

// dropsAll wants a stdout that fails to hold no process up, and the reason to be
// said once.
func dropsAll(t *testing.T, mode Mode, stdout int, reason string) {
	t.Helper()
	errs := newReader(t).start()
	o := open(t, Config{Mode: mode, Stdout: stdout, Stderr: errs.fd()})
	p := start(t, o, "w")
	within(t, "writing what is dropped", func() {
		for range 100 {
			p.print(t, strings.Repeat("xxxxxxxxx\n", 1000))
		}
	})
	p.exit()
	if lost := o.Close(time.Now().Add(generous)); lost < 100*10*1000 {
		t.Errorf("lost only %d bytes", lost)
	}
	got := errs.all(t)
	if want := "launcher: stdout: " + reason + ": what the processes write there is dropped\n"; got != want {
		t.Errorf("%q", got)
	}
}

// When writes work again that is said, with what was lost, and the next line
// is not glued to the torn one.
func TestDiskNoLongerFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	var said []string
	s := &sink{fd: int(full.Fd()), name: "stdout", lock: &sync.Mutex{}, say: func(text string) { said = append(said, text) }}
	s.write([]byte("dropped\n"), 0)
	s.write([]byte("dropped\n"), 0)
	if len(said) != 1 || !strings.Contains(said[0], "no space left") {
		t.Errorf("%q", said)
	}
	out := newReader(t).start()
	s.fd, s.torn, s.failed = out.fd(), true, time.Now().Add(-settle)
	s.write([]byte("again\n"), 0)
	s.write([]byte("and again\n"), 0)
	if len(said) != 2 || !strings.Contains(said[1], "works again, 16 bytes") {
		t.Errorf("%q", said)
	}
	if got := out.all(t); got != "\nagain\nand again\n" {
		t.Errorf("%q", got)
	}
}

// P7, P43: somebody who has inherited the pipe holds nothing up, and is copied
// as long as there is somebody to copy.
func TestGrandchildHoldsThePipe(t *testing.T) {
	out := newReader(t).start()
	o := open(t, Config{Mode: Prefix, Stdout: out.fd(), Stderr: out.fd()})
	p := start(t, o, "w")
	grandchild := duplicate(t, int(p.stdout.Fd()))
	defer grandchild.Close()
	p.print(t, "no newline")
	p.exit()
	out.waitFor(t, "w | no newline\n")
	fmt.Fprintln(grandchild, "still here")
	out.waitFor(t, "w | still here\n")
	fmt.Fprint(grandchild, "last word")
	within(t, "Close", func() {
		if lost := o.Close(time.Now().Add(10 * generous)); lost != 0 {
			t.Errorf("lost %d bytes", lost)
		}
	})
	if got, want := out.all(t), "w | no newline\nw | still here\nw | last word\n"; got != want {
		t.Errorf("%q", got)
	}
	if _, err := o.Open("w"); err == nil {
		t.Error("opened after Close")
	}
}

// One who never stops writing does not hold up the end either.
func TestCloseWhileWriting(t *testing.T) {
	out := newReader(t).start()
	o := open(t, Config{Mode: Prefix, Stdout: out.fd(), Stderr: out.fd()})
	block := strings.Repeat("again\n", 10000)
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for range 16 {
		p := start(t, o, "w")
		writers.Go(func() {
			for {
				if _, err := p.stdout.WriteString(block); err != nil {
					return // EPIPE, when the launcher has closed its end
				}
			}
		})
	}
	go func() { writers.Wait(); close(stop) }()
	out.waitFor(t, "again\n")
	within(t, "Close", func() { o.Close(time.Now().Add(100 * time.Millisecond)) })
	select {
	case <-stop:
	case <-time.After(generous):
		t.Error("the pipe stays open")
	}
}

// What a stuck reader leaves is counted, and the end comes in time.
func TestCloseWhileStuck(t *testing.T) {
	out, errs := newReader(t), newReader(t).start()
	o := open(t, Config{Mode: Prefix, Stdout: out.fd(), Stderr: errs.fd()})
	p := start(t, o, "w")
	text := strings.Repeat("xxxxxxxxx\n", 20000)
	go func() { _, _ = p.stdout.WriteString(text) }()
	eventually(t, func() bool { return o.out.sink.pending.Load() > 0 && !writable(out.fd()) }, "a full pipe")
	p.Ended()
	o.Line([]byte("own"))
	errs.waitFor(t, "own\n")
	var lost int64
	within(t, "Close", func() { lost = o.Close(time.Now().Add(100 * time.Millisecond)) })
	if lost == 0 {
		t.Error("nothing told as lost")
	}
	o.Line([]byte(fmt.Sprintf("lost %d bytes", lost)))
	if got, want := errs.all(t), fmt.Sprintf("own\nlost %d bytes\n", lost); got != want {
		t.Errorf("%q", got)
	}
	out.start() // lets the copier end
	select {
	case <-o.out.done:
	case <-time.After(generous):
		t.Error("the copier goes on")
	}
}
