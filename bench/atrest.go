//go:build linux

package main

import (
	"os"
	"strings"
	"time"
)

// sitting starts a contender and waits until all its processes are up.
func (b *bench) sitting(c contender, n int) (*running, error) {
	r, err := b.start(c, n, []string{b.child}, nil)
	if err != nil {
		return nil, err
	}
	if _, err := r.up(n); err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

// crowd is what a contender can hold of 100.
func crowd(c contender) int {
	if c.holds > 0 {
		return c.holds
	}
	return 100
}

// memory: the contender alone, its processes left out.
func (b *bench) memory() error {
	info, err := os.Stat(b.launcher)
	if err != nil {
		return err
	}
	binary := &table{title: "the binary, MB", limit: 8}
	binary.add(launcherName, float64(info.Size())/1e6)
	b.print(binary)

	at := map[int]float64{}
	for _, n := range []int{1, 100, 1000} {
		t := &table{title: "memory (PSS alone) with " + plural(n) + ", output prefixed, MB"}
		if n <= 100 {
			t.limit = 6
		}
		for range (b.runs + 1) / 2 {
			if err := b.weigh(t, b.ourselves(), n); err != nil {
				return err
			}
		}
		if n == 100 || n == 1 {
			for _, c := range b.peers() {
				if n == 1 || crowd(c) == n {
					if err := b.weigh(t, c, n); err != nil {
						return err
					}
				}
			}
		}
		b.print(t)
		at[n] = median(t.values[launcherName])
	}
	growth := &table{title: "memory of 100 processes above that of 1, MB", limit: 1}
	growth.add(launcherName, at[100]-at[1])
	b.print(growth)
	return nil
}

func (b *bench) weigh(t *table, c contender, n int) error {
	r, err := b.sitting(c, n)
	if err != nil {
		return err
	}
	defer r.end()
	time.Sleep(3 * time.Second) // the launcher gives back what only its start needed after one
	t.add(c.name, r.pss())
	return nil
}

// idle: how often the contender's threads wake up when nothing happens. The
// launcher calls a process ready after ten seconds: that is over before.
func (b *bench) idle() error {
	wait := 10 * time.Second
	if b.quick {
		wait = 5 * time.Second
	}
	t := &table{title: "idle, wake-ups in " + wait.String() + " (100 processes; tini, dumb-init, catatonit: 1)", limit: 1}
	var all []*running
	var names []string
	defer func() {
		for _, r := range all {
			r.end()
		}
	}()
	for _, c := range append([]contender{b.ourselves()}, b.peers()...) {
		r, err := b.sitting(c, crowd(c))
		if err != nil {
			return err
		}
		all, names = append(all, r), append(names, c.name)
	}
	time.Sleep(14 * time.Second)
	before := make([]float64, len(all))
	for i, r := range all {
		before[i] = r.switches()
	}
	time.Sleep(wait)
	for i, r := range all {
		t.add(names[i], r.switches()-before[i])
	}
	b.print(t)
	return nil
}

func plural(n int) string {
	return strings.TrimSuffix(figure(float64(n)), ".00") + map[bool]string{true: " process", false: " processes"}[n == 1]
}
