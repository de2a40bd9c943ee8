package notify

import (
	"encoding/json"
	"net/url"
	"strings"
)

// IsAck tells whether line is einhorn's worker:ack, which a worker sends when it
// is ready (FACTS 5): a YAML or JSON object with the entry command, on one line,
// in which % is %25 and a newline %0A.
func IsAck(line string) bool {
	const ack = "worker:ack"
	text := strings.TrimSpace(line)
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	var object struct {
		Command string `json:"command"`
	}
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &object) == nil {
		return object.Command == ack
	}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if strings.Trim(name, `:'"`) == "command" && strings.Trim(value, ` '"`) == ack {
			return true
		}
	}
	return false
}
