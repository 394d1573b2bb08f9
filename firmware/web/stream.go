package web

import (
	"context"
	"net/http"
	"time"

	"doorstation/firmware/control"
)

// sessionCheck is how often a stream looks whether its session still lives.
const sessionCheck = 30 * time.Second

// stream sends the status until the request or the session ends.
func (h *handler) stream(w http.ResponseWriter, r *http.Request, one *session) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go h.watchSession(ctx, cancel, token(r), one)
	// The server's limit is one for requests, and this one goes on.
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
		h.log.Debug("page stream keeps its read limit", "err", err)
	}
	control.StreamStatus(w, r.WithContext(ctx), h.panel)
}

// watchSession cancels a stream whose session has ended or run out.
func (h *handler) watchSession(ctx context.Context, cancel func(), token string, one *session) {
	check := time.NewTicker(sessionCheck)
	defer check.Stop()
	for {
		select {
		case <-one.ended:
			cancel()
			return
		case <-ctx.Done():
			return
		case now := <-check.C:
			h.sessions.find(token, now, false) // ends those whose time is up
		}
	}
}
