package emulator

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// An Event is something that happened to the whole machine, as QMP reports it:
// RESET, WATCHDOG, SHUTDOWN, GUEST_PANICKED and others.
type Event struct {
	Name string
	Data map[string]any
	At   time.Time // when this process read it
}

// A qmp is a connection to QEMU's monitor.
type qmp struct {
	conn    net.Conn
	onEvent func(Event)

	mu      sync.Mutex // one command at a time
	replies chan reply
	ended   chan struct{}
}

type reply struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Desc string `json:"desc"`
	} `json:"error"`
}

var errGone = errors.New("qemu has ended")

func newQMP(conn net.Conn, onEvent func(Event)) (*qmp, error) {
	q := &qmp{conn: conn, onEvent: onEvent, replies: make(chan reply), ended: make(chan struct{})}
	go q.read()
	return q, q.do("qmp_capabilities", nil, nil)
}

// read hands out what QEMU says, until it ends.
func (q *qmp) read() {
	defer close(q.ended)
	in := json.NewDecoder(bufio.NewReader(q.conn))
	for {
		var message struct {
			reply
			QMP   json.RawMessage
			Event string         `json:"event"`
			Data  map[string]any `json:"data"`
		}
		if in.Decode(&message) != nil {
			return
		}
		switch {
		case message.QMP != nil: // its greeting
		case message.Event != "":
			q.onEvent(Event{Name: message.Event, Data: message.Data, At: time.Now()})
		default:
			q.replies <- message.reply
		}
	}
}

// do runs a command; into takes what it returns, unless it is nil.
func (q *qmp) do(command string, args map[string]any, into any) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	message := map[string]any{"execute": command}
	if args != nil {
		message["arguments"] = args
	}
	if err := json.NewEncoder(q.conn).Encode(message); err != nil {
		return fmt.Errorf("emulator: %s: %w", command, err)
	}
	select {
	case <-q.ended:
		return fmt.Errorf("emulator: %s: %w", command, errGone)
	case r := <-q.replies:
		if r.Error != nil {
			return fmt.Errorf("emulator: %s: %s", command, r.Error.Desc)
		}
		if into == nil {
			return nil
		}
		return json.Unmarshal(r.Return, into)
	}
}

// find gives the QOM path of the first device of a type.
func (q *qmp) find(kind string) (string, error) {
	const folder = "/machine/unattached"
	var nodes []struct{ Name, Type string }
	if err := q.do("qom-list", map[string]any{"path": folder}, &nodes); err != nil {
		return "", err
	}
	for _, n := range nodes {
		if n.Type == "child<"+kind+">" {
			return folder + "/" + n.Name, nil
		}
	}
	return "", fmt.Errorf("emulator: this machine has no %s", kind)
}
