package control

import (
	"sync"
	"time"

	"dyno/launcher"
)

// written is the status that was last given its JSON form. Those who asked in
// the same turn of the loop share it; and one at a time is written, so that a
// flood leaves a processor to the loop.
type written struct {
	mutex   sync.Mutex
	version uint64
	time    time.Time
	json    []byte
}

// text is the JSON form of a status, which nobody may change.
func (w *written) text(s launcher.Status, budget time.Duration) []byte {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.json == nil || w.version != s.Version || !w.time.Equal(s.Time) {
		w.version, w.time, w.json = s.Version, s.Time, StatusOf(s, budget).JSON()
	}
	return w.json
}

func (w *written) forget() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.json = nil
}
