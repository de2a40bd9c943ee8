package launcher

import (
	"strings"
	"testing"
	"time"
)

// A probe's command is never held up by what it prints; the last line of that is
// kept, and no descriptor.
func TestMute(t *testing.T) {
	s := newSystem(t)
	before := len(openFiles())
	for command, want := range map[string]string{
		"echo one; echo two >&2; echo; exit 3": "two",
		"true":                                 "",
		"head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last": "last",
		"exec >&- 2>&-; sleep 0.05":                               "",
		"printf unended":                                          "unended",
	} {
		spec := sh(t, command)
		spec.Mute = true
		pid := start(t, s, spec)
		var last []string
		for end := time.Now().Add(patience); ; {
			s.Wait(time.Now().Add(10 * time.Millisecond))
			if got, _ := s.Peek(); got == pid {
				var err error
				if _, last, err = s.Reap(pid); err != nil {
					t.Fatal(err)
				}
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s does not end", command)
			}
		}
		if got := strings.Join(last, "|"); got != want {
			t.Errorf("%s: last line %q, want %q", command, got, want)
		}
	}
	if after := len(openFiles()); after != before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

// What is to be asked by notify is not started where it could say nothing.
func TestNotifyProbeNeedsASocket(t *testing.T) {
	s := newSystem(t)
	s.config.Notify = nil
	spec := sh(t, "true")
	spec.Live = &Probe{Kind: ProbeNotify}
	if _, err := s.Start(spec); err == nil || !strings.Contains(err.Error(), "NOTIFY_SOCKET") {
		t.Errorf("started, %v", err)
	}
}
