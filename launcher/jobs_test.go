package launcher

import (
	"slices"
	"testing"
	"time"
)

// TestJobs: what the titles of a type's processes tell, added up; one that stops has
// jobs and takes no more.
func TestJobs(t *testing.T) {
	titles := []string{"sidekiq 6.4.1 app [3 of 10 busy]", "sidekiq 6.4.1 app [4 of 5 busy] stopping", "ruby boots"}
	inHouse(t, Config{Specs: specs("worker", 3, sidekiq)}, always(behaviour{quiet: true, comm: "sidekiq", ready: time.Second}), func(h *house) {
		time.Sleep(20 * time.Second)
		if got := h.ask(t, Request{Verb: AskMetrics}).Jobs; !slices.Equal(got, []Jobs{{Type: "worker"}}) {
			t.Errorf("before there are titles: %v", got)
		}
		h.mu.Lock()
		for i, title := range titles {
			h.procs[self+1+i].behave.title = []string{title}
		}
		h.mu.Unlock()
		time.Sleep(time.Second)
		if got := h.ask(t, Request{Verb: AskMetrics}).Jobs; !slices.Equal(got, []Jobs{{Type: "worker", Running: 7, Slots: 10}}) {
			t.Errorf("%v", got)
		}
	})
}

// TestJobsOfOthers: of a server that does not tell nothing is said, which is not 0.
func TestJobsOfOthers(t *testing.T) {
	inHouse(t, Config{Specs: specs("web", 2)}, always(behaviour{title: []string{"sidekiq 6.4.1 app [3 of 10 busy]"}}), func(h *house) {
		if got := h.ask(t, Request{Verb: AskMetrics}).Jobs; len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
}
