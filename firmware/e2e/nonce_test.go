package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/icholy/digest"
)

// countsNonces are the settings of a Kamailio that wants every nonce count to be
// higher than the one before.
var countsNonces = []string{`modparam("auth", "qop", "auth")`, `modparam("auth", "nonce_count", 1)`}

// Kamailio counts how often a nonce is used (RFC 7616 section 3.4), takes no
// count twice, and lets nonces grow old, with or without a word about that. Each
// refresh is one round trip with the next count, but for the one that meets a
// nonce too old.
func TestRefreshIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	for age, atOnce := range map[string]string{
		"401": "",
		"stale": `if (is_method("REGISTER") && $au != $null) {
			if (pv_www_authenticate("$td", "$sht(users=>$au)", "0")) save("location"); else www_challenge("$td", "17");
			exit;
		}`,
	} {
		t.Run(age, func(t *testing.T) {
			t.Parallel()
			s := newStreet(t)
			proxy := &kamailio{
				host: s.host("proxy", 5), users: map[string]string{"panel": panelPassword}, atOnce: atOnce,
				settings: append(slices.Clone(countsNonces), `modparam("auth", "nonce_expire", 4)`, `modparam("registrar", "max_expires", 2)`),
			}
			proxy.start()
			p := startPanel(s.host("panel", 10), config{targets: []string{"sip:anna@10.0.0.5"}, transport: "tcp"})
			// Asked, granted, some refreshes, asked anew for age, granted, a refresh.
			whole := regexp.MustCompile(`^- 401 1 200 2 200( \d+ 200)* \d+ ` + age + ` 1 200 2 200`)
			p.daemon.until("a nonce has grown old", func() error {
				if told := p.registrations(); !whole.MatchString(told) {
					return fmt.Errorf("registrations by their nonce counts: %s; want %v", told, whole)
				}
				return nil
			})
			t.Log(p.registrations())
		})
	}
}

// The first call is asked for the password, the next one brings it along with the
// next count.
func TestSecondCallIsNotAskedForThePassword(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	proxy := &kamailio{
		host: s.host("proxy", 5), users: map[string]string{"panel": panelPassword, "anna": "a-word"}, settings: countsNonces,
	}
	proxy.start()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: "10.0.0.5"})
	p := startPanel(s.host("panel", 10), config{targets: []string{"sip:anna@10.0.0.5"}, transport: "tcp"})
	for call, want := range []int{2, 3} {
		p.press()
		anna.event("CALL_INCOMING")
		anna.hangUp()
		anna.event("CALL_CLOSED")
		p.ended()
		await(t, "the phone's refusal has been seen on the wire", func() error {
			if n := len(p.wire.all(refusal)); n != call+1 {
				return fmt.Errorf("%d refusals", n)
			}
			return nil
		})
		if n := p.requests("INVITE", proxy.host); n != want {
			t.Errorf("%d INVITEs after call %d, want %d", n, call+1, want)
		}
	}
}

// refusal matches a final answer to our INVITE that asks for no password.
func refusal(k packet) bool {
	answer := sip(false, "SIP/2.0 ", "INVITE")
	return answer(k) && k.payload[len("SIP/2.0 ")] >= '4' && !sip(false, "SIP/2.0 407", "INVITE")(k)
}

// registrations tells the REGISTERs and their answers: "-" for one without
// credentials, else the nonce count, which has to be the next one of its nonce;
// and the status, or "stale" for a challenge that says so.
func (p *panel) registrations() string {
	p.t.Helper()
	var words []string
	counts := map[string]int{}
	for _, k := range p.wire.all(func(k packet) bool {
		return sip(true, "REGISTER ", "REGISTER")(k) || sip(false, "SIP/2.0 ", "REGISTER")(k)
	}) {
		if !k.sent {
			words = append(words, answerWord(k.payload))
			continue
		}
		field := headerOf(k.payload, "Authorization")
		if field == "" {
			words = append(words, "-")
			continue
		}
		cred, err := digest.ParseCredentials(field)
		if err != nil {
			p.t.Fatalf("Authorization: %s: %v", field, err)
		}
		counts[cred.Nonce]++
		if cred.Nc != counts[cred.Nonce] {
			p.t.Fatalf("nonce count %d, want %d, in %s", cred.Nc, counts[cred.Nonce], field)
		}
		words = append(words, strconv.Itoa(cred.Nc))
	}
	return strings.Join(words, " ")
}

func answerWord(response []byte) string {
	if strings.Contains(headerOf(response, "WWW-Authenticate"), "stale=true") {
		return "stale"
	}
	return strings.Fields(string(response))[1]
}
