//go:build linux

package main

import (
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// reaping: 20,000 orphans, no zombie of them one second later, and of nine
// processes that are killed among them each is replaced.
func (b *bench) reaping() error {
	n := 20_000
	if b.quick {
		n = 2_000
	}
	const workers = 9
	zombies := &table{title: fmt.Sprintf("orphans: zombies left 1 s after %d", n), limit: 0.5}
	lost := &table{title: fmt.Sprintf("orphans: exits of %d killed processes lost among them", workers), limit: 0.5}
	c := contender{name: launcherName, command: func(dir string, _ int, command []string) ([]string, error) {
		text := fmt.Sprintf("worker: %s\nmaker: %s %d", b.child, b.orphans, n)
		return []string{
			b.launcher, "start", "-m", fmt.Sprintf("worker=%d,maker=1", workers), "-f", "Procfile",
			"--log", "raw", "--socket", "none",
		}, procfile(dir, text)
	}}
	r, err := b.start(c, 1, nil, nil)
	if err != nil {
		return err
	}
	defer r.end()
	if _, err := r.up(workers); err != nil {
		return err
	}
	for i, pid := range r.pids[:workers] {
		time.Sleep(20 * time.Millisecond) // spread over the flood
		if unix.Kill(pid, unix.SIGKILL) != nil {
			return fmt.Errorf("worker %d was not there to be killed", i)
		}
	}
	// Nine, their nine replacements, and the maker when it is through.
	_, err = r.up(2*workers + 1)
	took := time.Since(r.begun)
	lost.add(launcherName, float64(2*workers+1-len(r.pids)))
	if err != nil {
		fmt.Println(err)
	}
	time.Sleep(time.Second)
	zombies.add(launcherName, float64(zombiesBelow(r.pid)))
	if err := b.reapingPeer(zombies, n); err != nil {
		return err
	}
	b.print(zombies)
	b.print(lost)
	fmt.Printf("  (%d orphans in %.1f s, %.0f a second)\n", n, took.Seconds(), float64(n)/took.Seconds())
	return nil
}

// reapingPeer measures tini, the one other that adopts orphans without being
// process 1.
func (b *bench) reapingPeer(zombies *table, n int) error {
	for _, c := range b.peers() {
		if c.name != "tini" {
			continue
		}
		r, err := b.start(c, 1, []string{b.orphans, strconv.Itoa(n)}, nil)
		if err != nil {
			return err
		}
		defer r.end()
		if _, err := r.up(1); err != nil {
			return err
		}
		time.Sleep(time.Second)
		zombies.add(c.name, float64(zombiesBelow(r.pid)))
	}
	return nil
}

// zombiesBelow counts those that wait for a process.
func zombiesBelow(pid int) int {
	n := 0
	for _, p := range processes() {
		if p.parent == pid && p.state == "Z" {
			n++
		}
	}
	return n
}
