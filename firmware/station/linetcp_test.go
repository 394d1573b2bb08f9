package station

import (
	"log/slog"
	"testing"

	"doorstation/provisioning"
)

// The first account takes TCP connections where that is provisioned; the standby
// one, whose port nobody knows, never does.
func TestTCPIsTakenWhereProvisioned(t *testing.T) {
	for _, want := range []bool{false, true} {
		doc := &provisioning.Document{
			Network: provisioning.Network{Address: "127.0.0.1", SIPPort: 5060, SIPTCP: want},
			Account: provisioning.Account{User: "a", Domain: "pbx.example", Transport: "udp"},
			Standby: provisioning.Account{User: "b", Domain: "backup.example", Transport: "udp"},
		}
		l := newLine("test", slog.New(slog.DiscardHandler))
		rule := newLineRule(doc)
		first, err := l.config(rule)
		if err != nil {
			t.Fatal(err)
		}
		second, err := l.config(*rule.standby)
		if err != nil {
			t.Fatal(err)
		}
		if first.ListenTCP != want || second.ListenTCP {
			t.Errorf("provisioned %v: the first account takes it: %v, the standby one: %v", want, first.ListenTCP, second.ListenTCP)
		}
		doc.Network.SIPTCP = !want
		if rule.equals(newLineRule(doc)) {
			t.Error("a change of it asks for no new line")
		}
	}
}
