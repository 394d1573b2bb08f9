package jitter

// window is how long an extreme is remembered at least, in samples; at most
// twice as long.
const window = 4 * Rate

// estimator follows the quickest transit and the slowest of late. Each
// extreme is kept for the running window and the one before it.
type estimator struct {
	began       int64 // of the running window, on our clock
	low, high   [2]int64
	hasPrevious bool
}

func (e *estimator) reset(now, transit int64) {
	*e = estimator{began: now}
	e.low[0], e.high[0] = transit, transit
}

func (e *estimator) observe(now, transit int64) {
	if now-e.began >= window {
		e.began = now
		e.low[1], e.high[1], e.hasPrevious = e.low[0], e.high[0], true
		e.low[0], e.high[0] = transit, transit
	}
	e.low[0] = min(e.low[0], transit)
	e.high[0] = max(e.high[0], transit)
}

// base is the transit of a packet that met no queue.
func (e *estimator) base() int64 {
	if e.hasPrevious {
		return min(e.low[0], e.low[1])
	}
	return e.low[0]
}

// peak is how much longer the slowest packet took.
func (e *estimator) peak() int64 {
	high := e.high[0]
	if e.hasPrevious {
		high = max(high, e.high[1])
	}
	return high - e.base()
}
