package notify

import "testing"

func TestIsAck(t *testing.T) {
	for line, want := range map[string]bool{
		`{"command":"worker:ack","pid":27141}`:           true,
		`{"command": "worker:ack", "pid": 27141}`:        true,
		`---%0Acommand: worker:ack%0Apid: 27141%0A`:      true,
		`--- %0A:command: worker:ack%0A:pid: 27141%0A`:   true,
		`---%0A"command": "worker:ack"%0A`:               true,
		`---%0Anote: 100%25%0Acommand: worker:ack%0A`:    true,
		`{"command":"worker:ping","pid":27141}`:          false,
		`{"command":"worker:ack"`:                        false,
		`{"pid":1,"note":"worker:ack"}`:                  false,
		`---%0Acommand: state%0A`:                        false,
		`---%0Anote: command: worker:ack%0A`:             false,
		``:                                               false,
		`worker:ack`:                                     false,
		"\x00\xff%zz":                                    false,
		`{"command":"worker:ack","pid":"` + `%7B` + `"}`: true,
	} {
		if got := IsAck(line); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}
