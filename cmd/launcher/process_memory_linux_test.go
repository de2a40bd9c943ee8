package main

import (
	"strings"
	"testing"
)

// TestMaxMemory: of two processes the one that has grown is replaced, and why is
// said; the other goes on.
func TestMaxMemory(t *testing.T) {
	t.Parallel()
	tr := newTrial(t, map[string]string{
		"Procfile": "large: sh large.sh\nsmall: sleep 1000\n",
		"large.sh": `if test -e once; then exec sleep 1000; fi; echo >once; exec env ` + childVariable + `=large "$TEST_BINARY"` + "\n",
	})
	tr.start("run", "large", "small", "--max-memory", "40MB")
	tr.says("large.1 is replaced: its memory, ")
	tr.says("large.1 waiting -> starting, started")
	tr.stop(0)
	if tr.text("err") == "" || strings.Count(tr.text("err"), "small.1 waiting -> starting") != 1 {
		t.Errorf("the small one was started again:\n%s", tr.text("err"))
	}
}
