package main

import (
	"strings"
	"testing"
)

// TestManPage: every command and setting that the help lists is in the page,
// and no line of its text is taken for a request.
func TestManPage(t *testing.T) {
	a := &app{name: "launcher", argv: []string{"launcher"}}
	root := a.root()
	page := manPage(root)
	for _, c := range listed(root) {
		if !strings.Contains(page, ".SS "+roffQuote(c.Use)+"\n") {
			t.Errorf("no %s", c.Use)
		}
	}
	for _, s := range table() {
		if !strings.Contains(page, `\-\-`+roff(s.flag)) {
			t.Errorf("no --%s", s.flag)
		}
	}
	requests := map[string]bool{
		"TH": true, "SH": true, "SS": true, "TP": true, "PP": true, "B": true, "BR": true, "br": true,
		"nh": true, "ad": true, "nf": true, "fi": true,
	}
	for line := range strings.Lines(page) {
		if name, _, _ := strings.Cut(strings.TrimRight(line[1:], "\n"), " "); line[0] == '.' && !requests[name] {
			t.Errorf("a request: %s", line)
		}
	}
}

func TestRoff(t *testing.T) {
	for in, want := range map[string]string{
		"--wait": `\-\-wait`, `a\b`: `a\eb`, ".env": `\&.env`, "it's `x`": `it\(aqs \(gax\(ga`, "~/^": `\(ti/\(ha`,
	} {
		if got := roff(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := roffQuote(`a "b"`); got != `"a \(dqb\(dq"` {
		t.Error(got)
	}
}
