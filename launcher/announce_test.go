package launcher

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAnnounce(t *testing.T) {
	var said []string
	c := Config{Specs: specs("worker", 2), Announce: func(text string) { said = append(said, text) }}
	inHouse(t, c, always(listener), func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(2 * time.Minute)
		h.term()
	})
	all := regexp.MustCompile(`MONOTONIC_USEC=\d+`).ReplaceAllString(strings.Join(said, " | "), "MONOTONIC_USEC=N")
	all = strings.ReplaceAll(all, "\n", " ")
	want := "STATUS=0/2 ready | READY=1 STATUS=2/2 ready | " +
		"RELOADING=1 MONOTONIC_USEC=N STATUS=restarting: 0 of 2 | STATUS=restarting: 1 of 2 | " +
		"READY=1 STATUS=2/2 ready | STOPPING=1 STATUS=stopping: asked by TERM"
	if all != want {
		t.Errorf("said %s\nwant %s", all, want)
	}
}

func TestAnnounceCrash(t *testing.T) {
	var said []string
	c := Config{Specs: specs("worker", 1), Announce: func(text string) { said = append(said, text) }}
	inHouse(t, c, func(_ *Spec, nth int) behaviour {
		if nth == 0 {
			return behaviour{up: time.Minute, code: 1}
		}
		return listener
	}, func(*house) { time.Sleep(5 * time.Minute) })
	all := strings.ReplaceAll(strings.Join(said, " | "), "\n", " ")
	if want := "STATUS=0/1 ready | READY=1 STATUS=1/1 ready | STATUS=0/1 ready | STATUS=1/1 ready | STOPPING=1 STATUS=stopping: asked by TERM"; all != want {
		t.Errorf("said %s\nwant %s", all, want)
	}
}

func TestWatchdog(t *testing.T) {
	beats := 0
	c := Config{Specs: specs("worker", 1), Watchdog: 5 * time.Second, Announce: func(text string) {
		if text == "WATCHDOG=1" {
			beats++
		}
	}}
	inHouse(t, c, always(listener), func(*house) { time.Sleep(59 * time.Second) })
	if beats < 12 || beats > 14 {
		t.Errorf("%d beats in 59 s, want one every 5 s", beats)
	}
}

// A stop that is over in the turn in which it begins is told all the same.
func TestAnnounceAStopThatTakesNoTime(t *testing.T) {
	var said []string
	c := Config{Specs: specs("worker", 1), Announce: func(text string) { said = append(said, text) }}
	inHouse(t, c, always(behaviour{}), func(h *house) {
		time.Sleep(20 * time.Second)
		h.term()
	})
	if last := said[len(said)-1]; last != "STOPPING=1\nSTATUS=stopping: asked by TERM" {
		t.Errorf("the last that was said is %q", last)
	}
}

// With the new one beside the old, all are ready throughout. READY comes when all
// are replaced, though one drains for hours; and after an abort. A HUP during a
// restart is answered, and READY comes when its own restart is over too.
func TestAnnounceARestartThatDrains(t *testing.T) {
	var said []string
	busy := goodListener
	busy.comm, busy.title = "sidekiq", []string{"sidekiq 6 app [1 of 10 busy] stopping"}
	c := Config{
		Specs: specs("worker", 1, beside, sidekiq), Reload: renewed(1, beside, sidekiq),
		Announce: func(text string) { said = append(said, text) },
	}
	inHouse(t, c, func(s *Spec, nth int) behaviour {
		if nth == 3 {
			return behaviour{up: time.Second, code: 1}
		}
		return busy
	}, func(h *house) {
		time.Sleep(20 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(5 * time.Second)
		h.deliver(unix.SIGHUP)
		time.Sleep(time.Hour)
		h.deliver(unix.SIGHUP)
		time.Sleep(time.Minute)
	})
	all := regexp.MustCompile(`MONOTONIC_USEC=\d+`).ReplaceAllString(strings.Join(said, " | "), "N")
	all = strings.ReplaceAll(all, "\n", " ")
	all = strings.ReplaceAll(all, "reading the new generation | STATUS=restarting: ", "") // it may be read at once
	want := "STATUS=0/1 ready | READY=1 STATUS=1/1 ready | " +
		"RELOADING=1 N STATUS=restarting: 0 of 1 | READY=1 STATUS=1/1 ready | " +
		"RELOADING=1 N STATUS=restarting: 1 of 1; the new processes prove themselves for 10s; another one follows | " +
		"STATUS=restarting: 0 of 1 | READY=1 STATUS=1/1 ready | " +
		"RELOADING=1 N STATUS=restarting: 0 of 1 | READY=1 STATUS=1/1 ready | " +
		"STOPPING=1 STATUS=stopping: asked by TERM"
	if all != want {
		t.Errorf("said %s\nwant %s", all, want)
	}
}
