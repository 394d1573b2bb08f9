package provisioning

import "time"

// A Duration is a time.Duration written as "30s", "2m" or "500ms".
type Duration time.Duration

// A Document is everything an operator provisions on one panel. Decode fills
// in the defaults, so that its users never see a zero that means "default".
type Document struct {
	Revision string  `yaml:"revision"` // the operator's own name for this version
	Panel    Panel   `yaml:"panel"`
	Network  Network `yaml:"network"`
	Account  Account `yaml:"account"`
	Flats    []Flat  `yaml:"flats"`
	Doors    []Door  `yaml:"doors"`
	Keypad   Keypad  `yaml:"keypad"`
	Call     Call    `yaml:"call"`
	Inbound  Inbound `yaml:"inbound"`
	Audio    Audio   `yaml:"audio"`
	Video    Video   `yaml:"video"`
	STUN     STUN    `yaml:"stun"`
	Web      Web     `yaml:"web"`
}

// Panel names the panel for people.
type Panel struct {
	Name string `yaml:"name"` // name plate, and display name of its calls
}

// Network says where the panel listens and sends.
type Network struct {
	Address string `yaml:"address"`  // own IP address; empty: the one that routes to the registrar
	SIPPort int    `yaml:"sip_port"` // 0 to 65535, default 5060; 0 takes a free one
	RTPMin  int    `yaml:"rtp_min"`  // default 40000, even
	RTPMax  int    `yaml:"rtp_max"`  // default 40199
}

// Account is the panel's one SIP line.
type Account struct {
	User      string   `yaml:"user"`
	AuthUser  string   `yaml:"auth_user"` // default: user
	Password  string   `yaml:"password"`
	Domain    string   `yaml:"domain"`
	Registrar string   `yaml:"registrar"` // host or host:port; default: domain
	Proxy     string   `yaml:"proxy"`     // outbound proxy, host or host:port; default: none
	Transport string   `yaml:"transport"` // udp (default), tcp or tls
	Expires   Duration `yaml:"expires"`   // default 5m, 60s to 24h
	CAFile    string   `yaml:"ca_file"`   // for tls: PEM bundle; default: the system's
	CertFile  string   `yaml:"cert_file"` // for tls: client certificate
	KeyFile   string   `yaml:"key_file"`
}

// Flat is one button and the phones that it rings.
type Flat struct {
	Name   string   `yaml:"name"`
	Button string   `yaml:"button"` // the board's name of the input
	Stages []Stage  `yaml:"stages"`
	Doors  []string `yaml:"doors"` // the doors its residents may open; default: all
}

// Stage is a set of phones that ring together.
type Stage struct {
	Targets []string `yaml:"targets"` // sip:, sips: or tel: URIs
	For     Duration `yaml:"for"`     // then the next stage
}

// Door is one relay with the codes that open it.
type Door struct {
	Name  string   `yaml:"name"`
	Relay string   `yaml:"relay"` // the board's name of the relay
	Pulse Duration `yaml:"pulse"` // default 3s; no longer than the board allows
	Codes []Code   `yaml:"codes"`
}

// Code opens its door when typed on the phone that the panel talks to. Exactly
// one of Digits and Sealed is set: the operator writes digits, the panel keeps
// only what they are sealed to.
type Code struct {
	Name   string   `yaml:"name"`
	Digits string   `yaml:"digits,omitempty"` // 1 to 16 of 0-9 and *
	Sealed string   `yaml:"sealed,omitempty"` // hex of the HMAC-SHA-256 under the panel's own key
	When   []Window `yaml:"when,omitempty"`   // default: always
}

// Window is a part of the week, in the panel's local time.
type Window struct {
	Days []string `yaml:"days"` // mon to sun; default: all
	From string   `yaml:"from"` // "07:30"
	To   string   `yaml:"to"`   // "18:00", after From; "24:00" is the day's end
}

// Keypad says how digits become codes.
type Keypad struct {
	EndKey       string   `yaml:"end_key"`                // "#", "*" or "" (default: none)
	Gap          Duration `yaml:"gap"`                    // longest pause inside a code, default 4s
	TriesPerCall int      `yaml:"tries_per_call"`         // default 3
	TriesPerHour int      `yaml:"tries_per_hour"`         // per callee, default 10
	LongestCode  int      `yaml:"longest_code,omitempty"` // kept with sealed codes; filled in by Decode
}

// Call holds the limits and rules of a call.
type Call struct {
	RingFor         Duration `yaml:"ring_for"`           // default 60s
	TalkFor         Duration `yaml:"talk_for"`           // default 3m
	WarnBefore      Duration `yaml:"warn_before"`        // default 10s
	SecondPress     string   `yaml:"second_press"`       // cancel (default) or keep
	Refusal         string   `yaml:"refusal"`            // next (default): the others ring on; stop: ends all
	EarlyAudio      *bool    `yaml:"early_audio"`        // play the phone's early audio; default true
	HangUpAfterOpen Duration `yaml:"hang_up_after_open"` // default 0: never
	NoMediaFor      Duration `yaml:"no_media_for"`       // ends the call; default 30s, 0 never
}

// Inbound says who may call the panel.
type Inbound struct {
	Allow []string `yaml:"allow"` // URIs of callers; default: none
}

// Audio says which codecs are offered, in order.
type Audio struct {
	Codecs []string `yaml:"codecs"` // pcmu, pcma; default both
}

// Video says what picture the phones get.
type Video struct {
	Enabled *bool `yaml:"enabled"` // default true
	Width   int   `yaml:"width"`   // pixels, default 640
	Height  int   `yaml:"height"`  // default 480
	FPS     int   `yaml:"fps"`     // default 15
	Kbps    int   `yaml:"kbps"`    // default 512
}

// STUN says where the panel learns its public address.
type STUN struct {
	Server    string   `yaml:"server"`    // host or host:port; empty: no STUN
	Keepalive Duration `yaml:"keepalive"` // default 15s
}

// Web is the panel's own page.
type Web struct {
	Listen   string `yaml:"listen"` // address:port; empty: off
	User     string `yaml:"user"`
	Password string `yaml:"password"`
}
