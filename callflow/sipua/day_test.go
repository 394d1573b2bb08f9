package sipua

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
)

// A day is a panel with a registrar and a phone that live their own lives, and a
// link and a server that fail now and then.
type day struct {
	w     *world
	rnd   *rand.Rand
	log   *complaints
	dead  bool // the registrar
	nonce int
	legs  callflow.LegID
	base  int // goroutines when nothing goes on
}

func aDay(t *testing.T, live func(d *day)) {
	t.Helper()
	log := &complaints{}
	account := lineAccount()
	account.Keepalive = 25 * time.Second
	cfg := Config{Account: account, DNS: noDNS, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError}))}
	inWorld(t, cfg, func(w *world) {
		w.busy = true
		d := &day{w: w, log: log, rnd: rand.New(rand.NewPCG(1, 2))}
		registrar, phone := w.peer(proxyAddr), w.peer(phoneAddr)
		defer registrar.Close()
		defer phone.Close()
		go d.robot(registrar, d.register)
		go d.robot(phone, d.answer)
		time.Sleep(time.Minute)
		d.base = runtime.NumGoroutine()
		live(d)
	})
}

// robot hands each request of the panel to its reader, until its socket ends.
func (d *day) robot(p *peer, take func(p *peer, req *sip.Request)) {
	for {
		select {
		case <-p.gone:
			return
		case dg := <-p.in:
			m, err := sip.NewParser().ParseSIP(dg.b)
			if req, ok := m.(*sip.Request); ok && err == nil {
				take(p, req)
			}
		}
	}
}

// with is for what robots and the story share.
func (d *day) with(f func()) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	f()
}

// register is the registrar: it forgets its nonces when it restarts.
func (d *day) register(p *peer, req *sip.Request) {
	var dead bool
	var nonce string
	d.with(func() { dead, nonce = d.dead, fmt.Sprint("n", d.nonce) })
	auth := req.GetHeader("authorization")
	switch {
	case dead:
	case req.Method != sip.REGISTER:
		p.reply(req, 200, "r")
	case auth == nil || !strings.Contains(auth.Value(), `nonce="`+nonce+`"`):
		p.reply(req, 401, "r", `WWW-Authenticate: Digest realm="house.example", nonce="`+nonce+`", qop="auth", stale=true`)
	default:
		p.grant(req, 600)
	}
}

// answer is the phone: it rings, and then answers, refuses, or lets it ring.
func (d *day) answer(p *peer, req *sip.Request) {
	tag := "t" + req.CallID().Value()[:6]
	switch req.Method {
	case sip.INVITE:
		var fate int
		d.with(func() { fate = d.rnd.IntN(8) })
		p.reply(req, 180, tag, phoneContact())
		if fate < 5 {
			go d.decide(p, req, tag, fate)
		}
	case sip.CANCEL:
		p.reply(req, 200, tag)
		invite := req.Clone()
		invite.CSeq().MethodName = sip.INVITE
		p.reply(invite, 487, tag)
	case sip.ACK:
	default:
		p.reply(req, 200, tag)
	}
}

// decide is what the resident does after a while.
func (d *day) decide(p *peer, req *sip.Request, tag string, fate int) {
	time.Sleep(time.Duration(fate) * 3 * time.Second)
	switch fate {
	case 0:
		p.reply(req, 486, tag)
	case 1:
		p.reply(req, 503, tag, "Retry-After: 1")
	default:
		p.reply(req, 200, tag, phoneContact(), "sdp:answer")
		if fate == 4 {
			time.Sleep(20 * time.Second)
			p.talk(req, tag).ask("BYE")
		}
	}
}

// press rings the phone, and gives up or hangs up after a while.
func (d *day) press(patience time.Duration) {
	d.legs++
	leg := d.legs
	d.w.ua.Invite(leg, phoneTarget, []byte(testOffer))
	time.Sleep(patience)
	d.w.ua.Cancel(leg)
	d.w.ua.Bye(leg)
}

func (d *day) link(up bool)     { d.with(func() { d.w.down = !up }) }
func (d *day) server(live bool) { d.with(func() { d.dead = !live; d.nonce++ }) }

