package control

import (
	"context"
	"net/http"

	"doorstation/callflow/sipua/trace"
)

const pathMessages = "/v1/sip/messages"

// A Tracer is a Panel that remembers the SIP messages of late. Its method may be
// called from any goroutine.
type Tracer interface {
	// Messages gives them, the oldest first, without their secrets.
	Messages() []trace.Message
}

// traceRoutes adds that of the messages, where the panel remembers them.
func (s Server) traceRoutes(mux *http.ServeMux) {
	tracer, ok := s.Panel.(Tracer)
	if !ok {
		return
	}
	mux.HandleFunc("GET "+pathMessages, func(w http.ResponseWriter, r *http.Request) {
		s.Log.Info("local command", "command", "sip trace", "who", peerOf(r).String())
		s.reply(w, append([]trace.Message{}, tracer.Messages()...)) // in JSON a list, not null
	})
}

// Messages gives the SIP messages that the panel remembers, the oldest first.
func (c *Client) Messages(ctx context.Context) ([]trace.Message, error) {
	var all []trace.Message
	err := c.do(ctx, http.MethodGet, pathMessages, nil, &all)
	return all, err
}
