package station

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/keypad"
	"doorstation/callflow/sipua"
	"doorstation/drivers"
	"doorstation/media/sdp"
	"doorstation/provisioning"
)

// A setup is one configuration in the words of the parts that obey it. It is
// made once for each snapshot and never changes; a call keeps the one it began
// with.
type setup struct {
	doc    *provisioning.Document
	name   string
	plans  map[string]callflow.Plan // by button
	guest  callflow.Plan            // of a caller that is let in
	guests map[string]guestRule     // by URI
	doors  map[string]doorRule      // by name
	pad    keypad.Rules
	line   lineRule
	media  mediaRule
	video  drivers.VideoFormat

	cameraAlways bool // the camera has power outside of calls too

	warnings []string // what an installer should know
}

// doorRule is how one door opens.
type doorRule struct {
	relay     string
	pulse     time.Duration
	heldAfter time.Duration // the door may stand open for so long; 0: for ever
}

// lineRule is the SIP line; two equal ones need no new one.
type lineRule struct {
	account   sipua.Account // without TLS, which comes from the files
	ca        string
	cert      string
	key       string
	pin       string
	address   string
	port      int
	listenTCP bool
	allow     string // joined with spaces, so that rules compare
	stun      string
	stunTime  time.Duration
	calls     callRule
	direct    string    // addresses of phones that are rung without a server, joined as allow is
	standby   *lineRule // of the standby account; nil: there is none
}

// equals reports whether two rules want the same line.
func (r lineRule) equals(other lineRule) bool { return reflect.DeepEqual(r, other) }

// mediaRule is what every leg of a call needs.
type mediaRule struct {
	portMin, portMax int
	codecs           []sdp.Codec
	video            bool
	kbps             int
	noMediaFor       time.Duration
	stun             string
	keepalive        time.Duration
}

// newSetup translates a document for a panel whose codes are sealed under key.
func newSetup(doc *provisioning.Document, key []byte) (*setup, error) {
	s := &setup{doc: doc, name: doc.Panel.Name, plans: make(map[string]callflow.Plan), doors: make(map[string]doorRule)}
	var all []string
	for _, d := range doc.Doors {
		s.doors[d.Name] = doorRule{relay: d.Relay, pulse: time.Duration(d.Pulse), heldAfter: time.Duration(d.HeldAfter)}
		all = append(all, d.Name)
	}
	for _, f := range doc.Flats {
		plan := callPlan(doc, f.Doors, all)
		plan.Flat = f.Name
		for _, st := range f.Stages {
			plan.Stages = append(plan.Stages, callflow.Stage{Targets: targets(st.Targets, doc.Call.DialPlan), For: time.Duration(st.For)})
		}
		plan.Stages = append(plan.Stages, lastResort(f)...)
		s.plans[f.Button] = plan
	}
	s.guest, s.guests = callPlan(doc, nil, all), guestRules(doc)
	s.line = newLineRule(doc)
	s.media = newMediaRule(doc)
	s.cameraAlways = doc.Video.CameraPower == "always"
	s.video = drivers.VideoFormat{Width: doc.Video.Width, Height: doc.Video.Height, FPS: doc.Video.FPS, Bitrate: 1000 * doc.Video.Kbps}
	if host, _, _ := net.SplitHostPort(doc.Web.Listen); doc.Web.Listen != "" && !isLoopback(host) {
		s.warnings = append(s.warnings, "web.listen is "+doc.Web.Listen+": the page is plain HTTP, and its password can be read on the way")
	}
	if w := stillWarning(doc); w != "" {
		s.warnings = append(s.warnings, w)
	}
	var err error
	s.pad, err = padRules(doc, key)
	return s, err
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func callPlan(doc *provisioning.Document, doors, all []string) callflow.Plan {
	if len(doors) == 0 {
		doors = all
	}
	c := doc.Call
	return callflow.Plan{
		RingFor:          time.Duration(c.RingFor),
		TalkFor:          time.Duration(c.TalkFor),
		WarnBefore:       time.Duration(c.WarnBefore),
		EarlyAudio:       c.EarlyAudio == nil || *c.EarlyAudio,
		SecondPressKeeps: c.SecondPress == "keep",
		RefusalEnds:      c.Refusal == "stop",
		HangUpAfterOpen:  time.Duration(c.HangUpAfterOpen),
		Doors:            doors,
	}
}

func newMediaRule(doc *provisioning.Document) mediaRule {
	m := mediaRule{
		portMin: doc.Network.RTPMin, portMax: doc.Network.RTPMax,
		video: doc.Video.Enabled == nil || *doc.Video.Enabled, kbps: doc.Video.Kbps,
		noMediaFor: time.Duration(doc.Call.NoMediaFor),
		stun:       doc.STUN.Server, keepalive: time.Duration(doc.STUN.Keepalive),
	}
	for _, name := range doc.Audio.Codecs {
		switch name {
		case "pcmu":
			m.codecs = append(m.codecs, sdp.PCMU)
		case "pcma":
			m.codecs = append(m.codecs, sdp.PCMA)
		}
	}
	return m
}

func padRules(doc *provisioning.Document, key []byte) (keypad.Rules, error) {
	k := doc.Keypad
	rules := keypad.Rules{
		Key: key, Gap: time.Duration(k.Gap), Longest: k.LongestCode,
		TriesPerCall: k.TriesPerCall, TriesPerHour: k.TriesPerHour,
	}
	if k.EndKey != "" {
		rules.EndKey = k.EndKey[0]
	}
	for _, d := range doc.Doors {
		for _, c := range d.Codes {
			code := keypad.Code{Door: d.Name, Name: c.Name}
			if n, err := hex.Decode(code.MAC[:], []byte(c.Sealed)); err != nil || n != len(code.MAC) {
				return rules, fmt.Errorf("code %q of door %q is not sealed by this panel", c.Name, d.Name)
			}
			for _, w := range c.When {
				window, err := keypad.ParseWindow(w.Days, w.From, w.To)
				if err != nil {
					return rules, fmt.Errorf("code %q of door %q: %w", c.Name, d.Name, err)
				}
				code.When = append(code.When, window)
			}
			rules.Codes = append(rules.Codes, code)
		}
	}
	return rules, nil
}

// hostPort adds a default port to host or host:port.
func hostPort(s string, port int) string {
	if _, _, err := net.SplitHostPort(s); err == nil {
		return s
	}
	return net.JoinHostPort(strings.Trim(s, "[]"), strconv.Itoa(port))
}

// isOurs reports whether one of this machine's interfaces has the address. Where
// that cannot be known, it has.
func isOurs(addr netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	if err != nil || addr.IsLoopback() || addr.IsUnspecified() { // all of 127.0.0.0/8 is ours
		return true
	}
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == addr.WithZone("") {
			return true
		}
	}
	return false
}

// resolve looks a host or host:port up.
func resolve(s string, port int) (netip.AddrPort, error) {
	addr, err := net.ResolveUDPAddr("udp", hostPort(s, port))
	if err != nil {
		return netip.AddrPort{}, err
	}
	ap := addr.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}
