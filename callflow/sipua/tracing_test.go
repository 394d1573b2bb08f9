package sipua

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/sipua/trace"
)

func titles(r *trace.Ring) string {
	var all []string
	for _, m := range r.Messages() {
		all = append(all, fmt.Sprint(map[bool]string{true: "> ", false: "< "}[m.Out], m.Network, " ", m.Title()))
	}
	return strings.Join(all, "\n")
}

func TestTraceOfACall(t *testing.T) {
	var ring trace.Ring
	inWorld(t, Config{Trace: &ring}, func(w *world) {
		p, k, _ := answered(w)
		if err := w.ua.WriteTo(make([]byte, 40), netip.MustParseAddrPort(phoneAddr)); err != nil { // STUN
			t.Fatal(err)
		}
		<-p.in
		w.peer("203.0.113.9:5060").send(options) // a stranger's is not even remembered
		k.ask("INFO", "body:application/dtmf-relay|Signal=5")
		p.response(200)
		k.ask("BYE")
		p.response(200)
		time.Sleep(time.Second)
		want := `> udp INVITE sip:phone@192.0.2.10:5060
< udp 200 Phrase
> udp ACK sip:phone@192.0.2.10:5060
< udp INFO sip:doorstation@192.0.2.1:5060
> udp 200 OK
< udp BYE sip:doorstation@192.0.2.1:5060
> udp 200 OK`
		if got := titles(&ring); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		for _, m := range ring.Messages() {
			if strings.Contains(string(m.Text), "Signal=5") {
				t.Errorf("a digit is readable:\n%s", m.Text)
			}
		}
	})
}

func TestTraceOfAStream(t *testing.T) {
	var ring trace.Ring
	s := serveStream(t, nil)
	_, events := runStreamTraced(t, s, Account{Transport: "tcp"}, &ring)
	s.accept()
	reg := s.request("REGISTER")
	s.send(replyText(reg, 200, "r", "Expires: 600"))
	<-events
	if got, want := titles(&ring), "> tcp "+reg.StartLine()[:len(reg.StartLine())-len(" SIP/2.0")]+"\n< tcp 200 Phrase"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func BenchmarkTraced(b *testing.B) {
	u := &UA{}
	u.cfg.Trace = new(trace.Ring)
	at, text := netip.MustParseAddrPort(panelAddr), []byte(options+strings.Repeat("a=x\r\n", 100))
	for b.Loop() {
		u.traced(true, "udp", at, at, text)
	}
}
