package launcher

import (
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSignalNames(t *testing.T) {
	for sig, want := range map[unix.Signal]string{
		unix.SIGTERM: "TERM", unix.SIGTSTP: "TSTP", unix.SIGUSR1: "USR1", unix.SIGKILL: "KILL", 0: "0", 99: "99", -1: "-1",
	} {
		if got := SignalName(sig); got != want {
			t.Errorf("%d is %q, want %q", sig, got, want)
		}
	}
	for word, want := range map[string]unix.Signal{
		"TERM": unix.SIGTERM, "term": unix.SIGTERM, "SIGTERM": unix.SIGTERM, "SigTerm": unix.SIGTERM, "15": unix.SIGTERM, " usr2 ": unix.SIGUSR2,
		"TSTP": unix.SIGTSTP, "winch": unix.SIGWINCH, "iot": unix.SIGABRT, "CLD": unix.SIGCHLD, "poll": unix.SIGIO, "9": unix.SIGKILL,
	} {
		if got, err := ParseSignal(word); got != want || err != nil {
			t.Errorf("%q is %v, %v; want %v", word, got, err, want)
		}
	}
}

// TestSignalsThereAndBack: each name is read as the signal it was made from.
func TestSignalsThereAndBack(t *testing.T) {
	for sig := unix.Signal(1); sig <= lastSignal(); sig++ {
		if got, err := ParseSignal(SignalName(sig)); got != sig || err != nil {
			t.Errorf("%d is %q, which is %d, %v", sig, SignalName(sig), got, err)
		}
	}
}

func TestRealTimeSignalNames(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has them")
	}
	for word, want := range map[string]unix.Signal{
		"RTMIN": 34, "SIGRTMIN+3": 37, "rtmin+30": 64, "RTMAX": 64, "RTMAX-1": 63, "RTMAX-30": 34,
	} {
		if got, err := ParseSignal(word); got != want || err != nil {
			t.Errorf("%q is %d, %v; want %d", word, got, err, want)
		}
	}
	if SignalName(34) != "RTMIN" || SignalName(37) != "RTMIN+3" || SignalName(64) != "RTMIN+30" || SignalName(32) != "32" {
		t.Error(SignalName(34), SignalName(37), SignalName(64), SignalName(32))
	}
}

func TestNoSuchSignal(t *testing.T) {
	for word, hint := range map[string]string{
		"TREM": "did you mean TERM?", "sigtem": "did you mean TERM?", "USR": "did you mean USR", "TSP": "did you mean TSTP?",
		"0": "number 0", "65": "1 to", "-1": "1 to", "": "unknown", "SIG": "unknown", "banana": "unknown",
		"RTMIN+31": "unknown", "RTMAX+1": "unknown", "RTMIN-1": "unknown", "RTMIN3": "unknown", "RTMIN++3": "unknown", "RTMIN+": "unknown",
	} {
		sig, err := ParseSignal(word)
		if err == nil || !strings.Contains(err.Error(), hint) || !strings.Contains(err.Error(), strings.TrimSpace(word)) {
			t.Errorf("%q is %d, %v; want an error with %q", word, sig, err, hint)
		}
	}
}
