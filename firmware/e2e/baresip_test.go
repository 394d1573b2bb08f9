package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// A baresip is a phone: Debian's baresip, driven over its control socket. What
// it hears and says is recorded.
type baresip struct {
	*process
	host   *host
	dir    string
	conn   net.Conn
	mu     sync.Mutex
	events []baresipEvent
	replys []baresipReply
}

type baresipEvent struct {
	Type  string `json:"type"`
	Param string `json:"param"`
}

type baresipReply struct {
	OK    bool   `json:"ok"`
	Data  string `json:"data"`
	Token string `json:"token"`
}

// A handset says how a baresip is set up.
type handset struct {
	user, password string
	domain         string  // its registrar; empty: none, and it takes calls from anybody
	speaks         float64 // Hz of the tone it says for its first minute, 0 for silence
	video          bool
	transport      string // udp (default), tcp or tls
}

// startBaresip runs a phone on the host, on port 5060.
func startBaresip(h *host, set handset) *baresip {
	h.t.Helper()
	b := &baresip{host: h, dir: scratch(h.t, h.name)}
	write(h.t, b.dir, "config", b.config(set)...)
	write(h.t, b.dir, "accounts", account(h, set))
	write(h.t, b.dir, "contacts")
	b.process = h.start(h.name, "baresip", b.family(), "-v", "-f", b.dir)
	b.until("baresip takes commands", func() error {
		return inside(h.namespace, func() (err error) {
			b.conn, err = net.Dial("tcp", h.at(4444).String())
			return err
		})
	})
	h.t.Cleanup(func() { b.conn.Close() })
	go b.listen()
	if set.domain != "" {
		b.says("200 OK (") // its event may come before our connection
	}
	return b
}

// family is baresip's flag for the addresses that it uses.
func (b *baresip) family() string {
	if b.host.addr.Is6() {
		return "-6"
	}
	return "-4"
}

func account(h *host, set handset) string {
	transport := set.transport
	if transport == "" {
		transport = "udp"
	}
	if set.domain == "" {
		return fmt.Sprintf("<sip:%s@%s;transport=%s>;regint=0;answermode=manual", set.user, h.literal(), transport)
	}
	return fmt.Sprintf("<sip:%s@%s;transport=%s>;auth_user=%s;auth_pass=%s;regint=600;answermode=manual",
		set.user, set.domain, transport, set.user, set.password)
}

func (b *baresip) config(set handset) []string {
	speech := filepath.Join(b.dir, "speech.wav")
	writeWav(b.host.t, speech, sine(set.speaks, 60))
	lines := []string{
		"poll_method epoll",
		"sip_listen " + b.host.at(5060).String(),
		"call_local_timeout 120", "call_max_calls 4",
		"audio_source aufile," + speech,
		"audio_channels 1", "audio_srate 8000", "ausrc_srate 8000", "auplay_srate 8000",
		"rtp_ports 10000-10200", "rtcp_mux no", "jitter_buffer_delay 1-5",
		"net_interface eth0",
		"module_path /usr/lib/baresip/modules",
		"module g711.so", "module aufile.so", "module sndfile.so",
		"module_tmp uuid.so", "module_tmp account.so",
		"module_app contact.so", "module_app menu.so", "module_app ctrl_tcp.so",
		"ctrl_tcp_listen " + b.host.at(4444).String(),
		"snd_path " + b.dir,
	}
	if set.transport == "tls" {
		lines = append(lines, "sip_certificate "+b.certificate())
	}
	if set.video {
		lines = append(lines,
			"module avcodec.so", "module fakevideo.so", "module swscale.so",
			"video_source fakevideo,nil", "video_display fakevideo,nil",
			"video_size 640x480", "video_fps 15", "video_bitrate 500000")
	}
	return lines
}

// certificate makes a file with the phone's certificate and key, for those who
// call it over TLS.
func (b *baresip) certificate() string {
	b.host.t.Helper()
	own := newCertificate(b.host.t, b.dir, b.host.addr)
	var both []byte
	for _, file := range []string{own.cert, own.key} {
		text, err := os.ReadFile(file)
		if err != nil {
			b.host.t.Fatal(err)
		}
		both = append(both, text...)
	}
	return write(b.host.t, b.dir, "both.pem", string(both))
}

