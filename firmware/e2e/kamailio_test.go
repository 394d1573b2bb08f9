package e2e

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var errNothing = errors.New("nothing so far")

// A kamailio is a registrar and proxy with digest, in its own domain: its
// address. It records routes, and forks to all bindings of a user.
type kamailio struct {
	*process
	host  *host
	users map[string]string
	pair  certificate // zero: no TLS
	knows string      // over TLS, the certificate that clients need; "": none

	settings []string // further modparams
	atOnce   string   // statements that meet each request outside of dialogs first; "": none
}

// startKamailio runs Kamailio on UDP and TCP 5060 for users with passwords.
func startKamailio(h *host, users map[string]string) *kamailio {
	h.t.Helper()
	k := &kamailio{host: h, users: users}
	k.start()
	return k
}

// startSecureKamailio is one that listens for TLS on 5061 too. Its certificate
// has its address, and the names.
func startSecureKamailio(h *host, users map[string]string, names ...string) *kamailio {
	h.t.Helper()
	k := &kamailio{host: h, users: users, pair: newCertificate(h.t, scratch(h.t, h.name), h.addr, names...)}
	k.start()
	return k
}

func (k *kamailio) start() {
	h := k.host
	h.t.Helper()
	dir := scratch(h.t, h.name)
	config := write(h.t, dir, "kamailio.cfg", k.config()...)
	k.process = h.start(h.name, "kamailio", "-DD", "-E", "-f", config, "-m", "64", "-M", "4",
		"-w", dir, "-Y", dir, "-P", dir+"/pid")
	k.until("kamailio answers OPTIONS", func() error { return answersOptions(h, h.at(5060)) })
}

func (k *kamailio) config() []string {
	modules := "kex corex tm tmx sl rr pv maxfwd usrloc registrar textops siputils auth htable"
	lines := []string{
		"children=1", "tcp_children=1", "log_stderror=yes", "debug=2", "dns=no", "rev_dns=no",
		fmt.Sprintf("mpath=%q", kamailioModules(k.host.t)),
		fmt.Sprintf("listen=udp:%s", k.host.at(5060)),
		fmt.Sprintf("listen=tcp:%s", k.host.at(5060)),
	}
	if k.pair.cert != "" {
		modules += " tls"
		lines = append(lines, "enable_tls=yes", fmt.Sprintf("listen=tls:%s", k.host.at(5061)))
	}
	for m := range strings.FieldsSeq(modules) {
		lines = append(lines, fmt.Sprintf(`loadmodule "%s.so"`, m))
	}
	if k.pair.cert != "" {
		lines = append(lines,
			`modparam("tls", "tls_method", "TLSv1.2+")`,
			fmt.Sprintf(`modparam("tls", "certificate", %q)`, k.pair.cert),
			fmt.Sprintf(`modparam("tls", "private_key", %q)`, k.pair.key))
	}
	if k.knows != "" {
		lines = append(lines, `modparam("tls", "verify_certificate", 1)`, `modparam("tls", "require_certificate", 1)`,
			fmt.Sprintf(`modparam("tls", "ca_list", %q)`, k.knows))
	}
	lines = append(lines,
		`modparam("htable", "htable", "users=>size=4;")`,
		`modparam("registrar", "max_expires", 3600)`,
		`modparam("registrar", "gruu_enabled", 1)`,
		`modparam("rr", "enable_full_lr", 1)`,
		"event_route[htable:mod-init] {")
	for user, password := range k.users {
		lines = append(lines, fmt.Sprintf(`  $sht(users=>%s) = "%s";`, user, password))
	}
	lines = append(append(lines, "}"), k.settings...)
	return append(lines, kamailioRoutes, "route[AT_ONCE] {", k.atOnce, "return;", "}")
}

// kamailioModules finds Debian's folder for this machine's architecture.
func kamailioModules(t testing.TB) string {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/*/kamailio/modules")
	if err != nil || len(found) == 0 {
		t.Fatal("kamailio has no modules here: run scripts/setup test")
	}
	return found[0] + "/"
}

const kamailioRoutes = `
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && $rU == $null) { sl_send_reply("200", "OK"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) {
      if (is_gruu() && !lookup("location")) { sl_send_reply("404", "Not here"); exit; }
      t_relay(); exit;
    }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not here"); exit;
  }
  t_check_trans();
  route(AT_ONCE);
  if (is_method("INVITE") && $rz == "sips" && !($ct =~ "sips:")) { sl_send_reply("400", "Contact is no SIPS URI"); exit; }
  if (is_method("REGISTER|INVITE")) {
    if (is_method("REGISTER")) {
      if ($au == $null || !pv_www_authenticate("$td", "$sht(users=>$au)", "0")) { www_challenge("$td", "1"); exit; }
    } else {
      if ($au == $null || !pv_proxy_authenticate("$fd", "$sht(users=>$au)", "0")) { proxy_challenge("$fd", "1"); exit; }
    }
    if ($au != $fU) { sl_send_reply("403", "Not your name"); exit; }
    consume_credentials();
  }
  if (is_method("REGISTER")) { save("location"); exit; }
  if (is_method("INVITE|SUBSCRIBE")) record_route();
  if (!lookup("location")) { sl_send_reply("404", "Nobody there"); exit; }
  t_relay();
}`

// answersOptions asks a SIP server whether it is there.
func answersOptions(from *host, server netip.AddrPort) error {
	conn := from.udp(0)
	defer conn.Close()
	local := conn.LocalAddr()
	message := fmt.Sprintf("OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nFrom: <sip:test@%s>;tag=1\r\nTo: <sip:%s>\r\nCall-ID: %d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n",
		server, local, time.Now().UnixNano(), local, server, time.Now().UnixNano())
	if _, err := conn.WriteToUDPAddrPort([]byte(message), server); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	answer := make([]byte, 2048)
	n, err := conn.Read(answer)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(answer[:n]), "SIP/2.0 200") {
		return fmt.Errorf("it answers %q", answer[:min(n, 40)])
	}
	return nil
}

func TestKamailioAlone(t *testing.T) {
	s := newStreet(t)
	startKamailio(s.host("proxy", 5), map[string]string{"panel": "secret"})
}
