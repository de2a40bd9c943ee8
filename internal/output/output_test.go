package output

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestPrefix(t *testing.T) {
	out, err := newReader(t).start(), newReader(t).start()
	o := open(t, Config{Mode: Prefix, Stdout: out.fd(), Stderr: err.fd(), Width: 9})
	p := start(t, o, "worker.1")
	p.print(t, "one\n\ntwo\xff\x00\r\nthr")
	fmt.Fprint(p.stderr, "wrong\n")
	p.print(t, "ee")
	p.exit()
	if lost := o.Close(time.Now().Add(generous)); lost != 0 {
		t.Errorf("lost %d bytes", lost)
	}
	want := "worker.1  | one\nworker.1  | \nworker.1  | two\xff\x00\r\nworker.1  | three\n"
	if diff := cmp.Diff(want, out.all(t)); diff != "" {
		t.Errorf("stdout (-want +got):\n%s", diff)
	}
	if stdout, stderr, ok := o.Bytes(); stdout != 17 || stderr != 6 || !ok {
		t.Errorf("counted %d and %d bytes, %t", stdout, stderr, ok)
	}
	if diff := cmp.Diff("worker.1  | wrong\n", err.all(t)); diff != "" {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}
}

func TestColorsAreStable(t *testing.T) {
	out := newReader(t).start()
	o := open(t, Config{Mode: Prefix, Stdout: out.fd(), Stderr: out.fd(), Color: true})
	for _, name := range []string{"a.1", "b.1", "a.1"} {
		p := start(t, o, name)
		p.print(t, "x\n")
		out.waitFor(t, "\x1b[0mx\n")
		p.exit()
	}
	o.Close(time.Now().Add(generous))
	got := strings.Split(out.all(t), "\n")
	if len(got) != 4 {
		t.Fatalf("%q", got)
	}
	colors := map[string]bool{got[0]: true, got[1]: true, got[2]: true}
	if !colors["\x1b[36ma.1 | \x1b[0mx"] || !colors["\x1b[33mb.1 | \x1b[0mx"] || len(colors) != 2 {
		t.Errorf("%q", got)
	}
}

// Raw output is nothing in between: the launcher's own descriptors.
func TestRawIsInherited(t *testing.T) {
	out, errs := newReader(t), newReader(t)
	o := open(t, Config{Stdout: out.fd(), Stderr: errs.fd()})
	s, err := o.Open("worker.1")
	if err != nil {
		t.Fatal(err)
	}
	if a, b := s.Child(); a != out.fd() || b != errs.fd() {
		t.Errorf("%d and %d, not %d and %d", a, b, out.fd(), errs.fd())
	}
	s.Started()
	s.Ended()
	s.Abandon()
	o.Line([]byte("own"))
	o.Close(time.Now().Add(generous))
	if got := errs.all(t); got != "own\n" {
		t.Errorf("%q", got)
	}
	if _, err := out.w.WriteString("still open"); err != nil {
		t.Error(err)
	}
}

// Whatever the chunks, each line arrives whole and in the order of its process,
// also where stdout and stderr are one pipe and lines are longer than PIPE_BUF.
func TestLinesAreNotTorn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		out := newReader(t)
		o := open(t, Config{Mode: Prefix, Stdout: out.fd(), Stderr: out.fd()})
		out.start()
		want := map[string]string{}
		var wg sync.WaitGroup
		for i := range rapid.IntRange(1, 4).Draw(rt, "processes") {
			name := fmt.Sprintf("p.%d", i)
			p := start(t, o, name)
			ends := rapid.Bool().Draw(rt, "newline at the end")
			var writers []func()
			for _, f := range []*os.File{p.stdout, p.stderr} {
				text := randomLines(rt, f == p.stderr, ends)
				chunks := randomChunks(rt, text)
				for line := range strings.Lines(text) {
					want[name+line[:1]] += name + " | " + strings.TrimSuffix(line, "\n") + "\n"
				}
				writers = append(writers, func() { writeChunks(t, f, chunks) })
			}
			wg.Go(func() {
				var both sync.WaitGroup
				for _, w := range writers {
					both.Go(w)
				}
				both.Wait()
				p.exit()
			})
		}
		wg.Wait()
		if lost := o.Close(time.Now().Add(generous)); lost != 0 {
			rt.Errorf("lost %d bytes", lost)
		}
		got := map[string]string{}
		for line := range strings.Lines(out.all(t)) {
			name, rest, ok := strings.Cut(line, " | ")
			if !ok || rest == "" {
				rt.Fatalf("torn: %.80q", line)
			}
			got[name+rest[:1]] += line
		}
		if diff := cmp.Diff(want, got); diff != "" {
			rt.Errorf("-want +got:\n%s", diff)
		}
	})
}

