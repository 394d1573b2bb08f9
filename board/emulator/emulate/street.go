package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"doorstation/board/emulator"
)

const (
	tap    = "tap0"
	bridge = "br0"
	proxy  = "10.0.0.5"
)

var (
	gateway      = netip.MustParseAddr("10.0.0.1")
	guestAddress = netip.MustParsePrefix("10.0.0.10/24")
)

// A street is the network around the board, and its registrar.
type street struct {
	dir      string
	password string // of every account; new each time
	kamailio *exec.Cmd
}

func newStreet(ctx context.Context) (*street, error) {
	dir, err := os.MkdirTemp("", "emulate-")
	if err != nil {
		return nil, err
	}
	s := &street{dir: dir, password: rand.Text()}
	for _, words := range []string{
		"link set lo up",
		"link add " + bridge + " type bridge",
		"addr add 10.0.0.1/24 dev " + bridge,
		"addr add " + proxy + "/24 dev " + bridge,
		"link set " + bridge + " up",
	} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(words)...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ip %s: %w: %s", words, err, out)
		}
	}
	if err := emulator.AddTap(ctx, "", tap, bridge); err != nil {
		return nil, err
	}
	return s, s.startKamailio()
}

func (s *street) close() {
	if s.kamailio != nil && s.kamailio.Process != nil {
		_ = s.kamailio.Process.Signal(syscall.SIGTERM)
		_ = s.kamailio.Wait()
	}
	os.RemoveAll(s.dir)
}

// startKamailio runs a registrar and proxy that knows "panel" and "phone".
func (s *street) startKamailio() error {
	modules, err := filepath.Glob("/usr/lib/*/kamailio/modules")
	if err != nil || len(modules) == 0 {
		return fmt.Errorf("kamailio is not installed: run scripts/setup board")
	}
	config := filepath.Join(s.dir, "kamailio.cfg")
	text := fmt.Sprintf(kamailioConfig, modules[0], proxy, s.password, s.password)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	s.kamailio = exec.Command("kamailio", "-DD", "-E", "-f", config, "-m", "64", "-M", "4", "-w", s.dir, "-Y", s.dir)
	s.kamailio.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	log, err := os.Create(filepath.Join(s.dir, "kamailio.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.kamailio.Stdout, s.kamailio.Stderr = log, log
	return s.kamailio.Start()
}

// panelConfig is the configuration of the panel in the guest.
func (s *street) panelConfig() string {
	return fmt.Sprintf(`revision: emulate
panel: {name: Gate}
network: {address: %s}
account: {user: panel, password: %s, domain: %s}
flats:
  - name: Flat
    button: button1
    stages:
      - {targets: ["sip:phone@%s"], for: 30s}
doors:
  - {name: front, relay: door1, pulse: 3s, codes: [{name: residents, digits: "2580"}]}
keypad: {end_key: "#"}
`, guestAddress.Addr(), s.password, proxy, proxy)
}

const kamailioConfig = `children=1
tcp_children=1
log_stderror=yes
dns=no
rev_dns=no
mpath="%[1]s/"
listen=udp:%[2]s:5060
loadmodule "kex.so"
loadmodule "corex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
loadmodule "htable.so"
modparam("htable", "htable", "users=>size=4;")
modparam("rr", "enable_full_lr", 1)
event_route[htable:mod-init] {
  $sht(users=>panel) = "%[3]s";
  $sht(users=>phone) = "%[4]s";
}
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("OPTIONS") && $rU == $null) { sl_send_reply("200", "OK"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404", "Not here"); exit;
  }
  t_check_trans();
  if (is_method("REGISTER")) {
    if ($au == $null || !pv_www_authenticate("$td", "$sht(users=>$au)", "0")) { www_challenge("$td", "1"); exit; }
    if ($au != $tU) { sl_send_reply("403", "Not your name"); exit; }
    save("location"); exit;
  }
  if (is_method("INVITE")) {
    if ($au == $null || !pv_proxy_authenticate("$fd", "$sht(users=>$au)", "0")) { proxy_challenge("$fd", "1"); exit; }
    consume_credentials();
    record_route();
  }
  if (!lookup("location")) { sl_send_reply("404", "Nobody there"); exit; }
  t_relay();
}
`
