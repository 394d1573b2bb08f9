package station

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A keeperBench is a timekeeper whose servers are the test's.
type keeperBench struct {
	*timekeeper
	clock *clockBench
	log   bytes.Buffer

	mu      sync.Mutex
	list    []string
	changed chan struct{}
	asked   []string
	truth   map[string]time.Time // of the servers that answer
}

// configure gives the panel other servers, of which those in truth answer.
func (b *keeperBench) configure(servers ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = servers
	close(b.changed)
	b.changed = make(chan struct{})
}

func (b *keeperBench) times() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.asked)
}

func newKeeperBench(t *testing.T, sys time.Time) *keeperBench {
	b := &keeperBench{clock: newClockBench(t, sys, time.Time{}), changed: make(chan struct{}), truth: make(map[string]time.Time)}
	b.timekeeper = &timekeeper{
		log: slog.New(slog.NewTextHandler(&b.log, nil)), clock: b.clock.clock,
		servers: func() ([]string, <-chan struct{}) {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.list, b.changed
		},
		proved: func() bool { return false },
		ask: func(server string) (time.Time, error) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.asked = append(b.asked, server)
			if at, ok := b.truth[server]; ok {
				return at, nil
			}
			return time.Time{}, errors.New("no answer")
		},
	}
	return b
}

func TestTimeServersAreAskedInOrder(t *testing.T) {
	b := newKeeperBench(t, noBattery)
	truth := built.AddDate(0, 1, 0)
	b.truth["wrong"], b.truth["right"], b.truth["third"] = noBattery, truth, built
	if err := b.round([]string{"silent", "wrong", "right", "third"}); err != nil {
		t.Error(err)
	}
	if got := strings.Join(b.asked, " "); got != "silent wrong right" {
		t.Errorf("asked %s", got)
	}
	b.clock.says(t, truth, timeOfServer)
	err := b.round([]string{"silent", "wrong"})
	if err == nil || !strings.Contains(err.Error(), "time server silent: no answer") || !strings.Contains(err.Error(), "time server wrong: it says 1970") {
		t.Errorf("what went wrong is told as %v", err)
	}
	b.clock.says(t, truth, timeOfServer)
	if err := b.round(nil); err != nil {
		t.Errorf("without servers: %v", err)
	}
}

// A server that does not answer is asked again soon, then less often; one that
// does, seldom. A new configuration is obeyed at once.
func TestTimeServersAreAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newKeeperBench(t, noBattery)
		b.truth["b"] = built.AddDate(0, 1, 0)
		b.configure("a")
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { b.run(ctx); close(ended) }()
		within := func(d time.Duration, most, least int) {
			t.Helper()
			before := b.times()
			time.Sleep(d)
			synctest.Wait()
			if n := b.times() - before; n < least || n > most {
				t.Errorf("asked %d times in %v, want %d to %d", n, d, least, most)
			}
		}
		within(time.Minute, 5, 3)
		within(12*time.Hour, 12*12+6, 12*8-6)
		if n := strings.Count(b.log.String(), "no time from the time servers"); n != 1 {
			t.Errorf("a server that is away was logged %d times", n)
		}
		b.configure("b")
		within(0, 1, 1)
		within(askNext-time.Second, 0, 0)
		within(askNext/2+2*time.Second, 1, 1)
		stop()
		<-ended
	})
}

// The system's clock is set where that is wanted and worth it; one that may not
// be set is left alone from then on.
func TestSystemClockIsSet(t *testing.T) {
	b := newKeeperBench(t, noBattery)
	truth := built.AddDate(0, 1, 0)
	b.truth["a"] = truth
	var set []time.Time
	b.set = func(at time.Time) error { set = append(set, at); return nil }
	for range 2 {
		if err := b.round([]string{"a"}); err != nil {
			t.Fatal(err)
		}
		b.clock.sys = truth // as setting it does
	}
	if len(set) != 1 || !set[0].Equal(truth) {
		t.Errorf("set to %v, want once to %v", set, truth)
	}
	b.clock.sys = noBattery
	b.set = func(time.Time) error { return errors.New("operation not permitted") }
	if err := b.round([]string{"a"}); err != nil || b.set != nil {
		t.Errorf("after a refusal: %v, tried again: %v", err, b.set != nil)
	}
}

// A request and its answer on the wire (RFC 4330 sections 4 and 5).
func TestAskTime(t *testing.T) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const ahead = 1000 * time.Hour
	var stratum atomic.Uint32
	stratum.Store(1)
	go func() {
		b := make([]byte, 128)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			conn.WriteToUDPAddrPort(timeAnswer(b[:n], time.Now().Add(ahead), byte(stratum.Load())), from)
		}
	}()
	truth, err := askTime(conn.LocalAddr().String())
	if off := time.Until(truth) - ahead; err != nil || off.Abs() > time.Minute {
		t.Errorf("off by %v, %v", off, err)
	}
	stratum.Store(0) // go away
	if _, err := askTime(conn.LocalAddr().String()); err == nil {
		t.Error("a server that sends us away is believed")
	}
}

// timeAnswer is what a server says at now.
func timeAnswer(request []byte, now time.Time, stratum byte) []byte {
	const from1900 = 2208988800 // seconds to 1970
	out := make([]byte, 48)
	out[0], out[1] = request[0]&0x38|4, stratum
	copy(out[24:32], request[40:48])
	for _, at := range []int{16, 32, 40} {
		binary.BigEndian.PutUint32(out[at:], uint32(now.Unix()+from1900))
	}
	return out
}
