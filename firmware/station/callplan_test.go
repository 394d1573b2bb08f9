package station

import (
	"testing"
	"time"

	"doorstation/callflow"
	"doorstation/provisioning"
)

func TestTargets(t *testing.T) {
	plan := []provisioning.DialRule{{Begins: "+49", Becomes: "0"}, {Begins: "+", Becomes: "00"}, {Begins: "11"}}
	for _, c := range []struct {
		target provisioning.Target
		want   callflow.Target
	}{
		{provisioning.Target{URI: "sip:101@pbx"}, callflow.Target{URI: "sip:101@pbx"}},
		{provisioning.Target{URI: "sip:+49@pbx;user=phone"}, callflow.Target{URI: "sip:+49@pbx;user=phone"}},
		{provisioning.Target{URI: "tel:+49-(30)-1.2"}, callflow.Target{URI: "tel:03012"}},
		{provisioning.Target{URI: "TEL:+1-212-555", After: provisioning.Duration(time.Second)}, callflow.Target{URI: "tel:001212555", After: time.Second}},
		{provisioning.Target{URI: "tel:4711;phone-context=pbx"}, callflow.Target{URI: "tel:4711;phone-context=pbx"}},
		{provisioning.Target{URI: "tel:11"}, callflow.Target{URI: "tel:11"}},
		{provisioning.Target{URI: "tel:110"}, callflow.Target{URI: "tel:0"}},
		{provisioning.Target{URI: "sip:m@192.0.2.4", Transport: "tcp"}, callflow.Target{URI: "sip:m@192.0.2.4;transport=tcp"}},
		{provisioning.Target{URI: "sip:m@192.0.2.4;Transport=udp;x=y", Transport: "tls"}, callflow.Target{URI: "sip:m@192.0.2.4;x=y;transport=tls"}},
	} {
		if got := targets([]provisioning.Target{c.target}, plan)[0]; got != c.want {
			t.Errorf("%+v becomes %+v, want %+v", c.target, got, c.want)
		}
	}
}
