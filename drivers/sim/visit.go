package sim

import (
	"context"
	"sync"

	"doorstation/drivers/seqpacket"
)

// visit is one connection in the line process, in its role.
type visit struct {
	server *server
	conn   *seqpacket.Conn
	buf    []byte
	who    string
}

// next waits for a message of this kind. Anything else ends the connection.
func (v *visit) next(ctx context.Context, kinds ...kind) (packet, bool) {
	n, err := v.conn.Recv(ctx, v.buf)
	if err != nil {
		return packet{}, false
	}
	p, err := decode(v.buf[:n])
	if err != nil {
		v.server.log(v.who + ": " + err.Error())
		return packet{}, false
	}
	for _, k := range kinds {
		if p.kind == k {
			return p, true
		}
	}
	v.server.log(v.who + ": message of a wrong kind")
	return packet{}, false
}

// answer says that a request is done, or why it is not.
func (v *visit) answer(ctx context.Context, f fault, what string) bool {
	p := packet{kind: kindDone}
	if f != 0 {
		p = packet{kind: kindFailed, fault: f, name: what}
	}
	return v.conn.Send(ctx, p.append(nil)) == nil
}

// output drives one line. When it ends the line keeps its level.
func (v *visit) output(ctx context.Context, name string) {
	l, f := v.server.bank.claim(name)
	if f != 0 {
		v.answer(ctx, f, name)
		return
	}
	defer v.server.bank.release(l)
	v.server.log(v.who + ": drives " + name)
	for v.answer(ctx, 0, "") {
		p, ok := v.next(ctx, kindSet)
		if !ok {
			break
		}
		v.server.bank.set(l, p.level)
	}
	v.server.log(v.who + ": drives " + name + " no more")
}

// world moves inputs and speaks.
func (v *visit) world(ctx context.Context) {
	for v.answer(ctx, 0, "") {
		for {
			p, ok := v.next(ctx, kindPress, kindFrame)
			if !ok {
				return
			}
			if p.kind == kindFrame {
				v.server.card.say(p.frame)
				continue
			}
			if f := v.server.bank.press(p.name, p.active); f != 0 {
				v.answer(ctx, f, p.name)
				continue
			}
			break
		}
	}
}

// watch reports every change.
func (v *visit) watch(ctx context.Context, stop func()) {
	o := v.server.bank.observe()
	defer v.server.bank.forget(o)
	var telling sync.WaitGroup
	telling.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case c := <-o.queue:
				p := packet{kind: kindChange, level: c.Level, active: c.Active, at: c.At, name: c.Line}
				if v.conn.Send(ctx, p.append(nil)) != nil {
					return
				}
			}
			v.server.bank.resync(o)
		}
	})
	v.next(ctx) // an observer has nothing to say; its end is what we wait for
	stop()
	telling.Wait()
}

// sound is the panel's end of the card.
func (v *visit) sound(ctx context.Context, stop func()) {
	if !v.server.card.take() {
		v.answer(ctx, faultBusy, "sound card")
		return
	}
	defer v.server.card.giveBack()
	var clock sync.WaitGroup
	defer clock.Wait()
	defer stop()
	if !v.answer(ctx, 0, "") {
		return
	}
	clock.Go(func() { v.server.card.run(ctx, v.conn) })
	for {
		p, ok := v.next(ctx, kindFrame)
		if !ok {
			return
		}
		v.server.card.play(p.frame)
	}
}

// listen hands on what the speaker plays.
func (v *visit) listen(ctx context.Context, stop func()) {
	frames := v.server.card.listen()
	defer v.server.card.forget(frames)
	var telling sync.WaitGroup
	telling.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case f := <-frames:
				p := packet{kind: kindFrame, frame: f[:]}
				if v.conn.Send(ctx, p.append(nil)) != nil {
					return
				}
			}
		}
	})
	v.next(ctx) // its end
	stop()
	telling.Wait()
}