// randomLines draws lines that begin with o or e for the stream they are of.
func randomLines(rt *rapid.T, stderr, ends bool) string {
	first := "o"
	if stderr {
		first = "e"
	}
	var b strings.Builder
	for _, n := range rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 99, 4095, 4096, 9000, maxLine - 1}), 0, 6).Draw(rt, "lines") {
		b.WriteString(first + strings.Repeat("x", n) + "\n")
	}
	if ends {
		return b.String()
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func randomChunks(rt *rapid.T, text string) (chunks []string) {
	for len(text) > 0 {
		n := min(len(text), rapid.SampledFrom([]int{1, 7, 100, 5000, 70000}).Draw(rt, "chunk"))
		if len(chunks) > 50 {
			n = len(text)
		}
		chunks, text = append(chunks, text[:n]), text[n:]
	}
	return chunks
}

func writeChunks(t *testing.T, f *os.File, chunks []string) {
	for _, c := range chunks {
		if _, err := io.WriteString(f, c); err != nil {
			t.Error(err)
		}
	}
}

func TestLongLine(t *testing.T) {
	out := newReader(t).start()
	o := open(t, Config{Mode: Prefix, Stdout: out.fd(), Stderr: out.fd()})
	p := start(t, o, "w")
	const size = 10 << 20
	p.print(t, "before\n")
	p.print(t, strings.Repeat("é", size/2))
	p.print(t, "\nafter\n")
	p.exit()
	o.Close(time.Now().Add(generous))
	got := out.all(t)
	text, ok1 := strings.CutPrefix(got, "w | before\n")
	text, ok2 := strings.CutSuffix(text, "w | after\n")
	if !ok1 || !ok2 {
		t.Fatalf("%.80q ... %.80q", got, got[max(0, len(got)-80):])
	}
	letters := 0
	for line := range strings.Lines(text) {
		if len(line) > len("w | ")+maxLine+1 {
			t.Fatalf("a piece of %d bytes", len(line))
		}
		letters += strings.Count(line, "é")
	}
	if letters != size/2 {
		t.Errorf("%d of %d letters", letters, size/2)
	}
}

func TestManyProcesses(t *testing.T) {
	out := newReader(t).start()
	o := open(t, Config{Mode: Prefix, Stdout: out.fd(), Stderr: out.fd()})
	const processes, lines = 200, 20
	var wg sync.WaitGroup
	for i := range processes {
		p := start(t, o, fmt.Sprintf("w.%d", i))
		wg.Go(func() {
			for range lines {
				p.print(t, "hello\n")
			}
			p.exit()
		})
	}
	wg.Wait()
	if lost := o.Close(time.Now().Add(generous)); lost != 0 {
		t.Errorf("lost %d bytes", lost)
	}
	count := map[string]int{}
	for line := range strings.Lines(out.all(t)) {
		count[line]++
	}
	for i := range processes {
		if n := count[fmt.Sprintf("w.%d | hello\n", i)]; n != lines {
			t.Errorf("w.%d: %d lines", i, n)
		}
	}
}

// Each path of a failing Open leaves no descriptor behind.
func TestOpenWithoutDescriptors(t *testing.T) {
	if _, err := os.ReadDir("/proc/self/fd"); err != nil {
		t.Skip(err)
	}
	for _, cfg := range []Config{{Mode: Prefix}, {Mode: Prefix, PTY: true}} {
		out := newReader(t).start()
		cfg.Stdout, cfg.Stderr = out.fd(), out.fd()
		o := open(t, cfg)
		before := descriptors(t)
		failed := 0
		for free := range 6 {
			s, err := openWith(t, o, free)
			if err != nil {
				failed++
			} else {
				s.Abandon()
			}
			eventually(t, func() bool { return descriptors(t) == before }, "%d descriptors after %v", before, err)
		}
		if failed < 2 {
			t.Errorf("%+v: failed %d times", cfg, failed)
		}
		o.Close(time.Now().Add(generous))
		before = descriptors(t)
		if _, err := o.Open("w"); err == nil {
			t.Error("opened after Close")
		}
		if after := descriptors(t); after != before {
			t.Errorf("%d descriptors after Close, then %d", before, after)
		}
	}
}

// openWith opens a stream while at most so many descriptors are free.
func openWith(t *testing.T, o *Output, free int) (*Stream, error) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	lowest, err := unix.FcntlInt(uintptr(o.cfg.Stderr), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(lowest)
	limit := old
	limit.Cur = uint64(lowest + free)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
	defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &old) }()
	return o.Open("w")
}

func descriptors(t *testing.T) int {
	t.Helper()
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}
