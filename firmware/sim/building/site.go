package building

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"doorstation/board"
	"doorstation/board/compile"
)

// The names and figures of the simulated building.
const (
	PanelName = "Linden House"
	Realm     = "building"
	panelUser = "panel"
	mainDoor  = "Main door"
	sideDoor  = "Side door"
	RightCode = "2580" // opens the main door
	pulse     = "3s"   // of the main door's relay
	wrongCode = "1111"
)

// rtpPorts is how many ports the panel's media may use.
const rtpPorts = 200

// A flat is one flat with its phone.
type flat struct {
	Name     string // on the name plate
	User     string // of the phone
	Button   string // the board's name of the button
	SIP, API netip.AddrPort
}

// A site is one building: folders, addresses and secrets. All of it is new for
// every start.
type site struct {
	dir       string // 0700; everything below is ours
	run, data string
	boardFile string // JSON
	board     *board.Board
	flats     []flat
	config    netip.AddrPort
	page      netip.AddrPort
	rtpMin    int
	password  string // of the panel's SIP account
	fetchWord string // of the panel at the configuration server
}

// newSite makes the folders and files of a building from the board's YAML. page
// is the wanted address of the page; a busy port is replaced by a free one.
func newSite(boardYAML string, page netip.AddrPort) (*site, error) {
	dir, err := os.MkdirTemp("", "building-") // mode 0700
	if err != nil {
		return nil, err
	}
	s := &site{
		dir: dir, run: filepath.Join(dir, "run"), data: filepath.Join(dir, "data"),
		boardFile: filepath.Join(dir, "board.json"), page: page,
		password: rand.Text(), fetchWord: rand.Text(),
	}
	if err := s.fill(boardYAML); err != nil {
		_ = os.RemoveAll(dir) // the first error says more
		return nil, err
	}
	return s, nil
}

// fill makes everything below the folder.
func (s *site) fill(boardYAML string) error {
	raw, err := os.ReadFile(boardYAML)
	if err != nil {
		return err
	}
	compiled, err := compile.Compile(boardYAML, raw)
	if err != nil {
		return err
	}
	if s.board, err = board.Parse(compiled); err != nil {
		return fmt.Errorf("%s: %w", boardYAML, err)
	}
	if len(s.board.Inputs) < 2 || len(s.board.Relays) < 1 {
		return fmt.Errorf("%s: the building needs two buttons and a relay, and this board has %d and %d",
			boardYAML, len(s.board.Inputs), len(s.board.Relays))
	}
	if err := s.pickPorts(); err != nil {
		return err
	}
	return s.write(compiled)
}

// write makes the folders and files.
func (s *site) write(compiled []byte) error {
	for _, dir := range []string{s.run, s.data, s.configDir()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	mac, err := net.ParseMAC(s.board.Identity.MAC)
	if err != nil {
		return fmt.Errorf("the board's MAC address: %w", err)
	}
	for name, content := range map[string]string{
		s.boardFile:          string(compiled),
		s.accountsFile():     panelUser + ":" + s.password + "\n",
		s.fetchAccountFile(): panelUser + ":" + s.fetchWord + "\n",
		s.fetchWordFile():    s.fetchWord + "\n",
		filepath.Join(s.configDir(), strings.ReplaceAll(mac.String(), ":", "")+".yaml"): s.document(),
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) configDir() string        { return filepath.Join(s.dir, "config") }
func (s *site) accountsFile() string     { return filepath.Join(s.dir, "accounts") }
func (s *site) fetchAccountFile() string { return filepath.Join(s.dir, "fetch-account") }
func (s *site) fetchWordFile() string    { return filepath.Join(s.dir, "fetch-password") }

// remove takes everything away.
func (s *site) remove() error { return os.RemoveAll(s.dir) }

// document is what the operator of this building provisions. It holds the
// panel's password, and so is kept and served to the panel alone.
func (s *site) document() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("revision: simulated-building")
	line("panel: {name: %q}", PanelName)
	line("network: {address: %q, sip_port: 0, rtp_min: %d, rtp_max: %d}", s.page.Addr(), s.rtpMin, s.rtpMin+rtpPorts-1)
	line("account: {user: %q, password: %q, domain: %q, registrar: %q, expires: 1m}",
		panelUser, s.password, s.flats[0].SIP.Addr(), s.flats[0].SIP)
	line("flats:")
	for _, f := range s.flats {
		line("  - {name: %q, button: %q, stages: [{targets: [%q]}]}", f.Name, f.Button, "sip:"+f.User+"@"+f.SIP.String())
	}
	line("doors:")
	line("  - {name: %q, relay: %q, pulse: %s, codes: [{name: \"residents\", digits: %q}]}",
		mainDoor, s.board.Relays[0].Name, pulse, RightCode)
	if len(s.board.Relays) > 1 {
		line("  - {name: %q, relay: %q, pulse: %s, codes: [{name: \"bicycles\", digits: \"9631\"}]}", sideDoor, s.board.Relays[1].Name, pulse)
	}
	return b.String()
}
