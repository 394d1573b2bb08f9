package sipua

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// askForErrors has the kernel keep, for each datagram that comes back as
// undeliverable, to whom it was sent (ip(7), IP_RECVERR): a socket that is not
// connected hears of nothing else. Sockets of tests are no system's sockets.
func askForErrors(conn net.PacketConn) error {
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return nil
	}
	raw, err := udp.SyscallConn()
	if err != nil {
		return err
	}
	v4 := addrPortOf(udp.LocalAddr()).Addr().Is4()
	if cerr := raw.Control(func(fd uintptr) {
		if v4 {
			err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVERR, 1)
			return
		}
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1)
	}); cerr != nil {
		return cerr
	}
	return os.NewSyscallError("setsockopt", err)
}

// An undelivered is the word of the network that a datagram did not arrive.
type undelivered struct {
	to    netip.AddrPort
	cause error
}

// undeliverables takes what the kernel has kept. It never waits.
func undeliverables(conn net.PacketConn) []undelivered {
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return nil
	}
	raw, err := udp.SyscallConn()
	if err != nil {
		return nil
	}
	var all []undelivered
	_ = raw.Control(func(fd uintptr) {
		var data [1]byte
		var control [512]byte
		for range maxUndelivered {
			_, n, _, from, err := unix.Recvmsg(int(fd), data[:], control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if u, ok := readUndelivered(control[:n], from); ok {
				all = append(all, u)
			}
		}
	})
	return all
}

// maxUndelivered is how many are taken at a time.
const maxUndelivered = 64

// readUndelivered reads a sock_extended_err (ip(7)): the error number comes
// first, then the origin; the name is where the datagram was to go.
func readUndelivered(control []byte, to unix.Sockaddr) (undelivered, bool) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return undelivered{}, false
	}
	for _, m := range messages {
		v4 := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		v6 := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if !v4 && !v6 || len(m.Data) < 8 {
			continue
		}
		number := syscall.Errno(binary.NativeEndian.Uint32(m.Data))
		if at := addrPortOfSockaddr(to); at.IsValid() && nobodyThere(number) {
			return undelivered{at, number}, true
		}
	}
	return undelivered{}, false
}

// nobodyThere reports whether an error says that nobody is there, rather than that a
// datagram was too large, say.
func nobodyThere(err error) bool {
	for _, e := range []error{unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.ENETUNREACH, unix.EHOSTDOWN, unix.ENONET} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func addrPortOfSockaddr(a unix.Sockaddr) netip.AddrPort {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return netip.AddrPort{}
}
