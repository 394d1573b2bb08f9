package sipua

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// errControl is a control message as the kernel gives it.
func errControl(level, kind int, number uint32) []byte {
	b := make([]byte, unix.CmsgSpace(16))
	length := uint64(unix.CmsgLen(16))
	if unix.SizeofCmsghdr == 12 { // 32 bits
		binary.NativeEndian.PutUint32(b, uint32(length))
	} else {
		binary.NativeEndian.PutUint64(b, length)
	}
	at := unix.SizeofCmsghdr - 8
	binary.NativeEndian.PutUint32(b[at:], uint32(level))
	binary.NativeEndian.PutUint32(b[at+4:], uint32(kind))
	binary.NativeEndian.PutUint32(b[unix.CmsgLen(0):], number)
	return b
}

func TestReadUndelivered(t *testing.T) {
	v4 := &unix.SockaddrInet4{Port: 5060, Addr: [4]byte{192, 0, 2, 7}}
	v6 := &unix.SockaddrInet6{Port: 5060, Addr: [16]byte{0x20, 1, 0xd, 0xb8, 15: 7}}
	for name, c := range map[string]struct {
		control []byte
		to      unix.Sockaddr
		want    string
	}{
		"nobody listens": {errControl(unix.IPPROTO_IP, unix.IP_RECVERR, uint32(unix.ECONNREFUSED)), v4, "192.0.2.7:5060"},
		"no way":         {errControl(unix.IPPROTO_IPV6, unix.IPV6_RECVERR, uint32(unix.EHOSTUNREACH)), v6, "[2001:db8::7]:5060"},
		"too large":      {errControl(unix.IPPROTO_IP, unix.IP_RECVERR, uint32(unix.EMSGSIZE)), v4, ""},
		"something else": {errControl(unix.IPPROTO_IP, unix.IP_TTL, uint32(unix.ECONNREFUSED)), v4, ""},
		"to nobody":      {errControl(unix.IPPROTO_IP, unix.IP_RECVERR, uint32(unix.ECONNREFUSED)), nil, ""},
		"cut off":        {errControl(unix.IPPROTO_IP, unix.IP_RECVERR, uint32(unix.ECONNREFUSED))[:20], v4, ""},
	} {
		got, ok := readUndelivered(c.control, c.to)
		if ok != (c.want != "") || ok && got.to.String() != c.want {
			t.Errorf("%s: %v %v, want %s", name, got, ok, c.want)
		}
	}
}
