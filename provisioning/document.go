package provisioning

import "time"

// A Duration is a time.Duration written as "30s", "2m" or "500ms".
type Duration time.Duration

// A Document is everything an operator provisions on one panel. Decode fills
// in the defaults, so that its users never see a zero that means "default".
//
// The comments behind the fields are the descriptions of the JSON Schema.
type Document struct {
	Revision string  `yaml:"revision"` // the operator's own name for this version; default: the first 8 hex digits of the document's SHA-256
	Panel    Panel   `yaml:"panel"`
	Network  Network `yaml:"network"`
	Account  Account `yaml:"account"`
	Standby  Account `yaml:"standby"`
	Flats    []Flat  `yaml:"flats"`
	Doors    []Door  `yaml:"doors"`
	Keypad   Keypad  `yaml:"keypad"`
	Call     Call    `yaml:"call"`
	Inbound  Inbound `yaml:"inbound"`
	Audio    Audio   `yaml:"audio"`
	Video    Video   `yaml:"video"`
	STUN     STUN    `yaml:"stun"`
	Web      Web     `yaml:"web"`
	Time     Time    `yaml:"time"`
}

// Panel names the panel for people.
type Panel struct {
	Name string `yaml:"name"` // name plate, and display name of its calls
}

// Network says where the panel listens and sends.
type Network struct {
	Address string `yaml:"address"`  // own IP address; default: the one that routes to the registrar
	SIPPort int    `yaml:"sip_port"` // default 5060; 0 takes a free one
	SIPTCP  bool   `yaml:"sip_tcp"`  // takes TCP connections for SIP on that port too, from the hosts that are heard over UDP; default false
	RTPMin  int    `yaml:"rtp_min"`  // first port for media, even; default 40000
	RTPMax  int    `yaml:"rtp_max"`  // last port for media, at least 3 above rtp_min; default 40199
}

// Account is a SIP line of the panel. The standby one, if there is one, is
// registered too and carries the calls while the other is not. Without any, all
// phones have to be rung by their IP address.
type Account struct {
	User      string   `yaml:"user"`      // the part before the @
	AuthUser  string   `yaml:"auth_user"` // name for digest authentication; default: user
	Password  string   `yaml:"password"`  // for digest authentication; empty: none is offered
	Domain    string   `yaml:"domain"`    // the part behind the @
	Registrar string   `yaml:"registrar"` // host or host:port; default: domain
	Proxy     string   `yaml:"proxy"`     // outbound proxy, host or host:port; where transport is not tls, a port here leaves sips: phones without a way; default: none
	Servers   []string `yaml:"servers"`   // further servers, host or host:port, tried in this order when the proxy or registrar fails; default: none
	Transport string   `yaml:"transport"` // default udp; auto: what the DNS says of the server (NAPTR)
	Expires   Duration `yaml:"expires"`   // how long a registration is asked to last; 60s to 24h, default 5m
	CAFile    string   `yaml:"ca_file"`   // for tls: PEM bundle on the panel; default: the system's
	CertFile  string   `yaml:"cert_file"` // for tls: client certificate, PEM, on the panel
	KeyFile   string   `yaml:"key_file"`  // for tls: key of the client certificate, PEM, on the panel
	Pin       string   `yaml:"pin"`       // for tls: base64 of the SHA-256 of the server's public key (SPKI), which is then demanded beside a good certificate; default: none
	Digest    string   `yaml:"digest"`    // the weakest algorithm with which the password is proven; default md5
	Keepalive Duration `yaml:"keepalive"` // asks so often whether the server lives; 1s to 10m or 0 for never; default 25s
	Spread    Duration `yaml:"spread"`    // after the panel was switched on, its first registration waits any time up to this; 0 to 5m, default 5s
	GRUU      bool     `yaml:"gruu"`      // calls name the panel as the registrar does, by its public GRUU (RFC 5627), not by its address; for servers that look such a name up inside calls too; default false
}

