package output

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// needPTY skips the test where the machine has no pseudo-terminals.
func needPTY(t *testing.T) {
	t.Helper()
	master, slave, err := openPTY()
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = unix.Close(master)
	_ = unix.Close(slave)
}

func TestPTY(t *testing.T) {
	needPTY(t)
	out, errs := newReader(t).start(), newReader(t).start()
	o := open(t, Config{Mode: Prefix, PTY: true, Stdout: out.fd(), Stderr: errs.fd()})
	p := start(t, o, "w")
	for _, f := range []*os.File{p.stdout, p.stderr} {
		if _, err := unix.IoctlGetTermios(int(f.Fd()), ioctlGetTermios); err != nil {
			t.Errorf("not a terminal: %v", err)
		}
		if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0); err != nil || flags&unix.O_NONBLOCK != 0 {
			t.Errorf("flags %#x, %v", flags, err)
		}
	}
	p.print(t, "one\ntw")
	_, _ = p.stderr.WriteString("o\nthree")
	p.exit()
	out.waitFor(t, "three\n")
	if lost := o.Close(time.Now().Add(generous)); lost != 0 {
		t.Errorf("lost %d bytes", lost)
	}
	if got, want := out.all(t), "w | one\nw | two\nw | three\n"; got != want {
		t.Errorf("%q", got)
	}
	if got := errs.all(t); got != "" {
		t.Errorf("stderr: %q", got)
	}
}

// A prompt is seen at once in raw mode, and what it ends with is not touched.
func TestPTYRaw(t *testing.T) {
	needPTY(t)
	out := newReader(t).start()
	o := open(t, Config{PTY: true, Stdout: out.fd(), Stderr: out.fd()})
	p := start(t, o, "w")
	p.print(t, "name? ")
	out.waitFor(t, "name? ")
	p.print(t, "\r\x1b[2Kdone")
	p.exit()
	o.Close(time.Now().Add(generous))
	if got, want := out.all(t), "name? \r\x1b[2Kdone"; got != want {
		t.Errorf("%q", got)
	}
}

// The size is that of the launcher's own terminal.
func TestPTYSize(t *testing.T) {
	needPTY(t)
	master, own, err := openPTY()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(master)
	defer unix.Close(own)
	want := unix.Winsize{Row: 33, Col: 77}
	if err := unix.IoctlSetWinsize(own, unix.TIOCSWINSZ, &want); err != nil {
		t.Fatal(err)
	}
	errs := newReader(t)
	o := open(t, Config{PTY: true, Stdout: own, Stderr: errs.fd()})
	p := start(t, o, "w")
	defer p.exit()
	got, err := unix.IoctlGetWinsize(int(p.stdout.Fd()), unix.TIOCGWINSZ)
	if err != nil || *got != want {
		t.Errorf("%+v, %v", got, err)
	}
}
