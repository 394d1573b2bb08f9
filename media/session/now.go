package session

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What happens fifty times a second and more goes past package net and os: the
// descriptors are non-blocking, so that the kernel answers at once, and the
// calls here are raw ones. An ordinary call tells Go's scheduler that it may
// wait, which wakes the runtime's monitor thread each time; that was a third of
// the processor time of a call. Waiting is left to the runtime's poller, as
// ever.

// A reader takes datagrams of one socket, for one goroutine.
type reader struct {
	raw  syscall.RawConn
	try  func(fd uintptr) bool
	buf  []byte
	n    int
	err  error
	from unix.RawSockaddrInet6 // large enough for either family
}

func newReader(conn *net.UDPConn) (*reader, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	r := &reader{raw: raw}
	r.try = r.receive
	return r, nil
}

// read waits for one datagram and puts it into buf. The error is net.ErrClosed
// once the socket has been closed; any other is that datagram's own.
func (r *reader) read(buf []byte) (int, netip.AddrPort, error) {
	r.buf = buf
	if err := r.raw.Read(r.try); err != nil {
		return 0, netip.AddrPort{}, err
	}
	if r.err != nil {
		return 0, netip.AddrPort{}, r.err
	}
	return r.n, r.source(), nil
}

// receive reports false while there is nothing.
func (r *reader) receive(fd uintptr) bool {
	size := uint32(unsafe.Sizeof(r.from))
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(r.buf))), uintptr(len(r.buf)), 0,
		uintptr(unsafe.Pointer(&r.from)), uintptr(unsafe.Pointer(&size)))
	if errno == unix.EAGAIN {
		return false
	}
	r.n, r.err = int(n), nil
	if errno != 0 {
		r.err = errno
	}
	return true
}

// source is where the last datagram came from.
func (r *reader) source() netip.AddrPort {
	if r.from.Family == unix.AF_INET {
		from := (*unix.RawSockaddrInet4)(unsafe.Pointer(&r.from))
		return netip.AddrPortFrom(netip.AddrFrom4(from.Addr), network(from.Port))
	}
	addr := netip.AddrFrom16(r.from.Addr)
	if r.from.Scope_id != 0 {
		addr = addr.WithZone(strconv.Itoa(int(r.from.Scope_id)))
	}
	return netip.AddrPortFrom(addr, network(r.from.Port))
}

// A writer sends datagrams on one socket; one goroutine at a time uses it.
type writer struct {
	conn *net.UDPConn
	raw  syscall.RawConn
	try  func(fd uintptr) bool
	msg  []byte
	err  error
	to   unix.RawSockaddrInet4
}

func newWriter(conn *net.UDPConn) (*writer, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	w := &writer{conn: conn, raw: raw}
	w.try = w.send
	return w, nil
}

// write sends one datagram. It waits while the socket's queue is full.
func (w *writer) write(msg []byte, to netip.AddrPort) error {
	if !to.Addr().Is4() { // the zone of an IPv6 address is package net's to know
		_, err := w.conn.WriteToUDPAddrPort(msg, to)
		return err
	}
	w.msg = msg
	w.to = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: network(to.Port()), Addr: to.Addr().As4()}
	if err := w.raw.Write(w.try); err != nil {
		return err
	}
	return w.err
}

// send reports false while there is no room.
func (w *writer) send(fd uintptr) bool {
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, fd,
		uintptr(unsafe.Pointer(unsafe.SliceData(w.msg))), uintptr(len(w.msg)), 0,
		uintptr(unsafe.Pointer(&w.to)), unsafe.Sizeof(w.to))
	if errno == unix.EAGAIN {
		return false
	}
	w.err = nil
	if errno != 0 {
		w.err = errno
	}
	return true
}

// network turns a port from or into the order of the network.
func network(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}
