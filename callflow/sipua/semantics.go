package sipua

import (
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// registeredMethods are the methods of others' specifications that we know of
// and do not take: 405 is for them, 501 for what nobody knows (RFC 3261 sections
// 8.2.1, 21.5.2).
var registeredMethods = []sip.RequestMethod{
	sip.INVITE, sip.ACK, sip.CANCEL, sip.BYE, sip.OPTIONS, sip.INFO, sip.UPDATE, sip.PRACK,
	sip.REGISTER, sip.SUBSCRIBE, sip.NOTIFY, sip.PUBLISH, sip.MESSAGE, sip.REFER,
}

// refusalOf is the status for a method that is not ours.
func refusalOf(method sip.RequestMethod) int {
	if slices.Contains(registeredMethods, method) {
		return sip.StatusMethodNotAllowed
	}
	return sip.StatusNotImplemented
}

// serverKey names the transaction that a request belongs to (RFC 3261 section
// 17.2.3): by its branch and who made it, or, from before RFC 3261, by what
// stays the same in its repetitions. An ACK and a CANCEL are looked up as INVITE.
func serverKey(req *sip.Request, as sip.RequestMethod) string {
	via := req.Via()
	if as == sip.ACK {
		as = sip.INVITE
	}
	parts := []string{strings.ToLower(via.Host), strconv.Itoa(via.Port), string(as)}
	if branch, _ := via.Params.Get("branch"); strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie) {
		parts = append(parts, branch)
	} else {
		parts = append(parts, branch, req.CallID().Value(), tagOf(req.From().Params), strconv.Itoa(int(req.CSeq().SeqNo)))
	}
	return strings.Join(parts, " ")
}

// acceptsSDP reports whether an INVITE allows a session description in our
// answer (RFC 3261 section 20.1): it names none of the types it takes, or this.
func acceptsSDP(req *sip.Request) bool {
	all := req.GetHeaders("accept")
	if len(all) == 0 {
		return true
	}
	for _, h := range all {
		for one := range strings.SplitSeq(h.Value(), ",") {
			kind, _, _ := strings.Cut(one, ";")
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "application/sdp", "application/*", "*/*":
				return true
			}
		}
	}
	return false
}
