package emulator

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// A qtest drives and watches the pins of one device over QEMU's test socket,
// which works beside a running guest.
type qtest struct {
	conn    net.Conn
	device  string // QOM path
	onLevel func(line int, high bool, at time.Time)

	mu      sync.Mutex // one command at a time
	replies chan string
	ended   chan struct{}
}

func newQtest(conn net.Conn, device string, onLevel func(int, bool, time.Time)) (*qtest, error) {
	q := &qtest{conn: conn, device: device, onLevel: onLevel, replies: make(chan string), ended: make(chan struct{})}
	go q.read()
	return q, q.do("irq_intercept_out " + device)
}

// read hands out replies, and reports of outputs: "IRQ raise 4".
func (q *qtest) read() {
	defer close(q.ended)
	in := bufio.NewScanner(q.conn)
	for in.Scan() {
		at := time.Now()
		var line int
		var verb string
		if n, _ := fmt.Sscanf(in.Text(), "IRQ %s %d", &verb, &line); n == 2 {
			q.onLevel(line, verb == "raise", at)
			continue
		}
		q.replies <- in.Text()
	}
}

// drive puts a level on an input of the device.
func (q *qtest) drive(line int, high bool) error {
	level := 0
	if high {
		level = 1
	}
	return q.do(fmt.Sprintf("set_irq_in %s unnamed-gpio-in %d %d", q.device, line, level))
}

func (q *qtest) do(command string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, err := fmt.Fprintln(q.conn, command); err != nil {
		return fmt.Errorf("emulator: %s: %w", command, err)
	}
	select {
	case <-q.ended:
		return fmt.Errorf("emulator: %s: %w", command, errGone)
	case r := <-q.replies:
		if !strings.HasPrefix(r, "OK") {
			return fmt.Errorf("emulator: %s: %s", command, r)
		}
		return nil
	}
}
