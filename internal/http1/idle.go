package http1

import (
	"sync/atomic"
	"time"
)

// A while after the last client has gone, what serving it took is given back,
// but not again and again where somebody asks every second.
const (
	idleAfter   = time.Second
	idleAgainAt = 10 * time.Second
	farOff      = time.Duration(1<<63 - 1)
)

// idle calls back when nobody has asked for a while.
type idle struct {
	timer *time.Timer  // nil: nobody wants to know
	calm  atomic.Int64 // when it ran last, in ns since the epoch
}

func (i *idle) begin(call func()) {
	if call == nil {
		return
	}
	i.timer = time.AfterFunc(farOff, func() {
		i.calm.Store(time.Now().UnixNano())
		call()
	})
}

// left tells that the last client has gone.
func (i *idle) left() {
	if i.timer != nil {
		i.timer.Reset(max(idleAfter, time.Until(time.Unix(0, i.calm.Load()).Add(idleAgainAt))))
	}
}

func (i *idle) end() {
	if i.timer != nil {
		i.timer.Stop()
	}
}
