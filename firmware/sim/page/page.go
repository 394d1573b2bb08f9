// Package page is the one page of the simulated building: the panel as a
// visitor sees it, the flat as a resident has it, and the door between them.
//
// Its process presses buttons, hears and speaks through the line process, works
// the phones over their APIs, and reads calls and timelines from the panel's
// control socket. It shares no memory with any of them.
package page

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"doorstation/board"
	"doorstation/firmware/control"
	"doorstation/firmware/sim/building"
	"doorstation/firmware/sim/loopback"
)

//go:embed static
var static embed.FS

// A Flat is one flat's phone.
type Flat struct {
	Name string
	API  netip.AddrPort
}

// ReadFlats reads "Flat 1=127.0.0.1:5071,Flat 2=127.0.0.1:5081".
func ReadFlats(s string) ([]Flat, error) {
	var flats []Flat
	for part := range strings.SplitSeq(s, ",") {
		name, address, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("flat %q: want name=address:port", part)
		}
		at, err := loopback.Address(address)
		if err != nil {
			return nil, err
		}
		flats = append(flats, Flat{Name: name, API: at})
	}
	return flats, nil
}

// Params say what the page shows.
type Params struct {
	Board *board.Board
	Run   string // folder of the sockets
	Flats []Flat
	Name  string // on the name plate
	Hint  string // what a person needs to know, such as the code to try
}

// A Page is the server of the page.
type Page struct {
	params Params
	log    *slog.Logger
	panel  *panel
}

// New makes a page; Run keeps it connected to the panel's hardware.
func New(log *slog.Logger, p Params) *Page {
	return &Page{
		params: p, log: log,
		panel: newPanel(log, filepath.Join(p.Run, building.LinesSocket), p.Board),
	}
}

// Run keeps the page connected until ctx ends.
func (p *Page) Run(ctx context.Context) { p.panel.run(ctx) }

// Handler serves the page and what it asks for:
//
//	GET  /panel         what there is to see: buttons, lamps, relays, flats
//	GET  /panel/watch   WebSocket: State as JSON, on every change
//	GET  /panel/sound   WebSocket: the speaker down, the visitor's voice up
//	POST /panel/press   {"button":"button1"} presses and lets go
//	POST /panel/move    {"input":"leaf1","active":false} moves a contact or a switch, and leaves it so
//	GET  /calls         the records of the last calls, newest first
//	     /phone/N/…     the API of flat N's phone, from 0
func (p *Page) Handler() http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is part of this program
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /panel", p.describe)
	mux.HandleFunc("POST /panel/press", p.press)
	mux.HandleFunc("POST /panel/move", p.move)
	mux.HandleFunc("GET /panel/watch", p.panel.watch)
	mux.HandleFunc("GET /panel/sound", p.panel.sound)
	mux.HandleFunc("GET /calls", p.records)
	for i, flat := range p.params.Flats {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			mux.Handle(fmt.Sprintf("%s /phone/%d/", method, i), p.proxy(i, flat))
		}
	}
	return headers(mux)
}

// headers keep the page to itself: no script, picture or connection of others.
func headers(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-cache")
		h.ServeHTTP(w, r)
	})
}

// proxy leads to a phone's API. Who asks was checked before, so that the phone
// sees a program of this machine and no browser.
func (p *Page) proxy(i int, flat Flat) http.Handler {
	to := &url.URL{Scheme: "http", Host: flat.API.String()}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = to.Host
			r.Out.Header.Del("Origin")
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			loopback.Refuse(w, http.StatusBadGateway, fmt.Errorf("the phone of %s does not answer: %w", flat.Name, err))
		},
	}
	return http.StripPrefix(fmt.Sprintf("/phone/%d", i), proxy)
}

// A description is what there is to see.
type description struct {
	Name    string   `json:"name"`
	Hint    string   `json:"hint"`
	Buttons []button `json:"buttons"`
	Lamps   []string `json:"lamps"`
	Outputs []output `json:"outputs"`
	Relays  []relay  `json:"relays"`
	Covers  []string `json:"covers"` // switches below the cover: active when it is off
	Flats   []string `json:"flats"`
}

// A button is one that a visitor can press.
type button struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// A relay opens a door.
type relay struct {
	Name    string `json:"name"`
	Contact string `json:"contact,omitempty"` // input: active when the door is closed
	Exit    string `json:"exit,omitempty"`    // input: the button that opens it from inside
}

// An output is something that the panel switches.
type output struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

func (p *Page) describe(w http.ResponseWriter, _ *http.Request) {
	d := description{
		Name: p.params.Name, Hint: p.params.Hint, Buttons: []button{}, Lamps: []string{}, Outputs: []output{},
		Relays: []relay{}, Covers: []string{}, Flats: []string{},
	}
	b := p.params.Board
	for _, l := range b.Lamps {
		d.Lamps = append(d.Lamps, l.Name)
	}
	for _, o := range b.Outputs {
		d.Outputs = append(d.Outputs, output{Name: o.Name, Role: string(o.Role)})
	}
	for _, r := range b.Relays {
		d.Relays = append(d.Relays, relay{Name: r.Name})
	}
	for _, in := range b.Inputs {
		d.input(in)
	}
	for _, f := range p.params.Flats {
		d.Flats = append(d.Flats, f.Name)
	}
	loopback.Reply(w, d)
}

// input puts an input where a person looks for it.
func (d *description) input(in board.Input) {
	of := func(name string) *relay {
		return &d.Relays[slices.IndexFunc(d.Relays, func(r relay) bool { return r.Name == name })]
	}
	switch {
	case in.Contact != "":
		of(in.Contact).Contact = in.Name
	case in.Opens != "":
		of(in.Opens).Exit = in.Name
	case in.Tamper:
		d.Covers = append(d.Covers, in.Name)
	default:
		d.Buttons = append(d.Buttons, button{Name: in.Name, Label: in.Label})
	}
}

// press presses a button and lets it go.
func (p *Page) press(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Button string `json:"button"`
	}
	if err := loopback.Read(r, &body); err != nil {
		loopback.Refuse(w, http.StatusBadRequest, err)
		return
	}
	moved(w, p.panel.press(r.Context(), body.Button))
}

// move moves a contact or a switch.
func (p *Page) move(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Input  string `json:"input"`
		Active bool   `json:"active"`
	}
	if err := loopback.Read(r, &body); err != nil {
		loopback.Refuse(w, http.StatusBadRequest, err)
		return
	}
	moved(w, p.panel.move(body.Input, body.Active))
}

// moved answers who wanted a line moved.
func moved(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errNoInput):
		loopback.Refuse(w, http.StatusNotFound, err)
	case err != nil:
		loopback.Refuse(w, http.StatusBadGateway, err)
	default:
		loopback.Reply(w, struct{}{})
	}
}

// records gives the panel's own word: its state, and its records of the last
// calls.
func (p *Page) records(w http.ResponseWriter, r *http.Request) {
	client, err := control.Dial(filepath.Join(p.params.Run, control.SocketName))
	if err != nil {
		loopback.Refuse(w, http.StatusBadGateway, err)
		return
	}
	defer client.Close()
	calls, err := client.Calls(r.Context())
	var status control.Status
	if err == nil {
		status, err = client.Status(r.Context())
	}
	if err != nil {
		loopback.Refuse(w, http.StatusBadGateway, err)
		return
	}
	loopback.Reply(w, map[string]any{"status": status, "calls": explain(calls)})
}
