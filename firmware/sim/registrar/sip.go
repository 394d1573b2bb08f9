package registrar

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// defaultTime is granted when a REGISTER names none (RFC 3261 section 10.3).
const defaultTime = LongestTime

// Handler answers REGISTER requests of a sipgo server.
func (r *Registrar) Handler(log *slog.Logger) sipgo.RequestHandler {
	return func(req *sip.Request, tx sip.ServerTransaction) {
		asked := read(req)
		reply := r.Register(time.Now(), asked)
		log.Info("register", "user", asked.User, "contact", asked.Contact, "status", reply.Status)
		if err := tx.Respond(write(req, reply)); err != nil {
			log.Warn("register not answered", "err", err)
		}
	}
}

// read takes what matters from the message.
func read(req *sip.Request) Request {
	asked := Request{URI: req.Recipient.String(), Expires: defaultTime}
	if to := req.To(); to != nil {
		asked.User = to.Address.User
	}
	if h := req.GetHeader("Authorization"); h != nil {
		asked.Authorization = h.Value()
	}
	if h := req.GetHeader("Expires"); h != nil {
		asked.Expires = seconds(h.Value(), asked.Expires)
	}
	if contact := req.Contact(); contact != nil {
		asked.Contact = contact.Address.String()
		if v, ok := contact.Params.Get("expires"); ok {
			asked.Expires = seconds(v, asked.Expires)
		}
	}
	return asked
}

// seconds reads a number of seconds; what is no number gives other.
func seconds(s string, other time.Duration) time.Duration {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return other
	}
	return time.Duration(n) * time.Second
}

// write puts a reply into a response. The time granted stands in the Contact's
// expires parameter alone, as many real registrars have it.
func write(req *sip.Request, reply Reply) *sip.Response {
	res := sip.NewResponseFromRequest(req, reply.Status, reply.Reason, nil)
	if reply.Challenge != "" {
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", reply.Challenge))
	}
	if reply.MinTime > 0 {
		res.AppendHeader(sip.NewHeader("Min-Expires", strconv.Itoa(int(reply.MinTime.Seconds()))))
	}
	for _, b := range reply.Bindings {
		left := int(time.Until(b.Until).Round(time.Second).Seconds())
		res.AppendHeader(sip.NewHeader("Contact", "<"+b.Contact+">;expires="+strconv.Itoa(left)))
	}
	return res
}
