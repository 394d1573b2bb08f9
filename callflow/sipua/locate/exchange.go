package locate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// queryWithin bounds one question to one name server, whatever the machine's
// own settings say: a visitor may be waiting.
const queryWithin = 2 * time.Second

// nameServers are the addresses that a resolv.conf names, in their order.
func nameServers(path string) ([]string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("no name servers: %w", err)
	}
	var servers []string
	for line := range strings.Lines(string(raw)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" {
			continue
		}
		if _, err := netip.ParseAddr(words[1]); err == nil {
			servers = append(servers, words[1])
		}
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("%s names no name server", path)
	}
	return servers, nil
}

// ask puts one question, over TCP again when the answer does not fit.
func ask(ctx context.Context, server string, asked dnsmessage.Question) (reply, error) {
	r, err := exchange(ctx, "udp", server, asked)
	if err == nil && r.truncated {
		r, err = exchange(ctx, "tcp", server, asked)
	}
	if err != nil {
		return reply{}, fmt.Errorf("name server %s: %w", server, err)
	}
	return r, nil
}

// exchange sends a query and waits for its reply.
func exchange(ctx context.Context, network, server string, asked dnsmessage.Question) (reply, error) {
	id := uint16(rand.Uint32())
	query, err := packQuery(id, asked)
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, queryWithin)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, server)
	if err != nil {
		return reply{}, err
	}
	defer conn.Close()
	// The end of ctx ends what waits: a time that has passed.
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if network == "tcp" {
		return overTCP(conn, query, id, asked)
	}
	return overUDP(conn, query, id, asked)
}

// overUDP waits for the datagram that is the reply. Any other may be a late or
// a forged one, and is passed over (RFC 5452 section 9.1).
func overUDP(conn net.Conn, query []byte, id uint16, asked dnsmessage.Question) (reply, error) {
	if _, err := conn.Write(query); err != nil {
		return reply{}, err
	}
	buf := make([]byte, largestAnswer)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return reply{}, err
		}
		if r, err := parseReply(buf[:n], id, asked); !errors.Is(err, errForeign) {
			return r, err
		}
	}
}

// overTCP does the same with the length before each message (RFC 1035 section
// 4.2.2).
func overTCP(conn net.Conn, query []byte, id uint16, asked dnsmessage.Question) (reply, error) {
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return reply{}, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return reply{}, err
	}
	raw := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, raw); err != nil {
		return reply{}, err
	}
	return parseReply(raw, id, asked)
}
