package trace

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// A record is one packet of a capture file.
type record struct {
	at       time.Time
	protocol byte
	way      way
	seq, ack uint32 // of TCP
	payload  []byte
}

// readPcap reads a capture file, and fails where a length or a checksum is wrong.
func readPcap(t *testing.T, file []byte) []record {
	t.Helper()
	order := binary.LittleEndian
	if len(file) < 24 || order.Uint32(file) != 0xa1b23c4d || order.Uint32(file[20:]) != 101 {
		t.Fatalf("header %x", file[:min(len(file), 24)])
	}
	var all []record
	for rest := file[24:]; len(rest) > 0; {
		size := order.Uint32(rest[8:])
		r := readPacket(t, rest[16:16+size])
		r.at = time.Unix(int64(order.Uint32(rest)), int64(order.Uint32(rest[4:])))
		all = append(all, r)
		rest = rest[16+size:]
	}
	return all
}

func readPacket(t *testing.T, p []byte) record {
	t.Helper()
	var r record
	var from, to netip.Addr
	var body []byte
	if p[0]>>4 == 4 {
		r.protocol, body = p[9], p[20:]
		from, to = netip.AddrFrom4([4]byte(p[12:])), netip.AddrFrom4([4]byte(p[16:]))
		if checksum(p[:20]) != 0 || int(binary.BigEndian.Uint16(p[2:])) != len(p) {
			t.Errorf("IP header %x of %d bytes", p[:20], len(p))
		}
	} else {
		r.protocol, body = p[6], p[40:]
		from, to = netip.AddrFrom16([16]byte(p[8:])), netip.AddrFrom16([16]byte(p[24:]))
		if int(binary.BigEndian.Uint16(p[4:])) != len(body) {
			t.Errorf("IP header %x of %d bytes", p[:40], len(p))
		}
	}
	r.way = way{netip.AddrPortFrom(from, binary.BigEndian.Uint16(body)), netip.AddrPortFrom(to, binary.BigEndian.Uint16(body[2:]))}
	if bodySum(r.protocol, r.way.from, r.way.to, body) != 0 {
		t.Errorf("checksum of %x", body[:20])
	}
	switch r.protocol {
	case 17:
		r.payload = body[8:]
	case 6:
		r.seq, r.ack = binary.BigEndian.Uint32(body[4:]), binary.BigEndian.Uint32(body[8:])
		r.payload = body[body[12]>>4*4:]
	}
	return r
}

func TestPcap(t *testing.T) {
	all := story()
	v6 := all[1]
	v6.Panel, v6.Peer = netip.MustParseAddrPort("[2001:db8::1]:5060"), netip.MustParseAddrPort("[2001:db8::2]:5060")
	all = append(all, v6)
	var b bytes.Buffer
	if err := WritePcap(&b, all); err != nil {
		t.Fatal(err)
	}
	got := readPcap(t, b.Bytes())
	if len(got) != len(all) {
		t.Fatalf("%d packets", len(got))
	}
	for i, r := range got {
		from, to := all[i].ends()
		if r.protocol != 17 || r.way != (way{from, to}) || !r.at.Equal(all[i].At) || !bytes.Equal(r.payload, all[i].Text) {
			t.Errorf("packet %d: %+v", i, r)
		}
	}
	if err := WritePcap(&b, []Message{{Panel: panel, Peer: v6.Peer}}); err == nil {
		t.Error("two families in one packet")
	}
}

// What went over a connection are segments, each direction in its own numbers,
// and all that came is acknowledged.
func TestPcapOfConnections(t *testing.T) {
	own := netip.MustParseAddrPort("192.0.2.1:40000")
	far := netip.MustParseAddrPort("192.0.2.2:5061")
	var all []Message
	say := func(network string, panel netip.AddrPort, out bool, size int) {
		all = append(all, Message{At: began, Out: out, Network: network, Panel: panel, Peer: far,
			Text: fmt.Appendf(nil, "%0*d", size, len(all))})
	}
	say("tls", own, true, 1000)
	say("tls", own, false, 300)
	say("tls", own, false, 150_000) // more than a segment holds
	say("tcp", panel, true, 10)     // another connection
	say("udp", own, true, 20)       // the same ports, and no connection
	say("tls", own, true, 1)
	var b bytes.Buffer
	if err := WritePcap(&b, all); err != nil {
		t.Fatal(err)
	}
	sent, want := map[way][]byte{}, map[way][]byte{}
	for _, m := range all {
		if m.Network != "udp" {
			from, to := m.ends()
			want[way{from, to}] = append(want[way{from, to}], m.Text...)
		}
	}
	datagrams := 0
	for i, r := range readPcap(t, b.Bytes()) {
		if r.protocol == 17 {
			datagrams++
			continue
		}
		back := sent[way{r.way.to, r.way.from}]
		if int(r.seq) != 1+len(sent[r.way]) || int(r.ack) != 1+len(back) {
			t.Errorf("segment %d: number %d after %d bytes, acknowledges %d of %d", i, r.seq, len(sent[r.way]), r.ack, len(back))
		}
		sent[r.way] = append(sent[r.way], r.payload...)
	}
	if len(sent) != len(want) || datagrams != 1 {
		t.Errorf("%d directions, want %d; %d datagrams", len(sent), len(want), datagrams)
	}
	for w, text := range want {
		if !bytes.Equal(sent[w], text) {
			t.Errorf("%v: %d bytes, want %d", w, len(sent[w]), len(text))
		}
	}
}
