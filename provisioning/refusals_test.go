package provisioning

import (
	"errors"
	"strings"
	"testing"
)

// badEdits are documents that differ from the example by one fault. Each
// message must name the field and say what would be right.
var badEdits = map[string]struct {
	change
	field  string
	says   string
	schema bool // the JSON Schema refuses it too
}{
	"unknown key":           {change{"  rtp_max: 40199", "  rtp_max: 40199\n  rtp_mux: 7"}, "network.rtp_mux", "known here: address, sip_port, sip_tcp, rtp_min, rtp_max", true},
	"unknown key at top":    {change{"", "dooors: []"}, "dooors", "unknown key; known here: revision", true},
	"merge key":             {change{"  rtp_max: 40199", "  <<: {a: b}"}, "network.<<", "unknown key", true},
	"repeated key":          {change{"  rtp_max: 40199", "  rtp_max: 40199\n  rtp_max: 40201"}, "network.rtp_max", "on line 15 already", false},
	"no value":              {change{`end_key: "" `, "end_key: # "}, "keypad.end_key", "has no value", true},
	"tag":                   {change{"gap: 4s ", "gap: !!str 4s "}, "keypad.gap", "tags", false},
	"text for a list":       {change{"codecs: [pcmu, pcma]", "codecs: pcmu"}, "audio.codecs", "must be a list, not a text", true},
	"list for a text":       {change{"name: Lindenstraße 12", "name: [Linden]"}, "panel.name", "must be a text, not a list", true},
	"text for settings":     {change{"network:", "network: here\nnetwork_:"}, "network", "must be settings (key: value), not a text", true},
	"text for a number":     {change{"sip_port: 5060 ", "sip_port: sixty "}, "network.sip_port", "whole number", true},
	"quoted number":         {change{"sip_port: 5060 ", "sip_port: '5060' "}, "network.sip_port", "without quotes", true},
	"octal number":          {change{"sip_port: 5060 ", "sip_port: 05060 "}, "network.sip_port", "leading zeros", false},
	"huge number":           {change{"sip_port: 5060 ", "sip_port: 99999999999999999999 "}, "network.sip_port", "whole number", true},
	"word for true":         {change{"early_audio: true", "early_audio: yes"}, "call.early_audio", "true or false", true},
	"number for a duration": {change{"gap: 4s ", "gap: 4 "}, "keypad.gap", "with its unit", true},
	"bad duration":          {change{"gap: 4s ", "gap: 4 sec "}, "keypad.gap", "with its unit", true},
	"negative duration":     {change{"gap: 4s ", "gap: -4s "}, "keypad.gap", "negative", true},
	"list for a duration":   {change{"gap: 4s ", "gap: [4s] "}, "keypad.gap", "duration such as", true},
	"line break in a text":  {change{"name: Lindenstraße 12", `name: "a\nb"`}, "panel.name", "line breaks", false},
	"text too long":         {change{"name: Lindenstraße 12", "name: " + strings.Repeat("a", 256)}, "panel.name", "at most 255", true},

	"digest":                  {change{"digest: md5 ", "digest: sha1 "}, "account.digest", `must be "md5", "sha-256" or "sha-512-256"`, true},
	"pin":                     {change{"digest: md5 ", "pin: abc\n  digest: md5 "}, "account.pin", "32 bytes", true},
	"keepalive":               {change{"keepalive: 25s ", "keepalive: 11m "}, "account.keepalive", "1s to 10m", false},
	"spread":                  {change{"spread: 5s ", "spread: 6m "}, "account.spread", "0s to 5m", false},
	"server":                  {change{"[pbx2.example]", "[pbx2/example]"}, "account.servers[0]", "must be a host name", false},
	"server twice":            {change{"[pbx2.example]", "[a.example, a.example]"}, "account.servers[1]", "already", true},
	"standby without domain":  {change{"  domain: backup.example", ""}, "standby.domain", "required", true},
	"standby transport":       {change{"  domain: backup.example", "  domain: backup.example\n  transport: sctp"}, "standby.transport", `must be "auto", "udp", "tcp" or "tls"`, true},
	"direct by name":          {change{`direct: ["sip:monitor@192.0.2.40"]`, `direct: ["sip:monitor@monitor.example"]`}, "flats[0].direct[0]", "IP address", false},
	"direct telephone number": {change{`direct: ["sip:monitor@192.0.2.40"]`, `direct: ["tel:123"]`}, "flats[0].direct[0]", "IP address", false},

	"code with a letter":       {change{`"4711"`, `"47a1"`}, "doors[0].codes[0].digits", "1 to 16 of 0-9 and *", true},
	"code with a hash":         {change{`"4711"`, `"47#1"`}, "doors[0].codes[0].digits", "1 to 16 of 0-9 and *", true},
	"code too long":            {change{`"4711"`, `"12345678901234567"`}, "doors[0].codes[0].digits", "1 to 16", true},
	"code empty":               {change{`"4711"`, `""`}, "doors[0].codes[0].digits", "required", true},
	"code sealed":              {change{`digits: "4711"`, `sealed: "00"`}, "doors[0].codes[0].sealed", "write digits", true},
	"code with the end key":    {change{`end_key: ""`, `end_key: "*"`}, "doors[1].codes[0].digits", "contains the end key *", false},
	"code begins another":      {change{`"4711"`, `"08"`}, "doors[0].codes[0].digits", `begins the code doors[0].codes[1] ("cleaning")`, false},
	"code equals another":      {change{`"0815"`, `"4711"`}, "doors[0].codes[1].digits", "the same code as doors[0].codes[0]", false},
	"code begins another door": {change{`"58*63"`, `"47"`}, "doors[1].codes[0].digits", `of door "house"`, false},
	"duplicate code name":      {change{"name: cleaning", "name: residents"}, "doors[0].codes[1].name", "two codes", false},
	"code without a name":      {change{"name: cleaning", `name: ""`}, "doors[0].codes[1].name", "required", true},
	"longest code by hand":     {change{"  gap: 4s", "  longest_code: 9\n  gap: 4s"}, "keypad.longest_code", "leave it out", true},
	"end key":                  {change{`end_key: ""`, `end_key: "5"`}, "keypad.end_key", `must be "", "#" or "*"`, true},
	"tries of a call":          {change{"tries_per_call: 3", "tries_per_call: 0"}, "keypad.tries_per_call", "1 to 20 tries", true},
	"tries of an hour":         {change{"tries_per_hour: 10", "tries_per_hour: 1001"}, "keypad.tries_per_hour", "1 to 1000 tries", true},
	"gap":                      {change{"gap: 4s ", "gap: 31s "}, "keypad.gap", "500ms to 30s", false},

	"bad day":       {change{"[mon, thu]", "[mon, thursday]"}, "doors[0].codes[1].when[0].days[1]", `"sat" or "sun"`, true},
	"day twice":     {change{"[mon, thu]", "[mon, mon]"}, "doors[0].codes[1].when[0].days[1]", "already", true},
	"no day":        {change{"[mon, thu]", "[]"}, "doors[0].codes[1].when[0].days", "names no day", true},
	"bad from":      {change{`"07:30"`, `"7:30"`}, "doors[0].codes[1].when[0].from", "such as 07:30", true},
	"bad to":        {change{`"12:00"`, `"24:30"`}, "doors[0].codes[1].when[0].to", "00:01 to 24:00", true},
	"from after to": {change{`"07:30"`, `"19:30"`}, "doors[0].codes[1].when[0].to", "must be after from, which is 19:30", false},
	"from is to":    {change{`"07:30"`, `"12:00"`}, "doors[0].codes[1].when[0].to", "must be after from", false},

	"duplicate door":       {change{"name: garage", "name: house"}, "doors[1].name", "two doors", false},
	"relay of another":     {change{"relay: door2", "relay: door1"}, "doors[1].relay", `of door "house" already`, false},
	"relay that is absent": {change{"relay: door2", "relay: door9"}, "doors[1].relay", `board "panel-a" has no such relay; it has: door1, door2`, false},
	"door without relay":   {change{"relay: door2", `relay: ""`}, "doors[1].relay", "required", true},
	"pulse over the board": {change{"pulse: 1s", "pulse: 3s"}, "doors[1].pulse", `board "panel-a" allows relay "door2" at most 2s`, false},
	"pulse too short":      {change{"pulse: 1s", "pulse: 1ms"}, "doors[1].pulse", "50ms to 1m", false},

	"duplicate flat":          {change{"name: Schulz", "name: Meyer"}, "flats[1].name", "two flats", false},
	"duplicate button":        {change{"button: button2", "button: button1"}, "flats[1].button", `of flat "Meyer" already`, false},
	"button that is absent":   {change{"button: button2", "button: button7"}, "flats[1].button", "it has: button1, button2, button3", false},
	"flat without button":     {change{"button: button2", `button: ""`}, "flats[1].button", "required", true},
	"door that is absent":     {change{"doors: [house]", "doors: [attic]"}, "flats[1].doors[0]", "there is: house, garage", false},
	"door twice":              {change{"doors: [house]", "doors: [house, house]"}, "flats[1].doors[1]", "already", true},
	"no stage":                {change{`      - targets: ["sip:201@pbx.example"]`, "      []"}, "flats[1].stages", "at least one stage", true},
	"no target":               {change{`["sip:201@pbx.example"]`, "[]"}, "flats[1].stages[0].targets", "at least one address", true},
	"target that is no URI":   {change{`"sip:201@pbx.example"`, "'201'"}, "flats[1].stages[0].targets[0]", "must be an address such as", true},
	"target of another sort":  {change{`"sip:201@pbx.example"`, `"https://pbx.example"`}, "flats[1].stages[0].targets[0]", "must be an address such as", true},
	"target with a space":     {change{`"sip:201@pbx.example"`, `"sip:201 @pbx.example"`}, "flats[1].stages[0].targets[0]", "without spaces", true},
	"target with a break":     {change{`"sip:201@pbx.example"`, `"sip:201@pbx.example\r\nVia: x"`}, "flats[1].stages[0].targets[0]", "line breaks", true},
	"target twice":            {change{`"sip:102@pbx.example"`, `"sip:101@pbx.example"`}, "flats[0].stages[0].targets[1]", "already", true},
	"first stage without for": {change{"        for: 20s", ""}, "flats[0].stages[0].for", "required in every stage but the last", false},
	"stage too long":          {change{"for: 20s", "for: 20m"}, "flats[0].stages[0].for", "1s to 10m", false},

	"port out of range":  {change{"sip_port: 5060 ", "sip_port: 65536 "}, "network.sip_port", "0 to 65535", true},
	"port among media":   {change{"sip_port: 5060 ", "sip_port: 40100 "}, "network.sip_port", "which are for media", false},
	"odd port":           {change{"rtp_min: 40000", "rtp_min: 40001"}, "network.rtp_min", "must be even", true},
	"ports upside down":  {change{"rtp_max: 40199", "rtp_max: 39999"}, "network.rtp_max", "at least 4 ports", false},
	"low media port":     {change{"rtp_min: 40000", "rtp_min: 80"}, "network.rtp_min", "1024 to 65534", true},
	"address":            {change{"# address: 192.0.2.20", "address: panel.example"}, "network.address", "IP addresses", false},
	"user is missing":    {change{"  user: panel12  ", "  # "}, "account.user", "required", true},
	"user is an address": {change{"  user: panel12  ", "  user: panel12@pbx  "}, "account.user", "before the @ alone", true},
	"domain is missing":  {change{"  domain: pbx.example", ""}, "account.domain", "required", true},
	"domain with port":   {change{"  domain: pbx.example", "  domain: pbx.example:5060"}, "account.domain", "without a port", false},
	"registrar":          {change{"registrar: pbx.example:5060", "registrar: sip:pbx.example"}, "account.registrar", "may have :port", false},
	"registrar port":     {change{"registrar: pbx.example:5060", "registrar: pbx.example:66000"}, "account.registrar", "1 to 65535", false},
	"transport":          {change{"transport: udp", "transport: ws"}, "account.transport", `"udp", "tcp" or "tls"`, true},
	"expires too short":  {change{"expires: 5m", "expires: 59s"}, "account.expires", "1m to 24h", false},
	"expires too long":   {change{"expires: 5m", "expires: 25h"}, "account.expires", "1m to 24h", false},
	"ca file":            {change{"# ca_file: /etc/doorstation/pbx-ca.pem", "ca_file: /nonexistent/ca.pem"}, "account.ca_file", "no such file", false},
	"cert without key":   {change{"# cert_file: /etc/doorstation/panel.pem", "cert_file: example.yaml"}, "account.cert_file", "go together", false},

	"ring limit":           {change{"ring_for: 1m", "ring_for: 11m"}, "call.ring_for", "1s to 10m", false},
	"talk limit":           {change{"talk_for: 3m", "talk_for: 2h"}, "call.talk_for", "1s to 1h", false},
	"warning after end":    {change{"talk_for: 3m", "talk_for: 10s"}, "call.warn_before", "shorter than call.talk_for, which is 10s", false},
	"warning too early":    {change{"warn_before: 10s", "warn_before: 61s"}, "call.warn_before", "1s to 1m, or 0 for never", false},
	"second press":         {change{"second_press: cancel", "second_press: again"}, "call.second_press", `"cancel" or "keep"`, true},
	"refusal":              {change{"refusal: next", "refusal: all"}, "call.refusal", `"next" or "stop"`, true},
	"hang up after open":   {change{"hang_up_after_open: 0s", "hang_up_after_open: 2m"}, "call.hang_up_after_open", "1s to 1m", false},
	"held too short":       {change{"held_after: 60s", "held_after: 4s"}, "doors[0].held_after", "5s to 24h, or 0 for never", false},
	"camera power":         {change{"camera_power: always", "camera_power: never"}, "video.camera_power", `"always" or "call"`, true},
	"no media":             {change{"no_media_for: 30s", "no_media_for: 1ms"}, "call.no_media_for", "1s to 10m, or 0", false},
	"too many callers":     {change{`- "sip:concierge@pbx.example"`, "- 'sip:a@b'" + strings.Repeat("\n    - 'sip:a@b'", 63)}, "inbound.allow", "has 65 entries, at most 64", true},
	"caller may nothing":   {change{"may: [listen, see]", "may: []"}, "inbound.allow[1].may", "nothing that the caller may do", true},
	"caller may dance":     {change{"may: [listen, see]", "may: [dance]"}, "inbound.allow[1].may[0]", `must be "talk", "listen" or "see"`, true},
	"caller without URI":   {change{"- uri: \"sip:guard@pbx.example\"\n      may", "- may"}, "inbound.allow[1].uri", "required", true},
	"target too late":      {change{"after: 10s", "after: 40s"}, "flats[0].stages[1].targets[1].after", "it lasts 40s", false},
	"target much too late": {change{"after: 10s", "after: 6m"}, "flats[0].stages[1].targets[1].after", "0s to 5m", false},
	"target by pigeon":     {change{"transport: tcp ", "transport: pigeon "}, "flats[0].stages[1].targets[1].transport", `"udp"`, true},
	"target of two sorts":  {change{`uri: "sip:monitor@192.0.2.40"`, `uri: "tel:110"`}, "flats[0].stages[1].targets[1].transport", "by way of the registrar", false},
	"target's URI":         {change{`uri: "sip:monitor@192.0.2.40"`, `uri: "monitor"`}, "flats[0].stages[1].targets[1].uri", "must be an address", true},
	"dial plan":            {change{`# dial_plan: [{begins: "+49"`, `dial_plan: [{begins: "+x"`}, "call.dial_plan[0].begins", "digits", true},
	"transfer nowhere":     {change{`# transfer_to: ["sip:porter@pbx.example"]`, "transfer_to: [there]"}, "call.transfer_to[0]", "must be an address", true},
	"session too short":    {change{"session_expires: 30m", "session_expires: 1m"}, "call.session_expires", "1m30s to 24h", false},
	"probe too often":      {change{"probe: 0s", "probe: 10s"}, "call.probe", "1m to 24h, or 0 for never", false},
	"caller no URI":        {change{`"sip:concierge@pbx.example"`, "concierge"}, "inbound.allow[0]", "must be an address", true},
	"codec unknown":        {change{"[pcmu, pcma]", "[pcmu, opus]"}, "audio.codecs[1]", `"pcmu" or "pcma"`, true},
	"codec twice":          {change{"[pcmu, pcma]", "[pcmu, pcmu]"}, "audio.codecs[1]", "already", true},
	"no codec":             {change{"[pcmu, pcma]", "[]"}, "audio.codecs", "names no codec", true},
	"odd width":            {change{"width: 640", "width: 641"}, "video.width", "even", true},
	"odd height":           {change{"height: 480", "height: 481"}, "video.height", "even", true},
	"width over board":     {change{"width: 640", "width: 1920"}, "video.width", `board "panel-a" gives at most 1280 pixels`, false},
	"width over all":       {change{"width: 640", "width: 4096"}, "video.width", "160 to 1920 pixels", true},
	"height over board":    {change{"height: 480", "height: 1080"}, "video.height", "at most 720 pixels", false},
	"fps zero":             {change{"fps: 15", "fps: 0"}, "video.fps", "1 to 30 frames a second", true},
	"fps over board":       {change{"fps: 15", "fps: 30"}, "video.fps", "at most 25 frames a second", false},
	"kbps":                 {change{"kbps: 512", "kbps: 9000"}, "video.kbps", "32 to 8000 kbit/s", true},
	"stun server":          {change{"# server: stun.example", "server: 'stun:stun.example'"}, "stun.server", "host name or an IP address", false},
	"time server":          {change{"servers: []", "servers: ['ntp.example/x']"}, "time.servers[0]", "host name or an IP address", false},
	"no time server":       {change{"servers: []", "servers: ['']"}, "time.servers[0]", "required", false},
	"time server twice":    {change{"servers: []", "servers: [a.example, a.example]"}, "time.servers[1]", "already", false},
	"stun keepalive":       {change{"keepalive: 15s", "keepalive: 0s"}, "stun.keepalive", "1s to 10m", false},
	"web without port":     {change{`listen: ":8080"`, "listen: 192.0.2.20"}, "web.listen", "address:port", true},
	"web on a name":        {change{`listen: ":8080"`, "listen: 'panel.example:80'"}, "web.listen", "IP address", false},
	"web without user":     {change{"  user: installer ", "  # "}, "web.user", "needs a user", true},
	"web short password":   {change{"password: ladder-and-lamp", "password: '1234567'"}, "web.password", "at least 8 characters; this one has 7", true},
	"web without passwrd":  {change{"  password: ladder-and-lamp", "  # "}, "web.password", "at least 8 characters", true},
}

