package sipua

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emiago/sipgo/sip"
)

const (
	messageMost    = 1000        // characters of a text message that are told
	checkSyncEvery = time.Minute // more often nobody can make us fetch
)

// messaged takes a MESSAGE (RFC 3428) of a caller who may write.
func (u *UA) messaged(t *serverTx) {
	from := u.caller(t)
	switch {
	case from == nil || !from.Message:
		t.respond(sip.StatusForbidden)
	case from.Password != "" && !u.authentic(t, u.secretOf(from)):
	case !isType(t.req, "text/plain") || !utf8.Valid(t.req.Body()):
		t.respond(sip.StatusUnsupportedMediaType, sip.NewHeader("Accept", "text/plain"))
	case t.begin(maxServers):
		t.respond(sip.StatusOK)
		u.on(Message{Caller: from.name, Text: readable(string(t.req.Body()))})
	}
}

// takesMessages reports whether anybody may write.
func (u *UA) takesMessages() bool {
	return slices.ContainsFunc(u.allow, func(a allowed) bool { return a.Message })
}

// readable keeps what can be shown of a text: letters, signs and single line
// breaks, messageMost of them.
func readable(text string) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) {
		if r != '\n' && !unicode.IsPrint(r) {
			continue
		}
		if n++; n > messageMost {
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// notified takes a NOTIFY that belongs to no subscription: check-sync of our own
// server, which knows the account's password, and no other.
func (u *UA) notified(t *serverTx) {
	a := u.cfg.Account
	event := ""
	if h := t.req.GetHeader("event"); h != nil {
		event, _, _ = strings.Cut(h.Value(), ";")
	}
	switch {
	case !u.cfg.CheckSync || !u.fromServer(t.from):
		t.respond(sip.StatusCallTransactionDoesNotExists)
	case !strings.EqualFold(strings.TrimSpace(event), "check-sync"):
		t.respond(489) // Bad Event (RFC 6665 section 8.3.2)
	case !u.authentic(t, secret{u.realm(), a.AuthUser, a.Password}):
	case time.Since(u.synced) < checkSyncEvery && !u.synced.IsZero():
		t.respond(sip.StatusServiceUnavailable, retryIn(checkSyncEvery-time.Since(u.synced)))
	case t.begin(maxServers):
		u.synced = time.Now()
		t.respond(sip.StatusOK)
		u.on(CheckSync{})
	}
}

// secretOf is the password of a caller who has one.
func (u *UA) secretOf(a *allowed) secret { return secret{u.realm(), a.user, a.Password} }
