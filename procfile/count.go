package procfile

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// CountKind tells what a Count is made of.
type CountKind int

// The kinds of Count.
const (
	Fixed   CountKind = iota // N processes
	Auto                     // as many as cores and memory allow
	Percent                  // N percent of the cores
)

// Count is a number of processes, perhaps still to be worked out.
type Count struct {
	Kind CountKind
	N    int
}

// String is the count as the user would write it.
func (c Count) String() string {
	switch c.Kind {
	case Auto:
		return "auto"
	case Percent:
		return strconv.Itoa(c.N) + "%"
	default:
		return strconv.Itoa(c.N)
	}
}

// Counts holds the counts of several process types.
type Counts struct {
	ByType map[string]Count // nil where none is named
	All    *Count           // a bare number, or all=; nil where not given
}

// MostProcesses is how many a type may have: far above what any machine runs, so
// that a larger count is a typing mistake.
const MostProcesses = 100_000

// ParseCounts reads COUNT, SIDEKIQ_COUNT and --count: `3`, `auto`, `50%`, or
// `worker=6,all=1`; numbers from 1. setting names it in errors. err is a
// *multierror.Error of *Problem.
func ParseCounts(setting, text string) (Counts, error) {
	text = strings.TrimSpace(text)
	if strings.Contains(text, "=") {
		return parseList(setting, text, 1)
	}
	c, what, remedy := parseCount(text, 1)
	if what != "" {
		p := problems{}
		p.add(0, setting, what, remedy)
		return Counts{}, p.err()
	}
	return Counts{All: &c}, nil
}

// ParseFormation reads -m and LAUNCHER_FORMATION, as foreman's:
// `all=1,worker=4`; 0 is legal. err is a *multierror.Error of *Problem.
func ParseFormation(setting, text string) (Counts, error) {
	return parseList(setting, strings.TrimSpace(text), 0)
}

func parseList(setting, text string, least int) (Counts, error) {
	var p problems
	var counts Counts
	for item := range strings.SplitSeq(text, ",") {
		item = strings.TrimSpace(item)
		typ, number, ok := strings.Cut(item, "=")
		typ = strings.TrimSpace(typ)
		switch {
		case item == "":
			p.add(0, setting, "an empty item", "write it like all=1,worker=4")
			continue
		case !ok:
			p.add(0, setting, fmt.Sprintf("%s is not TYPE=N", strconv.Quote(shorten(item))), "write it like all=1,worker=4")
			continue
		case !validType(typ):
			p.add(0, setting, fmt.Sprintf("%s is no process type", strconv.Quote(shorten(typ))), "use letters, digits, - and _ only")
			continue
		}
		c, what, remedy := parseCount(strings.TrimSpace(number), least)
		if what != "" {
			p.add(0, setting, typ+"="+what, remedy)
			continue
		}
		if !counts.set(typ, c) {
			p.add(0, setting, typ+" is given twice", "remove one of them")
		}
	}
	if err := p.err(); err != nil {
		return Counts{}, err
	}
	return counts, nil
}

// set reports false where typ has a count already.
func (c *Counts) set(typ string, n Count) bool {
	if typ == "all" {
		if c.All != nil {
			return false
		}
		c.All = &n
		return true
	}
	if _, twice := c.ByType[typ]; twice {
		return false
	}
	if c.ByType == nil {
		c.ByType = map[string]Count{}
	}
	c.ByType[typ] = n
	return true
}

// ParseTypeArg reads an argument of run or scale: `worker`, or `worker=3`,
// where 0 is legal. n is nil where no count is given. err is a *Problem.
func ParseTypeArg(arg string) (typ string, n *Count, err error) {
	typ, number, counted := strings.Cut(arg, "=")
	if !validType(typ) {
		return "", nil, &Problem{
			Setting: arg, What: fmt.Sprintf("%s is no process type", strconv.Quote(shorten(typ))),
			Remedy: "give a type of the Procfile, like worker or worker=3; a command goes to launcher exec",
		}
	}
	if !counted {
		return typ, nil, nil
	}
	c, what, remedy := parseCount(number, 0)
	if what != "" {
		return "", nil, &Problem{Setting: arg, What: what, Remedy: remedy}
	}
	return typ, &c, nil
}

// parseCount reads one count; what is wrong with it comes back in words.
func parseCount(text string, least int) (c Count, what, remedy string) {
	remedy = fmt.Sprintf("give a whole number from %d, auto, or a percentage of the cores like 50%%", least)
	digits, percent := strings.CutSuffix(text, "%")
	n, ok := wholeNumber(digits)
	switch {
	case text == "auto":
		return Count{Kind: Auto}, "", ""
	case text == "":
		return c, "no number", remedy
	case !ok:
		return c, fmt.Sprintf("%s is no count", strconv.Quote(shorten(text))), remedy
	case percent && n < 1:
		return c, text + " is no process at all", remedy
	case n < least:
		return c, text + " is too few", remedy
	case n > MostProcesses || percent && n > 1000:
		return c, text + " is too many", remedy
	case percent:
		return Count{Kind: Percent, N: n}, "", ""
	}
	return Count{Kind: Fixed, N: n}, "", ""
}

// wholeNumber reads decimal digits, and nothing else; one that is too large
// comes back as the largest.
func wholeNumber(s string) (int, bool) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil && s != "" {
		return math.MaxInt, true
	}
	return n, s != ""
}

// Capacity is what a container may use.
type Capacity struct {
	Cores  float64 // by affinity and quota
	Memory int64   // limit in bytes; 0: none
}

// memoryEach is the memory that Auto counts on for each process, in bytes.
const memoryEach = 512 << 20

// Resolve works a count out. Auto is one process a core, rounded down, at most
// one per 512 MB of the memory limit; Percent is that part of the cores,
// rounded down. Neither is ever less than 1.
func (c Count) Resolve(capacity Capacity) int {
	switch c.Kind {
	case Auto:
		n := atLeastOne(capacity.Cores)
		if capacity.Memory > 0 {
			n = min(n, max(1, int(min(capacity.Memory/memoryEach, MostProcesses))))
		}
		return n
	case Percent:
		return atLeastOne(capacity.Cores * float64(c.N) / 100)
	default:
		return c.N
	}
}

// atLeastOne rounds down; a hair below a whole number, as divisions of quotas
// leave it, is that number.
func atLeastOne(f float64) int {
	if !(f >= 1) { // NaN too
		return 1
	}
	return int(min(f+1e-9, MostProcesses))
}
