package phone

import (
	"crypto/rand"
	"errors"
	"net/netip"

	"github.com/emiago/sipgo/sip"
)

// A dialog is the phone's side of one (RFC 3261 section 12.1.1).
type dialog struct {
	callID    string
	local     sip.FromHeader // with our tag
	remote    sip.ToHeader   // with the caller's tag
	remoteTag string
	target    sip.Uri // the panel's Contact
	routes    []string
	seq       uint32 // of our own requests
	contact   string
	at        netip.AddrPort // our socket
}

// newDialog begins the dialog of an INVITE. It writes our tag into the
// request's To, so that every response to it carries the same one.
func newDialog(req *sip.Request, user string, at netip.AddrPort) (dialog, error) {
	from, to, id, contact := req.From(), req.To(), req.CallID(), req.Contact()
	if from == nil || to == nil || id == nil || contact == nil {
		return dialog{}, errors.New("INVITE without From, To, Call-ID or Contact")
	}
	tag := rand.Text()
	to.Params.Add("tag", tag)
	d := dialog{
		callID:  id.Value(),
		local:   sip.FromHeader{Address: to.Address, Params: sip.HeaderParams{{K: "tag", V: tag}}},
		remote:  sip.ToHeader{DisplayName: from.DisplayName, Address: from.Address, Params: from.Params.Clone()},
		target:  contact.Address,
		contact: "<sip:" + user + "@" + at.String() + ">",
		at:      at,
	}
	d.remoteTag, _ = from.Params.Get("tag")
	for _, h := range req.GetHeaders("Record-Route") {
		d.routes = append(d.routes, h.Value())
	}
	return d, nil
}

// owns reports whether a request belongs to this dialog.
func (d *dialog) owns(req *sip.Request) bool {
	id, from, to := req.CallID(), req.From(), req.To()
	if id == nil || from == nil || to == nil {
		return false
	}
	tag, _ := d.local.Params.Get("tag")
	theirs, _ := from.Params.Get("tag")
	ours, _ := to.Params.Get("tag")
	return id.Value() == d.callID && theirs == d.remoteTag && ours == tag
}

// request builds the next request of ours (RFC 3261 section 12.2.1.1).
func (d *dialog) request(method sip.RequestMethod, body []byte) *sip.Request {
	d.seq++
	return d.build(method, d.seq, body)
}

// ack builds the ACK to a 2xx of our INVITE; it has that INVITE's number
// (RFC 3261 section 13.2.2.4).
func (d *dialog) ack(invite *sip.Request) *sip.Request {
	return d.build(sip.ACK, invite.CSeq().SeqNo, nil)
}

func (d *dialog) build(method sip.RequestMethod, seq uint32, body []byte) *sip.Request {
	req := sip.NewRequest(method, d.target)
	for _, r := range d.routes {
		req.AppendHeader(sip.NewHeader("Route", r))
	}
	from, to := d.local, d.remote
	from.Params, to.Params = from.Params.Clone(), to.Params.Clone()
	id, hops := sip.CallIDHeader(d.callID), sip.MaxForwardsHeader(70)
	req.AppendHeader(&from)
	req.AppendHeader(&to)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	req.AppendHeader(&hops)
	req.AppendHeader(sip.NewHeader("Contact", d.contact))
	if body != nil {
		req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	req.SetBody(body)
	req.Laddr = sip.Addr{IP: d.at.Addr().AsSlice(), Port: int(d.at.Port())}
	return req
}

// refresh takes a new remote target (RFC 3261 section 12.2.2).
func (d *dialog) refresh(contact *sip.ContactHeader) {
	if contact != nil {
		d.target = contact.Address
	}
}
