package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/sipua/trace"
	"doorstation/callflow/timeline"
)

type tracedPanel struct {
	fakePanel
	messages []trace.Message
}

func (p *tracedPanel) Messages() []trace.Message { return p.messages }

func sipMessage(at time.Time, out bool, lines ...string) trace.Message {
	return trace.Message{At: at, Out: out, Network: "udp", Panel: netip.MustParseAddrPort("192.0.2.1:5060"),
		Peer: netip.MustParseAddrPort("192.0.2.2:5060"), Text: []byte(strings.Join(append(lines, "", ""), "\r\n"))}
}

func TestSIPTrace(t *testing.T) {
	rec := record("c1", timeline.Press)
	p := &tracedPanel{fakePanel: fakePanel{calls: []timeline.Record{rec}}, messages: []trace.Message{
		sipMessage(rec.Began.Add(-time.Minute), true, "REGISTER sip:h SIP/2.0", "Call-ID: r"),
		sipMessage(rec.Began.Add(2*time.Millisecond), true, "INVITE sip:flat@h SIP/2.0", "Call-ID: c"),
		sipMessage(rec.Began.Add(time.Minute), false, "SIP/2.0 200 OK", "i: c"),
	}}
	dir := panel(t, p)
	code, all, _ := doorctl(t, "sip", "trace", "-run", dir)
	if code != exitDone || strings.Count(all, "\n") != 4 || !strings.Contains(all, "REGISTER sip:h") {
		t.Errorf("all: %d\n%s", code, all)
	}
	code, one, _ := doorctl(t, "sip", "trace", "c1", "-run", dir)
	if code != exitDone || strings.Count(one, "\n") != 3 || strings.Contains(one, "REGISTER") || !strings.Contains(one, "<- 200 OK") {
		t.Errorf("one: %d\n%s", code, one)
	}
	if code, _, problem := doorctl(t, "sip", "trace", "c9", "-run", dir); code != exitFailed || !strings.Contains(problem, "c9") {
		t.Errorf("none: %d %s", code, problem)
	}
	path := filepath.Join(t.TempDir(), "call.pcap")
	if code, said, _ := doorctl(t, "sip", "trace", "c1", "-pcap", path, "-run", dir); code != exitDone || !strings.Contains(said, "2 messages written") {
		t.Errorf("pcap: %d %s", code, said)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != pcapMode {
		t.Errorf("%v, %v", info, err)
	}
	if code, _, _ := doorctl(t, "status", "-pcap", path, "-run", dir); code != exitUsage {
		t.Errorf("-pcap with status: %d", code)
	}
	p.messages = nil
	if code, _, problem := doorctl(t, "sip", "trace", "-run", dir); code != exitFailed || !strings.Contains(problem, "remembers no") {
		t.Errorf("nothing: %d %s", code, problem)
	}
	if code, _, problem := doorctl(t, "sip", "trace", "-run", panel(t, &fakePanel{})); code != exitFailed || !strings.Contains(problem, "different versions") {
		t.Errorf("a panel without: %d %s", code, problem)
	}
}
