package station

import (
	"time"

	"doorstation/callflow/sipua"
	"doorstation/provisioning"
)

// A callRule is what the SIP line has to know of calls.
type callRule struct {
	session    time.Duration
	grants     map[string]sipua.Grant // by caller
	transferTo []string
	checkSync  bool
}

func newCallRule(doc *provisioning.Document) callRule {
	r := callRule{
		session: time.Duration(doc.Call.SessionExpires), checkSync: doc.Inbound.CheckSync,
		transferTo: doc.Call.TransferTo, grants: make(map[string]sipua.Grant),
	}
	for _, c := range doc.Inbound.Allow {
		r.grants[c.URI] = sipua.Grant{Password: c.Password, Message: c.Message}
	}
	return r
}

// put sets the rule in the line's configuration.
func (r callRule) put(cfg *sipua.Config) {
	cfg.SessionExpires, cfg.Grants, cfg.TransferTo, cfg.CheckSync = r.session, r.grants, r.transferTo, r.checkSync
}
