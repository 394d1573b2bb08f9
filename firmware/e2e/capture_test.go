package e2e

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A packet is one UDP datagram or TCP segment at the host's wire.
type packet struct {
	at       time.Time // the kernel's time of its arrival
	sent     bool      // by the host, not to it
	tcp      bool
	src, dst netip.AddrPort
	payload  []byte
}

// A capture is everything that a host sends and receives, as the street sees it.
type capture struct {
	t       testing.TB
	mu      sync.Mutex
	packets []packet
	raw     []rawFrame
	stopped atomic.Bool
}

type rawFrame struct {
	at   time.Time
	data []byte
}

// capture records from now to the end of the test. The frames stay as
// name.pcap when the test fails.
func (h *host) capture() *capture {
	h.t.Helper()
	c := &capture{t: h.t}
	path := filepath.Join(artefacts(h.t), h.name+".pcap")
	var fd int
	err := inside(h.street.name, func() (err error) {
		fd, err = openTap(h.port)
		return err
	})
	if err != nil {
		h.t.Fatalf("capture at %s: %v", h.name, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.read(fd)
	}()
	h.t.Cleanup(func() {
		c.stopped.Store(true)
		<-ended
		unix.Close(fd)
		c.writePcap(path)
	})
	return c
}

// openTap opens a packet socket on one interface, with the kernel's timestamps,
// that looks up ten times a second whether it is still wanted.
func openTap(name string) (int, error) {
	iface, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	protocol := binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, unix.ETH_P_ALL))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(protocol))
	if err != nil {
		return 0, err
	}
	for _, set := range []error{
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16<<20),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}),
	} {
		if set != nil && set != unix.EPERM { // a larger buffer is root's
			unix.Close(fd)
			return 0, set
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: iface.Index}); err != nil {
		unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

func (c *capture) read(fd int) {
	frame, control := make([]byte, 65536), make([]byte, 512)
	for !c.stopped.Load() {
		n, cn, _, from, err := unix.Recvmsg(fd, frame, control, 0)
		if err != nil {
			continue // EAGAIN and EINTR; the interface cannot go before the test does
		}
		at := stamp(control[:cn])
		link, _ := from.(*unix.SockaddrLinklayer)
		p, ok := dissect(frame[:n])
		c.mu.Lock()
		c.raw = append(c.raw, rawFrame{at, bytes.Clone(frame[:n])})
		if ok {
			p.at, p.sent = at, link != nil && link.Pkttype != unix.PACKET_OUTGOING
			c.packets = append(c.packets, p)
		}
		c.mu.Unlock()
	}
}

func stamp(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Now()
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		}
	}
	return time.Now()
}

// dissect finds the UDP or TCP payload of an unfragmented frame of IPv4 or,
// without extension headers, IPv6.
func dissect(frame []byte) (packet, bool) {
	if len(frame) < 34 {
		return packet{}, false
	}
	var (
		header      = frame[14:]
		size, total int
		protocol    byte
		src, dst    netip.Addr
	)
	switch kind := binary.BigEndian.Uint16(frame[12:]); {
	case kind == unix.ETH_P_IP:
		size, total, protocol = int(header[0]&15)*4, int(binary.BigEndian.Uint16(header[2:])), header[9]
		src, dst = netip.AddrFrom4([4]byte(header[12:])), netip.AddrFrom4([4]byte(header[16:]))
	case kind == unix.ETH_P_IPV6 && len(header) >= 40:
		size, total, protocol = 40, 40+int(binary.BigEndian.Uint16(header[4:])), header[6]
		src, dst = netip.AddrFrom16([16]byte(header[8:])), netip.AddrFrom16([16]byte(header[24:]))
	default:
		return packet{}, false
	}
	if total > len(header) || size+8 > total {
		return packet{}, false
	}
	body := header[size:total]
	offset, tcp := 8, false
	switch protocol {
	case unix.IPPROTO_UDP:
	case unix.IPPROTO_TCP:
		if len(body) < 20 {
			return packet{}, false
		}
		offset, tcp = int(body[12]>>4)*4, true
	default:
		return packet{}, false
	}
	if offset > len(body) {
		return packet{}, false
	}
	return packet{
		tcp:     tcp,
		src:     netip.AddrPortFrom(src, binary.BigEndian.Uint16(body)),
		dst:     netip.AddrPortFrom(dst, binary.BigEndian.Uint16(body[2:])),
		payload: bytes.Clone(body[offset:]),
	}, true
}

// all returns the packets so far that match.
func (c *capture) all(match func(packet) bool) []packet {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []packet
	for _, p := range c.packets {
		if match(p) {
			found = append(found, p)
		}
	}
	return found
}

// first waits for a packet that matches.
func (c *capture) first(what string, match func(packet) bool) packet {
	c.t.Helper()
	var found packet
	await(c.t, what, func() error {
		got := c.all(match)
		if len(got) == 0 {
			return errNothing
		}
		found = got[0]
		return nil
	})
	return found
}

// sip matches SIP messages whose start line begins with start ("INVITE ",
// "SIP/2.0 200") and whose CSeq names method; an empty method means any.
func sip(sent bool, start, method string) func(packet) bool {
	return func(p packet) bool {
		if p.sent != sent || !strings.HasPrefix(string(p.payload), start) {
			return false
		}
		return method == "" || strings.HasSuffix(headerOf(p.payload, "CSeq"), " "+method)
	}
}

// headerOf is the first value of a header field, long form, or "".
func headerOf(message []byte, name string) string {
	head, _, _ := strings.Cut(string(message), "\r\n\r\n")
	for line := range strings.SplitSeq(head, "\r\n") {
		key, value, found := strings.Cut(line, ":")
		if found && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// bodyOf is what follows the header of a SIP message.
func bodyOf(message []byte) string {
	_, body, _ := strings.Cut(string(message), "\r\n\r\n")
	return body
}

// rtp matches RTP version 2 to or from a port, without RTCP (RFC 5761 section 4).
func rtp(sent bool, peer netip.AddrPort) func(packet) bool {
	return func(p packet) bool {
		far := p.src
		if sent {
			far = p.dst
		}
		return p.sent == sent && !p.tcp && far == peer && len(p.payload) >= 12 &&
			p.payload[0]>>6 == 2 && !(p.payload[1] >= 192 && p.payload[1] <= 223)
	}
}

// writePcap writes the classic format with nanoseconds, link type Ethernet.
func (c *capture) writePcap(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	order := binary.LittleEndian
	out := slices.Grow([]byte(nil), 1<<20)
	for _, v := range []uint32{0xa1b23c4d, 2 | 4<<16, 0, 0, 65536, 1} {
		out = order.AppendUint32(out, v)
	}
	for _, f := range c.raw {
		for _, v := range []uint32{uint32(f.at.Unix()), uint32(f.at.Nanosecond()), uint32(len(f.data)), uint32(len(f.data))} {
			out = order.AppendUint32(out, v)
		}
		out = append(out, f.data...)
	}
	if err := os.WriteFile(path, out, 0o644); err != nil {
		c.t.Error(err)
	}
}