// Flat is one button and the phones that it rings.
type Flat struct {
	Name   string   `yaml:"name"`   // for people, each another
	Button string   `yaml:"button"` // the board's name of the input, each another
	Stages []Stage  `yaml:"stages"` // rung one after the other until somebody answers
	Direct []string `yaml:"direct"` // phones by their IP address (sip:user@192.0.2.7), rung without any server when none of the stages could be reached; default: none
	Doors  []string `yaml:"doors"`  // names of the doors its residents may open; default: all
}

// Stage is a set of phones that ring together.
type Stage struct {
	Targets []Target `yaml:"targets"` // phones: addresses alone, or settings
	For     Duration `yaml:"for"`     // then the next stage; 1s to 10m; default in the last stage: call.ring_for
}

// Target is one phone. Its address alone may stand for it.
type Target struct {
	URI       string   `yaml:"uri"`                 // sip:, sips: or tel: address
	After     Duration `yaml:"after,omitempty"`     // it rings so long after its stage began, or when the others have refused; 0 to 5m, default 0
	Transport string   `yaml:"transport,omitempty"` // for a phone that is rung without the registrar: udp, tcp or tls; default: as the address says
}

// Door is one relay with the codes that open it.
type Door struct {
	Name  string   `yaml:"name"`  // for people, each another
	Relay string   `yaml:"relay"` // the board's name of the relay, each another
	Pulse Duration `yaml:"pulse"` // how long the door stays open; 50ms to 1m and no longer than the board allows; default 3s, or less if the board allows less
	Codes []Code   `yaml:"codes"` // what opens it on the phone's keypad

	HeldAfter Duration `yaml:"held_after"` // a door with a contact that stands open for so long is told of; 5s to 24h or 0 for never; default 1m
}

// Code opens its door when typed on the phone that the panel talks to. Exactly
// one of Digits and Sealed is set: the operator writes digits, the panel keeps
// only what they are sealed to.
type Code struct {
	Name   string   `yaml:"name"`             // for the record of who opened, each another in its door
	Digits string   `yaml:"digits,omitempty"` // 1 to 16 of 0-9 and *, in quotes; none may begin another of the same door unless keypad.end_key is set
	Sealed string   `yaml:"sealed,omitempty"` // hex of the HMAC-SHA-256 under the panel's own key; written by the panel alone
	When   []Window `yaml:"when,omitempty"`   // when the code counts; default: always
}

// Window is a part of the week, in the panel's local time.
type Window struct {
	Days []string `yaml:"days"` // default: all
	From string   `yaml:"from"` // time of day such as "07:30"; default "00:00"
	To   string   `yaml:"to"`   // time of day such as "18:00", after from; default "24:00", the day's end
}

// Keypad says how digits become codes.
type Keypad struct {
	EndKey       string   `yaml:"end_key"`                // ends a code; default: none, and a code counts with its last digit
	Gap          Duration `yaml:"gap"`                    // longest pause inside a code; 500ms to 30s, default 4s
	TriesPerCall int      `yaml:"tries_per_call"`         // wrong codes that end a call; default 3
	TriesPerHour int      `yaml:"tries_per_hour"`         // wrong codes of one callee in an hour before it is blocked for a while; default 10
	LongestCode  int      `yaml:"longest_code,omitempty"` // digits of the longest code, filled in by Decode and kept with sealed codes
}

