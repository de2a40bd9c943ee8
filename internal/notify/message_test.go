package notify

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		want Message
	}{
		{"", Message{}},
		{"READY=1", Message{Ready: true}},
		{"READY=1\nSTATUS=up\n", Message{Ready: true, Status: "up", HasStatus: true}},
		{"READY=0", Message{}},
		{"STOPPING=1", Message{Stopping: true}},
		{"RELOADING=1\nMONOTONIC_USEC=12", Message{Reloading: true}},
		{"STATUS=", Message{HasStatus: true}},
		{"STATUS=a=b", Message{Status: "a=b", HasStatus: true}},
		{"WATCHDOG=1", Message{Watchdog: true}},
		{"WATCHDOG=trigger", Message{Trigger: true}},
		{"WATCHDOG_USEC=1500000", Message{Every: 1500 * time.Millisecond}},
		{"WATCHDOG_USEC=-1", Message{}},
		{"WATCHDOG_USEC=9223372036854775807", Message{}},
		{"EXTEND_TIMEOUT_USEC=2000000", Message{Extend: 2 * time.Second}},
		{"MAINPID=27141", Message{MainPID: 27141}},
		{"MAINPID=1", Message{}},
		{"MAINPID=-7", Message{}},
		{"MAINPID=99999999999", Message{}},
		{"READY", Message{}},
		{"ready=1\n=\nX_OWN=1", Message{}},
		{"READY=1\nREADY=0", Message{Ready: true}},
	} {
		if got := Parse(c.text); got != c.want {
			t.Errorf("Parse(%q) = %+v, want %+v", c.text, got, c.want)
		}
	}
}
