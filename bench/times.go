//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// starting: from the contender's own exec to the last of 100 processes up.
func (b *bench) starting() error {
	t := &table{title: "start: 100 processes up, ms", beside: loopName, limit: 2, ratio: true}
	for i := range b.runs {
		for _, c := range b.inTurn(i, 100) {
			r, err := b.start(c, 100, []string{b.child}, nil)
			if err != nil {
				return err
			}
			last, err := r.up(100)
			r.end()
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			t.add(c.name, ms(last.Sub(r.begun)))
		}
	}
	b.print(t)
	return nil
}

// inTurn: who is measured in turn i with n processes. Slow peers are measured
// three times at most.
func (b *bench) inTurn(i, n int) []contender {
	all := append(b.loops(), b.plain(), b.logging(prefixName, "prefix"))
	if i < 3 {
		all = append(all, slices.DeleteFunc(b.peers(), func(c contender) bool { return c.holds > 0 && c.holds < n })...)
	}
	return all
}

// stopping: TERM, to the end of the last process, and from there to the
// contender's own.
func (b *bench) stopping() error {
	for _, n := range []int{1, 100} {
		last := &table{title: "stop: TERM to the end of the last of " + plural(n) + ", ms", beside: loopName}
		exit := &table{title: "stop: from there to the contender's own exit, ms"}
		if n == 100 {
			last.limit, last.ratio, exit.limit = 2, true, 2
		}
		for i := range b.runs {
			for _, c := range b.inTurn(i, n) {
				if err := b.stopOne(c, n, last, exit); err != nil {
					return err
				}
			}
		}
		b.print(last)
		b.print(exit)
	}
	return nil
}

func (b *bench) stopOne(c contender, n int, last, exit *table) error {
	r, err := b.sitting(c, n)
	if err != nil {
		return err
	}
	defer r.end()
	time.Sleep(300 * time.Millisecond) // the machine is at rest
	l, e, err := r.term()
	if err != nil {
		last.add(c.name, math.NaN())
		exit.add(c.name, math.NaN())
		return nil
	}
	last.add(c.name, ms(l))
	exit.add(c.name, ms(e))
	return nil
}

// crash: a process that runs is killed; its replacement is up.
func (b *bench) crash() error {
	t := &table{title: "crash: a first crash replaced after, ms", limit: 5}
	for i := range b.runs {
		all := []contender{b.ourselves()}
		if i < 3 {
			all = append(all, slices.DeleteFunc(b.peers(), func(c contender) bool { return !c.replace })...)
		}
		for _, c := range all {
			if err := b.crashOne(c, t); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	b.print(t)
	return nil
}

func (b *bench) crashOne(c contender, t *table) error {
	const n = 10
	r, err := b.sitting(c, n)
	if err != nil {
		return err
	}
	defer r.end()
	time.Sleep(1500 * time.Millisecond) // s6 wants a second between two starts
	begin := time.Now()
	unix.Kill(r.pids[n/2], unix.SIGKILL)
	up, err := r.up(n + 1)
	if err != nil {
		return err
	}
	t.add(c.name, ms(up.Sub(begin)))
	return nil
}
