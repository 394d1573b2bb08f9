package sim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorstation/drivers/seqpacket"
)

// answerWithin bounds the wait for the line process.
const answerWithin = time.Second

// busyFor is how long a line may still count as driven by a process that has
// just died: its last messages are carried out before another one gets it.
const busyFor = 250 * time.Millisecond

// link is the client's end of one connection.
type link struct {
	conn *seqpacket.Conn
	buf  []byte
}

// connect opens a connection for this role. Where the role has an answer it
// waits for it.
func connect(path string, r role, name string) (*link, error) {
	conn, err := seqpacket.Dial(path)
	if errors.Is(err, seqpacket.ErrNobody) {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	if err != nil {
		return nil, err
	}
	l := &link{conn: conn, buf: make([]byte, maxMessage+1)}
	hello := packet{kind: kindHello, role: r, name: name}
	if r == roleWatch || r == roleListen {
		err = l.send(hello)
	} else {
		err = l.request(hello)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return l, nil
}

// claim is connect for something that only one may have: while its last owner
// is on the way out, it tries again.
func claim(path string, r role, name string) (*link, error) {
	for began := time.Now(); ; time.Sleep(busyFor / 50) {
		l, err := connect(path, r, name)
		if !errors.Is(err, ErrBusy) || time.Since(began) > busyFor {
			return l, err
		}
	}
}

func (l *link) send(p packet) error {
	if err := l.conn.TrySend(p.append(nil)); err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return nil
}

// request sends p and waits, at most a second, until it is carried out.
func (l *link) request(p packet) error {
	if err := l.send(p); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), answerWithin)
	defer stop()
	got, err := l.next(ctx)
	switch {
	case err != nil:
		return err
	case got.kind == kindDone:
		return nil
	case got.kind == kindFailed:
		return fmt.Errorf("%s: %w", got.name, got.fault.err())
	}
	return fmt.Errorf("%w: %w: kind %d", ErrGone, errPacket, got.kind)
}

// next waits for a message. What it returns is valid until the next call.
func (l *link) next(ctx context.Context) (packet, error) {
	n, err := l.conn.Recv(ctx, l.buf)
	if ctx.Err() != nil && err != nil {
		return packet{}, context.Cause(ctx)
	}
	if err != nil {
		return packet{}, fmt.Errorf("%w: %w", ErrGone, err)
	}
	p, err := decode(l.buf[:n])
	if err != nil {
		return packet{}, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return p, nil
}

func (f fault) err() error {
	switch f {
	case faultUnknown:
		return ErrNoLine
	case faultBusy:
		return ErrBusy
	}
	return ErrRefused
}
