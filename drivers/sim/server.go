package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"doorstation/drivers/seqpacket"
)

// helloWithin is how long a connection may take to say what it is for.
const helloWithin = 2 * time.Second

// Serve is the line process: it holds the lines until ctx ends or the socket
// at path fails. A second line process on one path is seqpacket.ErrInUse.
func Serve(ctx context.Context, path string, lines []LineSpec, opts Options) error {
	b, err := newBank(lines)
	if err != nil {
		return err
	}
	l, err := seqpacket.Listen(path)
	if err != nil {
		return fmt.Errorf("sim: %w", err)
	}
	defer l.Close()
	s := &server{bank: b, card: newCard(opts.RoomNoise), log: opts.Log}
	if s.log == nil {
		s.log = func(string) {}
	}
	if opts.Ready != nil {
		opts.Ready()
	}
	return s.accept(ctx, l)
}

type server struct {
	bank *bank
	card *card
	log  func(string)
}

func (s *server) accept(ctx context.Context, l *seqpacket.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	var open sync.WaitGroup
	defer open.Wait()
	defer stop()
	for {
		conn, err := l.Accept(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("sim: accept: %w", err)
		}
		open.Go(func() {
			defer conn.Close()
			s.attend(ctx, conn)
		})
	}
}

// attend serves one connection to its end.
func (s *server) attend(ctx context.Context, conn *seqpacket.Conn) {
	who := fmt.Sprintf("pid %d", conn.Peer().PID)
	if uid := conn.Peer().UID; uid != 0 && uid != os.Geteuid() {
		s.log(fmt.Sprintf("%s: refused, user %d", who, uid))
		return
	}
	buf := make([]byte, maxMessage+1)
	hello, err := s.hello(ctx, conn, buf)
	if err != nil {
		s.log(who + ": " + err.Error())
		return
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	v := visit{server: s, conn: conn, buf: buf, who: who}
	switch hello.role {
	case roleOutput:
		v.output(ctx, hello.name)
	case roleWatch:
		v.watch(ctx, stop)
	case roleSound:
		v.sound(ctx, stop)
	case roleWorld:
		v.world(ctx)
	case roleListen:
		v.listen(ctx, stop)
	}
}

func (s *server) hello(ctx context.Context, conn *seqpacket.Conn, buf []byte) (packet, error) {
	ctx, stop := context.WithTimeout(ctx, helloWithin)
	defer stop()
	n, err := conn.Recv(ctx, buf)
	if err != nil {
		return packet{}, err
	}
	p, err := decode(buf[:n])
	if err == nil && p.kind != kindHello {
		err = errors.New("no hello")
	}
	return p, err
}
