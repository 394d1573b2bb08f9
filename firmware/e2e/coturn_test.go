package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// startCoturn runs a STUN server on UDP 3478.
func startCoturn(h *host) *process {
	h.t.Helper()
	dir := scratch(h.t, h.name)
	config := write(h.t, dir, "turnserver.conf",
		"listening-ip="+h.addr.String(), "listening-port=3478",
		"stun-only", "no-cli", "no-tls", "no-dtls", "no-stdout-log=false",
		"log-file=stdout", "simple-log", "relay-threads=1",
		"userdb="+dir+"/turndb", "pidfile="+dir+"/pid")
	p := h.start(h.name, "turnserver", "-c", config)
	p.until("coturn answers a binding request", func() error {
		_, err := mapped(h, h.at(3478))
		return err
	})
	return p
}

// mapped asks a STUN server where it sees the host (RFC 5389 section 7), in a
// few lines of its own: the project's client is what the tests are about.
func mapped(from *host, server netip.AddrPort) (netip.AddrPort, error) {
	conn := from.udp(0)
	defer conn.Close()
	request := make([]byte, 20)
	binary.BigEndian.PutUint16(request, 0x0001)
	binary.BigEndian.PutUint32(request[4:], stunCookie)
	if _, err := rand.Read(request[8:]); err != nil {
		return netip.AddrPort{}, err
	}
	if _, err := conn.WriteToUDPAddrPort(request, server); err != nil {
		return netip.AddrPort{}, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	answer := make([]byte, 1500)
	n, err := conn.Read(answer)
	if err != nil {
		return netip.AddrPort{}, err
	}
	if n < 20 || !bytes.Equal(answer[4:20], request[4:20]) {
		return netip.AddrPort{}, errors.New("the answer is not to our question")
	}
	return xorMapped(answer[20:n])
}

const stunCookie = 0x2112A442

// isSTUN matches STUN messages: two zero bits and the cookie (RFC 5389 section 6).
func isSTUN(p packet) bool {
	return !p.tcp && len(p.payload) >= 20 && p.payload[0]>>6 == 0 &&
		binary.BigEndian.Uint32(p.payload[4:]) == stunCookie
}

// xorMapped finds the IPv4 XOR-MAPPED-ADDRESS (RFC 5389 section 15.2).
func xorMapped(attributes []byte) (netip.AddrPort, error) {
	for len(attributes) >= 4 {
		kind, size := binary.BigEndian.Uint16(attributes), int(binary.BigEndian.Uint16(attributes[2:]))
		if size+4 > len(attributes) {
			break
		}
		if kind == 0x0020 && size >= 8 {
			port := binary.BigEndian.Uint16(attributes[6:]) ^ stunCookie>>16
			var addr [4]byte
			binary.BigEndian.PutUint32(addr[:], binary.BigEndian.Uint32(attributes[8:])^stunCookie)
			return netip.AddrPortFrom(netip.AddrFrom4(addr), port), nil
		}
		attributes = attributes[min(len(attributes), 4+(size+3)&^3):]
	}
	return netip.AddrPort{}, fmt.Errorf("no XOR-MAPPED-ADDRESS in %d bytes of attributes", len(attributes))
}

func TestCoturnAlone(t *testing.T) {
	s := newStreet(t)
	server := s.host("stun", 7)
	startCoturn(server)
	client := s.host("client", 9)
	got, err := mapped(client, server.at(3478))
	if err != nil || got.Addr() != client.addr {
		t.Errorf("coturn sees the client at %v, %v; it is at %v", got, err, client.addr)
	}
}
