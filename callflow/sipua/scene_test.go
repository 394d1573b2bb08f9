package sipua

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
)

// A scene is a panel between a phone that it calls and a caller, both of whom do
// what a row of bytes says: the state of dialogs is where stories differ.
type scene struct {
	w       *world
	phone   *peer
	guest   *caller
	log     *complaints
	legs    callflow.LegID
	invites []*sip.Request // of the panel, the latest last
	asked   []*sip.Request // its other requests, unanswered
	tag     string         // the panel's, on the caller's side
	seq     int
}

// complaints keeps what is logged as an error: a panic, say.
type complaints struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (c *complaints) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.Write(b)
}

func newScene(w *world, log *complaints) *scene {
	return &scene{w: w, log: log, phone: w.peer(phoneAddr), guest: w.caller("192.0.2.20:5060", otherGuard), seq: 10}
}

const otherGuard = "sip:guard@192.0.2.20"

// inScene plays the bytes, ends all calls, and looks at what is left.
func inScene(t *testing.T, moves []byte) {
	t.Helper()
	log := &complaints{}
	cfg := Config{Allow: []string{otherGuard}, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError}))}
	inWorld(t, cfg, func(w *world) {
		s := newScene(w, log)
		for _, m := range moves {
			s.move(m&0xf, int(m>>4))
			s.listen()
		}
		s.finish()
	})
}

// listen sorts what the panel sent.
func (s *scene) listen() {
	synctest.Wait()
	for _, p := range []*peer{s.phone, s.guest.peer} {
		for len(p.in) > 0 {
			m, err := sip.NewParser().ParseSIP((<-p.in).b)
			if err != nil {
				s.w.t.Fatalf("the panel sent what is no SIP: %v", err)
			}
			switch m := m.(type) {
			case *sip.Response:
				if to := tagOf(m.To().Params); p == s.guest.peer && m.CSeq().MethodName == sip.INVITE && to != "" {
					s.tag = to
				}
			case *sip.Request:
				switch m.Method {
				case sip.INVITE:
					s.invites = append(s.invites, m)
				case sip.ACK:
				default:
					s.asked = append(s.asked, m)
				}
			}
		}
	}
}

var sceneAnswers = []struct {
	status int
	lines  []string
}{
	{100, nil}, {180, []string{phoneContact()}},
	{183, []string{phoneContact(), "sdp:early"}},
	{183, []string{phoneContact(), "Require: 100rel", "RSeq: 1", "sdp:early"}},
	{180, []string{phoneContact(), "Require: 100rel", "RSeq: 2"}},
	{200, []string{phoneContact(), "sdp:answer"}}, {200, []string{phoneContact()}},
	{302, []string{"Contact: <sip:other@192.0.2.10>"}}, {401, []string{"WWW-Authenticate: Digest realm=\"x\", nonce=\"n\""}},
	{408, nil}, {422, []string{"Min-SE: 3600"}}, {486, nil}, {487, nil}, {488, nil}, {491, nil}, {503, []string{"Retry-After: 3"}},
}

var sceneMethods = []string{"BYE", "INFO", "INVITE", "UPDATE", "ACK", "OPTIONS", "PRACK", "REFER", "CANCEL", "NOTIFY", "MESSAGE"}

// move makes one move with an argument of 0 to 15.
func (s *scene) move(what byte, arg int) {
	ua := s.w.ua
	switch what {
	case 0:
		if s.legs < 8 {
			s.legs++
			ua.Invite(s.legs, phoneTarget, []byte(testOffer))
		}
	case 1, 2:
		if n := len(s.invites); n > 0 {
			a := sceneAnswers[arg]
			s.phone.reply(s.invites[n-1], a.status, []string{"", "a", "b"}[what], a.lines...)
		}
	case 3:
		if len(s.asked) > 0 {
			req := s.asked[0]
			s.asked = s.asked[1:]
			s.phone.reply(req, []int{200, 481, 401, 500}[arg%4], "a")
		}
	case 4, 5, 6:
		if n := len(s.invites); n > 0 {
			s.seq += []int{1, 0, 3}[what-4]
			s.phone.talk(s.invites[n-1], []string{"a", "b"}[arg%2]).askAs(sceneMethods[arg%len(sceneMethods)], s.seq, s.body(arg)...)
		}
	case 7:
		ua.Cancel(callflow.LegID(arg))
	case 8:
		ua.Bye(callflow.LegID(arg))
	case 9:
		s.tag, s.guest.id = "", fmt.Sprint("guest", arg)
		s.guest.ask("INVITE", 1, "", s.body(arg)...)
	case 10:
		to := ""
		if s.tag != "" {
			to = ";tag=" + s.tag
		}
		s.guest.ask(sceneMethods[arg%len(sceneMethods)], 1+arg/4, to, s.body(arg)...)
	case 11:
		ua.Accept(callflow.LegID(101+arg), []byte("answer"))
	case 12:
		ua.Reject(callflow.LegID(101+arg), 480+arg)
	case 13:
		s.w.mu.Lock()
		offers := s.w.offers
		s.w.mu.Unlock()
		if len(offers) > 0 {
			offers[len(offers)-1].Answer([]byte("x")[:arg%2], 488)
		}
	case 14:
		time.Sleep([]time.Duration{time.Millisecond, 50 * time.Millisecond, 600 * time.Millisecond, 5 * time.Second, 33 * time.Second}[arg%5])
	case 15:
		ua.SetPublic(netip.AddrPortFrom(netip.MustParseAddr("198.51.100.7"), uint16(1000+arg)))
	}
}

