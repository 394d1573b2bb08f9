package station

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// largestNews is the room for a message about an interface, in bytes, as netlink(7)
// advises. It lies on the stack of a goroutine that lives as long as the panel.
const largestNews = 8 << 10

// watchCables calls back, until ctx ends, when a network interface gets its
// carrier: a cable was put in, or the switch at its other end has started. What
// was true of the network before may not be true any more.
func watchCables(ctx context.Context, back func()) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("news of the network interfaces: %w", err)
	}
	file := os.NewFile(uintptr(fd), "netlink")
	defer file.Close()
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK}); err != nil {
		return fmt.Errorf("news of the network interfaces: %w", err)
	}
	defer context.AfterFunc(ctx, func() { file.Close() })()
	news := make([]byte, largestNews)
	lost := make(cables)
	for {
		n, err := file.Read(news)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("news of the network interfaces: %w", err)
		}
		if lost.read(news[:n]) {
			back()
		}
	}
}

// cables are the interfaces that have lost their carrier, by index.
type cables map[int32]bool

// read takes the messages of one datagram (rtnetlink(7)) and reports whether an
// interface has got its carrier back.
func (c cables) read(news []byte) (back bool) {
	for len(news) >= unix.SizeofNlMsghdr {
		size := int(binary.NativeEndian.Uint32(news))
		if size < unix.SizeofNlMsghdr || size > len(news) {
			return back
		}
		kind, body := binary.NativeEndian.Uint16(news[4:]), news[unix.SizeofNlMsghdr:size]
		if kind == unix.RTM_NEWLINK && len(body) >= unix.SizeofIfInfomsg {
			index, flags := int32(binary.NativeEndian.Uint32(body[4:])), binary.NativeEndian.Uint32(body[8:])
			carrier := flags&unix.IFF_LOWER_UP != 0
			back = back || carrier && c[index]
			c[index] = !carrier
		}
		news = news[min(len(news), (size+3)&^3):]
	}
	return back
}
