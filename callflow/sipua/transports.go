package sipua

import (
	"context"
	"errors"
	"fmt"
	"net"
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

// newTransports gives sipgo's transports, which know our sockets and write to
// them. They never read: that is for reader.go.
func newTransports() *sip.TransportLayer {
	setGlobals()
	return sip.NewTransportLayer(offlineResolver(), newParser(), nil, sip.WithTransportLayerLogger(quietLog))
}

func newParser() *sip.Parser { return sip.NewParser(sip.WithHeadersParsers(guardedParsers())) }

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
