package launcher

import "time"

// The figures of DESIGN 4 for starting again.
const (
	firstBackoff = 100 * time.Millisecond
	mostBackoff  = 30 * time.Second
	jitter       = 0.2              // +-20 %
	steadyAfter  = 60 * time.Second // up for so long: the back-off is forgotten
	upIsReady    = 10 * time.Second // ready by default, where nothing is said
	giveUpTries  = 5                // in a row, of each slot of a type
	giveUpAfter  = 60 * time.Second // since the first of them
	sameMoment   = 500 * time.Millisecond
)

// tries is what a slot's starts so far came to.
type tries struct {
	again    int       // times started again since it was last steady
	failed   int       // failed tries in a row
	firstBad time.Time // when the first of these failed
}

// ended counts the end of a process that was up for so long, and says how long
// to wait before the next start. luck is a random number of [0, 1).
func (t tries) ended(now time.Time, up time.Duration, ready bool, luck float64) (tries, time.Duration) {
	if up >= steadyAfter {
		t.again = 0
	}
	if ready {
		t.failed, t.firstBad = 0, time.Time{}
	} else {
		t = t.fail(now)
	}
	wait := backoff(t.again, luck)
	t.again++
	return t, wait
}

// fail counts one failed try.
func (t tries) fail(now time.Time) tries {
	if t.failed == 0 {
		t.firstBad = now
	}
	t.failed++
	return t
}

// hopeless tells whether this slot alone is reason to give its type up, if no
// process of the type was ever ready.
func (t tries) hopeless(now time.Time) bool {
	return t.failed >= giveUpTries && now.Sub(t.firstBad) >= giveUpAfter
}

// backoff is the wait before the start after n starts again: none, 100 ms,
// doubled up to 30 s, each +-20 %.
func backoff(n int, luck float64) time.Duration {
	if n == 0 {
		return 0
	}
	wait := mostBackoff
	if n < 10 { // 100 ms << 9 is more than 30 s
		wait = min(mostBackoff, firstBackoff<<(n-1))
	}
	return time.Duration(float64(wait) * (1 - jitter + 2*jitter*luck))
}
