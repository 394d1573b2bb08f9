package sipua

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// sipgo refuses UDP messages of more than UDPMTUSize-200 bytes, our own
// responses included. Ours may be as long as UDP allows, and are fragmented:
// phones that are called by their address often have no TCP to switch to.
const largestUDP = 65507 + 200

// setGlobals sets what sipgo has only once for all; we are its only user here.
var setGlobals = sync.OnceFunc(func() {
	sip.UDPMTUSize = largestUDP
	sip.SetDefaultLogger(quietLog)
})

// errParserPanic ends the parsing of one message.
var errParserPanic = errors.New("sip: header parser panicked")

// newTransports gives sipgo's transports. They call take on their readers'
// goroutines, for each message in the order of the wire.
func newTransports(take sip.MessageHandler) *sip.TransportLayer {
	setGlobals()
	tpl := sip.NewTransportLayer(offlineResolver(), sip.NewParser(sip.WithHeadersParsers(guardedParsers())), nil,
		sip.WithTransportLayerLogger(quietLog))
	tpl.OnMessage(take)
	return tpl
}

// offlineResolver never asks anybody: every destination is an address before it
// gets to the transports.
func offlineResolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, net.ErrClosed
	}}
}

// guardedParsers are sipgo's header parsers, each with a panic contained.
func guardedParsers() map[string]sip.HeaderParser {
	guarded := map[string]sip.HeaderParser{}
	for name, parse := range sip.DefaultHeadersParser() {
		guarded[name] = func(field []byte, text string) (h sip.Header, err error) {
			defer func() {
				if r := recover(); r != nil {
					h, err = nil, fmt.Errorf("%w: %v", errParserPanic, r)
				}
			}()
			return parse(field, text)
		}
	}
	return guarded
}

// serveUDP reads the socket until it is closed, also past a message that makes
// the parser panic.
func (u *UA) serveUDP() {
	for !u.readUntilClosed() {
	}
}

func (u *UA) readUntilClosed() (closed bool) {
	defer func() {
		if r := recover(); r != nil {
			u.log.Error("sip datagram dropped after a panic", "panic", r, "stack", string(debug.Stack()))
		}
	}()
	if err := u.tpl.ServeUDP(u.gate); err != nil {
		u.log.Error("sip reader ended", "err", err)
	}
	return true
}