// Call holds the limits and rules of a call.
type Call struct {
	RingFor         Duration   `yaml:"ring_for"`           // longest ringing over all stages; 1s to 10m, default 1m
	TalkFor         Duration   `yaml:"talk_for"`           // longest conversation; 1s to 1h, default 3m
	WarnBefore      Duration   `yaml:"warn_before"`        // a tone warns so long before the end of talk_for; 1s to 1m or 0 for never; default 10s, or half of talk_for if that is shorter
	SecondPress     string     `yaml:"second_press"`       // the same button again while it rings: cancel (default) ends the call, keep changes nothing
	Refusal         string     `yaml:"refusal"`            // one phone refuses: next (default) lets the others ring on, stop ends all
	EarlyAudio      *bool      `yaml:"early_audio"`        // play what a phone sends before it answers; default true
	HangUpAfterOpen Duration   `yaml:"hang_up_after_open"` // 1s to 1m; default 0: never
	SessionExpires  Duration   `yaml:"session_expires"`    // a call that nobody confirms for so long is over (RFC 4028); 90s to 24h, default 30m
	Probe           Duration   `yaml:"probe"`              // ask so often, without ringing, whether the phones can be reached; 1m to 24h or 0 for never; default 0
	TransferTo      []string   `yaml:"transfer_to"`        // addresses to which a phone may pass the visitor on (REFER); default: none
	DialPlan        []DialRule `yaml:"dial_plan"`          // for tel: addresses; default: numbers as they are
	Still           bool       `yaml:"still"`              // tell phones in the INVITE where a picture of the visitor lies, for as long as they ring or talk; not those that have shown in calls to take video before the answer, or never to ask for it; needs web.listen and a camera of raw pictures; default false
	NoMediaFor      Duration   `yaml:"no_media_for"`       // nothing received for so long ends the call; 1s to 10m or 0 for never; default 30s
}

// DialRule turns telephone numbers into what the registrar dials. Of several
// that fit, the first counts; a number that none fits is dialled as it is.
type DialRule struct {
	Begins  string `yaml:"begins"`  // digits, or + and digits; empty: every number
	Becomes string `yaml:"becomes"` // stands in their place; may be empty
}

// Inbound says who may call the panel, and what for.
type Inbound struct {
	Allow     []Caller `yaml:"allow"`      // callers: addresses alone, or settings; default: none
	CheckSync bool     `yaml:"check_sync"` // the registrar may have the configuration fetched at once (NOTIFY check-sync, with the account's password); default false
}

// Caller is one who may call the panel. His address alone may stand for him.
type Caller struct {
	URI         string   `yaml:"uri"`                    // sip:, sips: or tel: address
	May         []string `yaml:"may"`                    // talk: both hear each other; listen: he hears the door, with a tone at the start and every minute; see: he gets the picture; default talk, see
	AnswerAfter bool     `yaml:"answer_after,omitempty"` // his call says when it is answered (Call-Info or Alert-Info), no sooner than after the tone; default false: after the tone
	Second      bool     `yaml:"second,omitempty"`       // he may call while the panel talks: he hears and sees nothing, but his codes open doors; default false
	Password    string   `yaml:"password,omitempty"`     // his calls have to know it (digest authentication); default: none is asked for
	Message     bool     `yaml:"message,omitempty"`      // his text messages stand on the panel's page; default false
}

// Audio says which codecs are offered, in order.
type Audio struct {
	Codecs []string `yaml:"codecs"` // default pcmu, pcma
}

// Video says what picture the phones get.
type Video struct {
	Enabled *bool `yaml:"enabled"` // default true
	Width   int   `yaml:"width"`   // pixels, even; default 640, or less if the board has less
	Height  int   `yaml:"height"`  // pixels, even; default 480, or less if the board has less
	FPS     int   `yaml:"fps"`     // frames a second; default 15, or less if the board has less
	Kbps    int   `yaml:"kbps"`    // kbit/s to one phone; default 512

	CameraPower string `yaml:"camera_power"` // when a camera with a switched supply has it: always (default), or in a call alone, which saves power and delays the first picture
}

// STUN says where the panel learns its public address.
type STUN struct {
	Server    string   `yaml:"server"`    // host or host:port; default: no STUN
	Keepalive Duration `yaml:"keepalive"` // 1s to 10m, default 15s
}

// Time says where the panel learns the time of day, beside the system's clock.
type Time struct {
	Servers []string `yaml:"servers"` // SNTP servers, host or host:port, asked in this order until one answers; default: none
}

// Web is the panel's own page.
type Web struct {
	Listen   string `yaml:"listen"`   // address:port, or :port for all addresses; default: off
	User     string `yaml:"user"`     // required with listen
	Password string `yaml:"password"` // at least 8 characters; required with listen
}