// between gives a time by chance.
func (d *day) between(low, high time.Duration) (t time.Duration) {
	d.with(func() { t = low + time.Duration(d.rnd.Int64N(int64(high-low))) })
	return t
}

func (d *day) registered() (yes bool) {
	d.with(func() {
		for _, ev := range d.w.raw {
			switch ev.(type) {
			case Registered:
				yes = true
			case Unregistered:
				yes = false
			}
		}
	})
	return yes
}

// still waits until all is quiet, and wants nothing left over.
func (d *day) still(when string) {
	t := d.w.t
	t.Helper()
	time.Sleep(3 * time.Minute)
	synctest.Wait()
	left := make(chan string, 1)
	d.w.ua.box.post(func() {
		u := d.w.ua
		left <- fmt.Sprintf("%d legs, %d calls, %d of theirs, %d streams", len(u.legs), len(u.calls), len(u.servers), len(u.streams))
		if n := len(u.clients); n > 4 { // a challenged REGISTER and a question, remembered for 5 s
			t.Errorf("%s: %d requests of ours", when, n)
		}
	})
	if got := <-left; got != "0 legs, 0 calls, 0 of theirs, 0 streams" {
		t.Errorf("%s: left over: %s", when, got)
	}
	if n := runtime.NumGoroutine(); n > d.base+8 { // those of these requests
		t.Errorf("%s: %d goroutines, at first %d", when, n, d.base)
	}
}

// A day in the life: presses, a link that flaps, a server that restarts.
func TestDayInTheLife(t *testing.T) {
	aDay(t, func(d *day) {
		for hour := range 24 {
			for range 6 {
				time.Sleep(d.between(time.Second, 8*time.Minute))
				switch d.rnd.IntN(6) {
				case 0:
					d.link(false)
					d.press(d.between(time.Second, 40*time.Second)) // into the void
					d.link(true)
				case 1:
					go func() {
						time.Sleep(5 * time.Second)
						d.link(false)
						time.Sleep(20 * time.Second)
						d.link(true)
					}()
					d.press(time.Minute) // lost on the way
				case 2:
					d.server(false)
					d.press(15 * time.Second) // a phone needs no registrar
					time.Sleep(d.between(time.Second, 5*time.Minute))
					d.server(true)
				default:
					d.press(d.between(time.Second, time.Minute))
				}
			}
			time.Sleep(6 * time.Minute) // the longest wait of a registration, and more
			if !d.registered() {
				t.Errorf("hour %d: not registered", hour)
			}
			d.still(fmt.Sprint("hour ", hour))
		}
		(&scene{w: d.w, legs: d.legs, log: d.log}).lastWords()
		d.log.mu.Lock()
		defer d.log.mu.Unlock()
		if said := d.log.b.String(); said != "" {
			t.Errorf("it complained:\n%.2000s", said)
		}
	})
}

// The link goes and comes a thousand times. Each time the panel is registered
// again, and nothing grows.
func TestLinkFlapsAThousandTimes(t *testing.T) {
	aDay(t, func(d *day) {
		before := heap()
		var waits []time.Duration
		for range 1000 {
			d.link(false)
			time.Sleep(d.between(time.Second, 90*time.Second))
			d.link(true)
			up := time.Now()
			for time.Since(up) < 10*time.Minute {
				time.Sleep(time.Second)
				if d.registered() {
					break
				}
			}
			waits = append(waits, time.Since(up))
			d.with(func() { d.w.raw = d.w.raw[max(0, len(d.w.raw)-2):]; d.w.events = nil })
		}
		if !d.registered() {
			t.Error("not registered at the end")
		}
		d.still("at the end")
		if after := heap(); after > before+(256<<10) {
			t.Errorf("the heap grew by %d KiB", (after-before)>>10)
		}
		slices.Sort(waits)
		t.Logf("registered again after %v, at worst %v", waits[len(waits)/2], waits[len(waits)-1])
		if worst := waits[len(waits)-1]; worst > 6*time.Minute {
			t.Errorf("once after %v", worst)
		}
	})
}