func TestRefusals(t *testing.T) {
	base := example(t)
	for name, c := range badEdits {
		t.Run(name, func(t *testing.T) {
			_, err := Decode([]byte(c.apply(t, base)), "panel.yaml", board(), testSeal)
			var all Errors
			if !errors.As(err, &all) {
				t.Fatalf("error is %v, want one at %s", err, c.field)
			}
			for _, e := range all {
				if e.Field != c.field {
					continue
				}
				if !strings.Contains(e.Limit, c.says) {
					t.Errorf("%s: message lacks %q", e, c.says)
				}
				if e.Line == 0 || e.File != "panel.yaml" {
					t.Errorf("%s: no file or line", e)
				}
				return
			}
			t.Errorf("no fault at %s: %v", c.field, err)
		})
	}
}

// An end key says where a code ends, so that one may begin another.
func TestEndKeyPermitsPrefixes(t *testing.T) {
	text := change{`"4711"`, `"08"`}.apply(t, change{`end_key: ""`, `end_key: "#"`}.apply(t, example(t)))
	decode(t, text)
	text = change{`"0815"`, `"4711"`}.apply(t, change{`end_key: ""`, `end_key: "#"`}.apply(t, example(t)))
	if _, err := Decode([]byte(text), "panel.yaml", board(), testSeal); err == nil {
		t.Error("equal codes of one door were taken because there is an end key")
	}
}