// listen reads netstrings of JSON until the connection ends.
func (b *baresip) listen() {
	in := bufio.NewReader(b.conn)
	for {
		size, err := in.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil {
			return
		}
		text := make([]byte, n+1) // and the comma
		if _, err := io.ReadFull(in, text); err != nil {
			return
		}
		b.heard(text[:n])
	}
}

func (b *baresip) heard(text []byte) {
	var message struct {
		Event    bool
		Response bool
		baresipEvent
		baresipReply
	}
	if json.Unmarshal(text, &message) != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if message.Event {
		b.events = append(b.events, message.baresipEvent)
	}
	if message.Response {
		b.replys = append(b.replys, message.baresipReply)
	}
}

// command does one of baresip's long commands and waits for its answer.
func (b *baresip) command(command, params string) {
	b.t.Helper()
	b.mu.Lock()
	token := strconv.Itoa(len(b.replys) + 1)
	b.mu.Unlock()
	text, err := json.Marshal(map[string]string{"command": command, "params": params, "token": token})
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(b.conn, "%d:%s,", len(text), text); err != nil {
		b.t.Fatalf("%s: %s: %v", b.name, command, err)
	}
	b.until(b.name+" answers to "+command, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, r := range b.replys {
			if r.Token == token && r.OK {
				return nil
			}
			if r.Token == token {
				return fmt.Errorf("it refused: %s", r.Data)
			}
		}
		return errNothing
	})
}

func (b *baresip) dial(uri string) { b.t.Helper(); b.command("dial", uri) }
func (b *baresip) accept()         { b.t.Helper(); b.command("accept", "") }
func (b *baresip) hangUp()         { b.t.Helper(); b.command("hangup", "") }

// types sends keys as telephone-events, one after the other.
func (b *baresip) types(keys string) {
	b.t.Helper()
	for _, key := range keys {
		b.command("sndcode", string(key))
	}
}

// event waits for an event that has not been asked for before.
func (b *baresip) event(kind string) baresipEvent {
	b.t.Helper()
	var found baresipEvent
	b.until(fmt.Sprintf("%s reports %s", b.name, kind), func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for i, e := range b.events {
			if e.Type == kind {
				found = e
				b.events = append(b.events[:i:i], b.events[i+1:]...)
				return nil
			}
		}
		return fmt.Errorf("it reports %v", b.events)
	})
	return found
}

// recording waits for the end of a call's recording and returns what the phone
// heard ("dec") or said ("enc").
func (b *baresip) recording(way string) []int16 {
	b.t.Helper()
	var samples []int16
	await(b.t, b.name+" has recorded", func() error {
		files, err := filepath.Glob(filepath.Join(b.dir, "dump-*-"+way+".wav"))
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return errors.New("no file")
		}
		samples, err = readWav(files[len(files)-1])
		return err
	})
	return samples
}

// Two phones prove the peers: Kamailio's digest and routing, calls, sound.
func TestBaresipCallsBaresip(t *testing.T) {
	s := newStreet(t)
	proxy := s.host("proxy", 5)
	startKamailio(proxy, map[string]string{"anna": "a-word", "ben": "another"})
	domain := proxy.addr.String()
	ben := startBaresip(s.host("ben", 21), handset{user: "ben", password: "another", domain: domain, speaks: 700})
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 450})
	wire := anna.host.capture()

	anna.dial("sip:ben@" + domain)
	ben.event("CALL_INCOMING")
	ben.accept()
	ben.event("CALL_ESTABLISHED")
	anna.event("CALL_ESTABLISHED")
	anna.types("5")
	event := wire.first("anna's telephone-event", func(p packet) bool {
		return p.sent && !p.tcp && len(p.payload) == 16 && p.payload[1]&127 == 101
	})
	if event.payload[12] != 5 {
		t.Errorf("telephone-event %d on the wire, typed 5", event.payload[12])
	}
	awaitFor(t, patience, "a second of sound", func() error {
		if n := len(wire.all(func(p packet) bool { return p.sent && !p.tcp && len(p.payload) == 172 })); n < 50 {
			return fmt.Errorf("%d packets", n)
		}
		return nil
	})
	anna.hangUp()
	ben.event("CALL_CLOSED")
	ben.stop()
	anna.stop()
	wantTone(t, "ben hears anna", ben.recording("dec"), 450)
	wantTone(t, "anna hears ben", anna.recording("dec"), 700)
}