func (s *scene) body(arg int) []string {
	switch {
	case arg == 1:
		return []string{"body:application/dtmf-relay|Signal=5"}
	case arg%2 == 0:
		return []string{phoneContact(), "sdp:offer"}
	}
	return []string{phoneContact()}
}

// finish ends all calls, waits until nothing can be on its way, and wants
// nothing left: no call, no transaction, no complaint; and for each leg one last
// event, after which none comes.
func (s *scene) finish() {
	t := s.w.t
	t.Helper()
	for leg := range callflow.LegID(9) {
		s.w.ua.Cancel(leg)
		s.w.ua.Reject(101+leg, 480)
		s.w.ua.Bye(101 + leg)
	}
	time.Sleep(3 * time.Minute)
	s.listen()
	done := make(chan string, 1)
	s.w.ua.box.post(func() {
		u := s.w.ua
		done <- fmt.Sprintf("%d legs, %d calls, %d requests of ours, %d of theirs, %d peers held",
			len(u.legs), len(u.calls), len(u.clients), len(u.servers), len(u.sources.held))
	})
	if got := <-done; got != "0 legs, 0 calls, 0 requests of ours, 0 of theirs, 1 peers held" { // the allowed caller's host
		t.Errorf("left over: %s", got)
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	if said := s.log.b.String(); strings.Contains(said, "panic") {
		t.Errorf("it complained:\n%s", said)
	}
	s.lastWords()
}

func (s *scene) lastWords() {
	last := map[callflow.LegID]string{}
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	for _, ev := range s.w.raw {
		leg, final := legOf(ev)
		if leg == 0 {
			continue
		}
		if last[leg] != "" {
			s.w.t.Errorf("leg %d: %s after %s", leg, tell(ev), last[leg])
		}
		if final {
			last[leg] = tell(ev)
		}
	}
	for leg := callflow.LegID(1); leg <= s.legs; leg++ {
		if last[leg] == "" {
			s.w.t.Errorf("leg %d never ended", leg)
		}
	}
}

// legOf gives the leg of an event, 0 for none, and whether it is the leg's last.
func legOf(ev Event) (callflow.LegID, bool) {
	switch ev := ev.(type) {
	case Progress:
		return ev.Leg, false
	case Answered:
		return ev.Leg, false
	case Incoming:
		return ev.Leg, false
	case Confirmed:
		return ev.Leg, false
	case Offered:
		return ev.Leg, false
	case Digit:
		return ev.Leg, false
	case Refused:
		return ev.Leg, true
	case Ended:
		return ev.Leg, true
	}
	return 0, false
}

// FuzzDialogs plays stories of messages, presses and time.
func FuzzDialogs(f *testing.F) {
	for _, story := range [][]byte{
		{0x00, 0x11, 0x51, 0x14, 0x08 | 1<<4, 0x03},      // rung, answered, a digit, hung up
		{0x00, 0x31, 0x41, 0x03, 0x03, 0x61, 0x05},       // reliable responses
		{0x00, 0x11, 0x17, 0x51, 0x03, 0x0e, 0x0e},       // CANCEL crosses a 200
		{0x00, 0x51, 0x52, 0x51, 0x03, 0x08 | 1<<4},      // two forks answer
		{0x00, 0x51, 0x24, 0x1d, 0x44, 0x34, 0x0d, 0x04}, // re-INVITE, ACK, UPDATE, BYE
		{0x09, 0x0b, 0x4a, 0x1a, 0x0a, 0x29, 0x8a},       // a caller: answered, ACK, INFO, BYE; gives up
		{0x00, 0x71, 0x11, 0x00, 0xd1, 0xf1, 0xa1, 0x4e}, // redirected, refused in many ways
		{0x00, 0x4e, 0x51, 0x05, 0x06, 0x26, 0x4e, 0x14}, // late, doubled, out of order
		{0x09, 0x09, 0x19, 0x29, 0x39, 0x49, 0x1b, 0x2c}, // many callers
		{0x00, 0x51, 0x2f, 0x24, 0x0d, 0x2e, 0x4e, 0x4e}, // an offer refused; nothing acknowledged
		{0x39, 0x30, 0xea}, // an UPDATE that waits for its turn as the call ends
		{0x30, 0x31, 0xe4}, // an early offer that nobody answers
		{0x00, 0x11, 0x00, 0x00, 0xcc, 0xcc, 0x22, 0x22}, // given up in three ways at once
		{0x40, 0x31, 0xe6, 0x72},                         // an early offer, and the INVITE goes elsewhere
		{0x00, 0x00, 0x00, 0x51, 0x08, 0x17, 0x27, 0x37, 0x03, 0x03, 0x03},
	} {
		f.Add(story)
	}
	f.Fuzz(func(t *testing.T, moves []byte) {
		if len(moves) <= 60 {
			inScene(t, moves)
		}
	})
}

// What waits for its turn when the dialog ends is refused, and not kept.
func TestByeRefusesWhatWaits(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, k, _ := answered(w)
		k.askAs("OPTIONS", 101)
		p.response(200)
		k.askAs("OPTIONS", 104)
		k.askAs("BYE", 102)
		p.response(200)
		p.response(481)
		w.heard("ended by us:false")
	})
}