// Documents that are refused before their settings are looked at.
func TestRefusedWhole(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nflats: [*b,*b]\n"
	stage := "&s {targets: [" + strings.Repeat("'sip:"+strings.Repeat("a", 240)+"@b', ", 64) + "], for: 1s}"
	flat := "&f {name: x, button: y, stages: [" + stage + strings.Repeat(", *s", 63) + "]}"
	long := "flats: [" + flat + strings.Repeat(", *f", 8) + "]\naccount: {user: a, domain: b}\n"
	for name, c := range map[string]struct {
		text, says string
		line       int
	}{
		"empty":         {"", "the document is empty", 0},
		"comments only": {"# nothing\n", "the document is empty", 0},
		"null":          {"~\n", "not nothing", 1},
		"list":          {"- a\n", "not a list", 1},
		"text":          {"hello\n", "not a text", 1},
		"web page":      {"<html><body>log in</body></html>", "not a text", 1},
		"two documents": {"account: {user: a, domain: b}\n---\nrevision: x\n", "a second document", 3},
		"rubbish after": {"account: {user: a, domain: b}\n---\n\"", "no YAML", 3},
		"broken":        {"account: {user: a\n", "no YAML", 1},
		"binary":        {"\x00\x01\x02", "no YAML", 0},
		"too long":      {strings.Repeat("#", MaxSize+1), "at most 262144", 0},
		"unquoted star": {"panel: {name: *12}", `write "*12"`, 0},
		"alias bomb":    {bomb, "unknown key", 1},
		"long bomb":     {long, "grows beyond", 1},
		"own alias":     {"flats: &f [*f]", "not a list", 1},
		"list as key":   {"? [a]\n: b\n", "plain word", 1},
	} {
		_, err := Decode([]byte(c.text), "panel.yaml", board(), testSeal)
		var all Errors
		if !errors.As(err, &all) {
			t.Errorf("%s: error is %v", name, err)
			continue
		}
		if e := all[0]; !strings.Contains(err.Error(), c.says) || e.Line != c.line && c.line != 0 {
			t.Errorf("%s: %v (line %d), want %q in line %d", name, err, e.Line, c.says, c.line)
		}
	}
}

