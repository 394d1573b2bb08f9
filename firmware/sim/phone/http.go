package phone

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"doorstation/firmware/sim/loopback"

	"github.com/coder/websocket"
)

// statusInterval is how often a listener hears the status while nothing changes.
const statusInterval = 250 * time.Millisecond

// Handler is the phone's API, for programs on this machine:
//
//	GET  /status   Status as JSON
//	POST /answer   takes the call
//	POST /decline  {"status":603} refuses it
//	POST /hangup   ends it
//	POST /digit    {"key":"5"} presses a key
//	GET  /watch    WebSocket: Status as JSON, on every change and regularly
//	GET  /video    WebSocket: one binary message an access unit (see frameUnit)
//	GET  /audio    WebSocket: sound as signed 16 bit little endian at 8000 Hz, both ways
func (p *Phone) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { loopback.Reply(w, p.Status()) })
	mux.HandleFunc("POST /answer", func(w http.ResponseWriter, _ *http.Request) { p.reply(w, p.Answer()) })
	mux.HandleFunc("POST /hangup", func(w http.ResponseWriter, _ *http.Request) { p.reply(w, p.HangUp()) })
	mux.HandleFunc("POST /decline", p.postDecline)
	mux.HandleFunc("POST /digit", p.postDigit)
	mux.HandleFunc("GET /watch", p.watch)
	mux.HandleFunc("GET /video", p.watchVideo)
	mux.HandleFunc("GET /audio", p.joinAudio)
	return mux
}

// reply answers a wish with the status, or with the reason why not.
func (p *Phone) reply(w http.ResponseWriter, err error) {
	if err != nil {
		loopback.Refuse(w, http.StatusConflict, err)
		return
	}
	loopback.Reply(w, p.Status())
}

func (p *Phone) postDecline(w http.ResponseWriter, r *http.Request) {
	body := struct {
		Status int `json:"status"`
	}{603}
	if err := loopback.Read(r, &body); err != nil {
		loopback.Refuse(w, http.StatusBadRequest, err)
		return
	}
	p.reply(w, p.Decline(body.Status))
}

func (p *Phone) postDigit(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Key string `json:"key"`
	}
	err := loopback.Read(r, &body)
	if err == nil && len(body.Key) != 1 {
		err = errors.New("key must be one of 0-9, *, #, A-D")
	}
	if err != nil {
		loopback.Refuse(w, http.StatusBadRequest, err)
		return
	}
	p.reply(w, p.Key(body.Key[0]))
}

// watch sends the status.
func (p *Phone) watch(w http.ResponseWriter, r *http.Request) {
	changed, done := p.changed.Listen()
	defer done()
	loopback.Stream(w, r, nil, func(ctx context.Context, c *websocket.Conn) error {
		ticker := time.NewTicker(statusInterval)
		defer ticker.Stop()
		for {
			raw, err := json.Marshal(p.Status())
			if err != nil {
				return err
			}
			if err := loopback.Write(ctx, c, websocket.MessageText, raw); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
			case <-ticker.C:
			}
		}
	})
}

// watchVideo sends the picture, beginning with a whole one.
func (p *Phone) watchVideo(w http.ResponseWriter, r *http.Request) {
	units, done := p.units.Listen()
	defer done()
	p.WantKey()
	loopback.Stream(w, r, nil, func(ctx context.Context, c *websocket.Conn) error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case u := <-units:
				if err := loopback.Write(ctx, c, websocket.MessageBinary, frameUnit(u)); err != nil {
					return err
				}
			}
		}
	})
}

// frameUnit is a unit as the listeners get it: one byte that is 1 for a key
// frame, three of zero, four of the RTP timestamp (big endian), the byte stream.
func frameUnit(u Unit) []byte {
	head := make([]byte, 4, 8+len(u.Stream))
	if u.Key {
		head[0] = 1
	}
	head = binary.BigEndian.AppendUint32(head, u.Timestamp)
	return append(head, u.Stream...)
}

// joinAudio lets a listener hear and speak.
func (p *Phone) joinAudio(w http.ResponseWriter, r *http.Request) {
	frames, done := p.frames.Listen()
	defer done()
	loopback.Sound(w, r, frames, p.hearResident)
}

// hearResident cuts what a listener says into frames.
func (p *Phone) hearResident(b []byte) {
	pcm := loopback.Samples(b)
	for len(pcm) >= frameSamples {
		p.Say(pcm[:frameSamples:frameSamples])
		pcm = pcm[frameSamples:]
	}
}
