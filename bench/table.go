//go:build linux

package main

import (
	"fmt"
	"math"
	"slices"
)

// table is one figure of all contenders, with what the launcher is held to.
type table struct {
	title   string // with the unit
	beside  string // the contender that ratios are counted from; "" for none
	limit   float64
	ratio   bool // the limit is one of the ratio, else of the figure itself
	atLeast bool // else at most
	order   []string
	values  map[string][]float64
}

// add takes one more measurement of a contender.
func (t *table) add(name string, value float64) {
	if t.values == nil {
		t.values = map[string][]float64{}
	}
	if _, ok := t.values[name]; !ok {
		t.order = append(t.order, name)
	}
	t.values[name] = append(t.values[name], value)
}

// print writes the medians, with the least and the most of each.
func (b *bench) print(t *table) {
	fmt.Printf("\n%s\n  %-28s %10s %10s %10s %8s   %s\n", t.title, "", "median", "least", "most", "ratio", "limit")
	base := math.NaN()
	if t.beside != "" {
		base = median(t.values[t.beside])
	}
	for _, name := range t.order {
		all := t.values[name]
		value := median(all)
		fmt.Printf("  %-28s %10s %10s %10s", name, figure(value), figure(slices.Min(all)), figure(slices.Max(all)))
		ratio := value / base
		if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
			fmt.Printf(" %8s", "")
		} else {
			fmt.Printf(" %7.2fx", ratio)
		}
		if name == launcherName && t.limit != 0 {
			fmt.Printf("   %s", b.verdict(t, value, ratio))
		}
		fmt.Println()
	}
}

// verdict holds the launcher to the limit.
func (b *bench) verdict(t *table, value, ratio float64) string {
	held, unit := value, ""
	if t.ratio {
		held, unit = ratio, "x"
	}
	kept, sign := held <= t.limit, "at most"
	if t.atLeast {
		kept, sign = held >= t.limit, "at least"
	}
	word := "kept"
	if !kept {
		word = "OVER"
		b.over++
	}
	return fmt.Sprintf("%s %g%s: %s", sign, t.limit, unit, word)
}

func figure(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case math.Abs(v) >= 100:
		return fmt.Sprintf("%.0f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

// median of what could be measured; NaN where nothing could.
func median(all []float64) float64 {
	sorted := slices.DeleteFunc(slices.Clone(all), math.IsNaN)
	if len(sorted) == 0 {
		return math.NaN()
	}
	slices.Sort(sorted)
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
