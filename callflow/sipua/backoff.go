package sipua

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Times of the registration.
const (
	firstRetry   = 2 * time.Second // nothing came, or the server is in trouble
	lastRetry    = 5 * time.Minute
	shortestWait = time.Second
	longestGrant = 24 * time.Hour
	longestRetry = time.Hour // that a server may ask for
)

// backOff is the time to the next try after so many failures in a row: any time
// up to a bound that doubles, so that ten thousand panels do not come back at
// once. A wrong password does not get right by hurry.
func backOff(status, failures int) time.Duration {
	if refused(status) {
		return jitter(lastRetry, 0.8, 1)
	}
	bound := lastRetry
	if failures < 16 {
		bound = min(firstRetry<<failures, lastRetry)
	}
	return max(jitter(bound, 0, 1), shortestWait/4)
}

// refused reports whether a status means that we are not wanted, rather than
// that the server is in trouble.
func refused(status int) bool {
	switch status {
	case sip.StatusUnauthorized, sip.StatusForbidden, sip.StatusProxyAuthRequired, sip.StatusNotFound:
		return true
	}
	return false
}

// refreshAfter is when a registration is renewed: well before it ends.
func refreshAfter(granted time.Duration) time.Duration {
	return max(jitter(granted, 0.75, 0.9), shortestWait)
}

func jitter(d time.Duration, low, high float64) time.Duration {
	return time.Duration(float64(d) * (low + rand.Float64()*(high-low)))
}

// retryAfterOf reads Retry-After (RFC 3261 section 20.33), at most an hour.
func retryAfterOf(res *sip.Response) time.Duration {
	h := res.GetHeader("retry-after")
	if h == nil {
		return 0
	}
	return min(seconds(h.Value()), longestRetry)
}

// seconds reads the number a value begins with; what is none is 0.
func seconds(value string) time.Duration {
	value = strings.TrimSpace(value)
	if i := strings.IndexFunc(value, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		value = value[:i]
	}
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}