func TestURIs(t *testing.T) {
	for _, good := range []string{
		"sip:101@pbx.example", "sips:101@pbx.example:5061", "sip:192.0.2.1", "sip:a@[2001:db8::1]:5060", "SIP:a@b", "sip:%23101@b",
		"sip:+49301;phone-context=x@b;user=phone", "sip:101@b;transport=tcp;lr", "tel:+49-30-1234567", "tel:101;phone-context=example.com", "tel:*21%23"[:7],
	} {
		if fault := uriFault(good); fault != "" {
			t.Errorf("%s is refused: %s", good, fault)
		}
	}
	for _, bad := range []string{
		"", "101", "sip", "sip:", "sip:@b", "sip:a@", "sip:a@b:0", "sip:a@b:65536", "sip:a@b:x", "sip:a@b:", "sip:a@[::1", "sip:a@[::1]x", "sip:a@1.2.3",
		"sip:a@b?Subject=x", "sip:a%2@b", "sip:a%zz@b", "sip:a:secret@b", "sip:a@-b", "sip:a@b..c", "<sip:a@b>", "sip:a@b\n", "sip:ä@b", "sip:a@bä",
		"tel:", "tel:+", "tel:hello", "tel:1;x y", "mailto:a@b", "http://b", "sip:a@b;x=\"y\"", "sip:a@b@c",
	} {
		if uriFault(bad) == "" {
			t.Errorf("%q is taken", bad)
		}
	}
}
