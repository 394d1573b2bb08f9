package sipua

import (
	"errors"
	"slices"

	"github.com/emiago/sipgo/sip"
)

// Probe asks by OPTIONS whether target could be rung now (RFC 3261 section 11);
// nothing rings. Probed follows.
func (u *UA) Probe(target string) { u.box.post(func() { u.sound(target) }) }

func (u *UA) sound(target string) {
	tell := func(status int, reason string) {
		u.on(Probed{Target: target, Status: status, Reason: reason, Reached: reaches(status)})
	}
	uri, err := u.targetURI(target)
	if u.stop {
		err = errStopping
	}
	if err != nil {
		tell(0, err.Error())
		return
	}
	u.way(uri, func(h hop, routes []sip.Uri, err error) {
		if err != nil {
			tell(0, err.Error())
			return
		}
		u.sources.hold(h.addr)
		u.ask(asking{req: u.options(uri, routes), hop: h, seq: func() uint32 { return 2 }, done: func(res *sip.Response, err error) {
			u.after(linger, func() { u.sources.release(h.addr) })
			switch {
			case errors.Is(err, errTimeout):
				tell(0, "nothing came back")
			case err != nil:
				tell(0, err.Error())
			default:
				tell(res.StatusCode, clean(res.Reason))
			}
		}})
	})
}

// options builds an OPTIONS outside of any dialog.
func (u *UA) options(uri sip.Uri, routes []sip.Uri) *sip.Request {
	req := sip.NewRequest(sip.OPTIONS, uri)
	for _, r := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: r})
	}
	u.fill(req, u.self(), party{uri: remoteParty(uri)}, freshKey(), "", 1)
	req.AppendHeader(sip.NewHeader("Accept", "application/sdp"))
	return req
}

// reaches says whether who answers an OPTIONS so would ring. What is busy, does
// not know the method, or wants a password for it is there; a server that knows
// nobody of this name, or no way to him, is not the phone.
func reaches(status int) bool {
	absent := []int{sip.StatusForbidden, sip.StatusNotFound, sip.StatusRequestTimeout, sip.StatusGone, 430, 480, 484, 604}
	return status >= 200 && status < 700 && !slices.Contains(absent, status) && (status/100 != 5 || status == 501)
}
