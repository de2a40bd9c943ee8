//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// output: one process that writes 100-byte lines, 64,000 bytes at a time, read
// by us through the contender; beside the same through cat.
func (b *bench) output() error {
	lines := 11_000_000 // more than a GiB
	if b.quick {
		lines = 2_000_000
	}
	const catName = "cat"
	t := &table{title: "output: 100-byte lines of one process, MB/s of them", beside: catName, limit: 0.7, ratio: true, atLeast: true}
	for i := range b.runs {
		rate, err := b.throughCat(lines)
		if err != nil {
			return err
		}
		t.add(catName, rate)
		if rate, err = b.through(b.ourselves(), lines); err != nil {
			return err
		}
		t.add(launcherName, rate)
		if _, err := exec.LookPath("foreman"); err == nil && i == 0 {
			if rate, err = b.through(contender{command: foreman}, lines/100); err != nil {
				return err
			}
			t.add("foreman", rate)
		}
	}
	b.print(t)
	return b.raw()
}

// through measures a contender that puts something before each line.
func (b *bench) through(c contender, lines int) (float64, error) {
	in, out, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	r, err := b.start(c, 1, []string{b.child, strconv.Itoa(lines)}, out)
	out.Close()
	if err != nil {
		return 0, err
	}
	defer r.end()
	return rate(in, lines)
}

func (b *bench) throughCat(lines int) (float64, error) {
	child := exec.Command(b.child, strconv.Itoa(lines))
	cat := exec.Command("cat")
	var err error
	if cat.Stdin, err = child.StdoutPipe(); err != nil {
		return 0, err
	}
	out, err := cat.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := child.Start(); err != nil {
		return 0, err
	}
	if err := cat.Start(); err != nil {
		child.Process.Kill()
		return 0, err
	}
	defer func() {
		child.Process.Kill()
		cat.Process.Kill()
		child.Wait()
		cat.Wait()
	}()
	return rate(out.(*os.File), lines)
}

// rate reads until so many lines of x have come, and returns the megabytes of
// them a second. Lines of the contender's own do not hold 90 x.
func rate(in *os.File, lines int) (float64, error) {
	buf := make([]byte, 1<<20)
	want := lines * 99
	var begin time.Time
	in.SetReadDeadline(time.Now().Add(patience))
	for got := 0; got < want; {
		n, err := in.Read(buf)
		if err != nil {
			return 0, fmt.Errorf("after %d of %d bytes: %w", got, want, err)
		}
		if begin.IsZero() {
			begin = time.Now()
		}
		got += bytes.Count(buf[:n], []byte{'x'})
	}
	return float64(lines) * 100 / 1e6 / time.Since(begin).Seconds(), nil
}

// raw: the process writes into the very pipe that the launcher was given.
func (b *bench) raw() error {
	in, out, err := os.Pipe()
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := b.start(b.plain(), 1, []string{b.child}, out)
	out.Close()
	if err != nil {
		return err
	}
	defer r.end()
	if _, err := r.up(1); err != nil {
		return err
	}
	ours, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/1", r.pid))
	its, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/1", r.pids[0]))
	word := "kept"
	if ours != its || ours == "" {
		word = "OVER"
		b.over++
	}
	fmt.Printf("\noutput, raw: the process has %s, the launcher %s   nothing in between: %s\n", its, ours, word)
	return nil
}
