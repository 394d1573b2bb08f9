package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// A street is one network: a bridge at 10.0.0.1/24 with hosts on it, each in a
// network namespace of its own.
type street struct {
	t    testing.TB
	name string // of the namespace that has the bridge
}

var streets atomic.Int32

func newStreet(t testing.TB) *street {
	t.Helper()
	s := &street{t: t, name: fmt.Sprintf("s%d", streets.Add(1))}
	s.do("netns add " + s.name)
	t.Cleanup(func() { s.do("netns del " + s.name) })
	s.in(s.name,
		"link set lo up",
		"link add br0 type bridge",
		"link set br0 addrgenmode none",
		"addr add 10.0.0.1/24 dev br0",
		"link set br0 up")
	return s
}

// A host is one machine of a street.
type host struct {
	t         testing.TB
	street    *street
	name      string // in the test's words
	namespace string
	port      string // its end at the bridge, an interface of the street
	addr      netip.Addr
	names     *nameServer // whom its programs ask; nil: nobody
}

// host adds a machine with the address 10.0.0.last.
func (s *street) host(name string, last byte) *host {
	s.t.Helper()
	h := &host{
		t: s.t, street: s, name: name,
		namespace: s.name + "-" + name,
		port:      fmt.Sprintf("port%d", last),
		addr:      netip.AddrFrom4([4]byte{10, 0, 0, last}),
	}
	s.do("netns add "+h.namespace,
		fmt.Sprintf("link add eth0 netns %s type veth peer name %s netns %s", h.namespace, h.port, s.name))
	s.t.Cleanup(func() { s.do("netns del " + h.namespace) })
	s.in(s.name, "link set "+h.port+" addrgenmode none master br0 up")
	s.in(h.namespace,
		"link set lo up",
		fmt.Sprintf("addr add %s/24 dev eth0", h.addr),
		"link set eth0 addrgenmode none up",
		"route add default via 10.0.0.1")
	return h
}

// host6 adds a machine with the address fd00::last, which is the one that tests
// and programs use; it has the IPv4 address of host too.
func (s *street) host6(name string, last byte) *host {
	s.t.Helper()
	h := s.host(name, last)
	h.addr = netip.AddrFrom16([16]byte{0: 0xfd, 15: last})
	s.in(h.namespace, fmt.Sprintf("addr add %s/64 dev eth0 nodad", h.addr))
	return h
}

// literal is the host's address as URIs have it: an IPv6 one in brackets (RFC
// 3986 section 3.2.2).
func (h *host) literal() string {
	if h.addr.Is6() {
		return "[" + h.addr.String() + "]"
	}
	return h.addr.String()
}

// unplug takes the host off the network; plug brings it back.
func (h *host) unplug() { h.street.in(h.street.name, "link set "+h.port+" down") }
func (h *host) plug()   { h.street.in(h.street.name, "link set "+h.port+" up") }

// at gives an address and port of the host.
func (h *host) at(port uint16) netip.AddrPort { return netip.AddrPortFrom(h.addr, port) }

func (s *street) do(commands ...string) {
	s.t.Helper()
	if err := ip(commands...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *street) in(namespace string, commands ...string) {
	s.t.Helper()
	if err := ipArgs([]string{"-n", namespace, "-batch", "-"}, commands); err != nil {
		s.t.Fatal(err)
	}
}

// ip runs commands of ip(8), all in one process.
func ip(commands ...string) error { return ipArgs([]string{"-batch", "-"}, commands) }

func ipArgs(args, commands []string) error {
	path, err := tool("ip")
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(commands, "; "), err, out)
	}
	return nil
}

// inside runs f on a thread in the network namespace. Sockets that f opens stay
// there.
func inside(namespace string, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		ns, err := os.Open("/run/netns/" + namespace)
		if err != nil {
			done <- err
			return
		}
		defer ns.Close()
		if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("enter network namespace %s: %w", namespace, err)
			return
		}
		done <- f()
	}()
	return <-done
}

// udp opens a socket on the host, for a peer that the test plays itself. Port 0
// takes a free one.
func (h *host) udp(port uint16) *net.UDPConn {
	h.t.Helper()
	var conn *net.UDPConn
	err := inside(h.namespace, func() (err error) {
		conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(h.at(port)))
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	return conn
}
