package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// The paths of a check.
const (
	pathCheck = "/v1/check"
	pathTry   = "/v1/check/try"
)

// A Checker is a Panel whose wiring an installer can walk along. Its methods
// may be called from any goroutine.
type Checker interface {
	// Check begins a check, which lasts until ctx ends. Meanwhile buttons ring
	// nobody, and what inputs and relays do comes through the channel, which is
	// closed at the end. It refuses with Busy during a call or another check.
	Check(ctx context.Context, who string) (Wiring, <-chan Sighting, error)

	// Try tries one thing of a check that runs. who is recorded as the one who
	// asked.
	Try(ctx context.Context, t Trial, who string) (Finding, error)
}

// Wiring is what a board has, as its board file says.
type Wiring struct {
	Board    string  `json:"board"`
	Machine  string  `json:"machine,omitempty"` // why the board file is not of this machine
	Inputs   []Wire  `json:"inputs,omitempty"`
	Lamps    []Wire  `json:"lamps,omitempty"` // and other outputs that may be switched
	Relays   []Wire  `json:"relays,omitempty"`
	Sound    bool    `json:"sound,omitempty"`
	Camera   bool    `json:"camera,omitempty"`
	Watchdog string  `json:"watchdog,omitempty"` // its device
	Pulse    float64 `json:"pulse_seconds"`      // how long a relay is on when it is tried
}

// What inputs are there for: the Role of a Wire.
const (
	RoleButton  = "button"
	RoleExit    = "exit"    // opens a door by itself
	RoleContact = "contact" // of a door
	RoleCover   = "cover"
)

// A Wire is one line.
type Wire struct {
	Name     string `json:"name"`
	Role     string `json:"role,omitempty"`     // of an input; of an output that is no lamp, the board file's
	Of       string `json:"of,omitempty"`       // the relay that an exit opens, or whose door a contact watches; a relay's door
	Label    string `json:"label,omitempty"`    // what is printed beside it
	Terminal string `json:"terminal,omitempty"` // where it is connected
}

// A Sighting is one change of an input or a relay.
type Sighting struct {
	Name   string        `json:"name"`
	Active bool          `json:"active"`
	At     time.Duration `json:"at_ns"` // CLOCK_MONOTONIC of the edge
}

// What a Trial does.
const (
	TryLamp    = "lamp"    // Name, On: switches a lamp, or turns another output over and back
	TryRelay   = "relay"   // Name: pulses a relay
	TryTone    = "tone"    // plays a chime
	TryLevels  = "levels"  // measures microphone and speaker
	TryPicture = "picture" // films for some seconds
)

// A Trial is one thing to try.
type Trial struct {
	Do   string `json:"do"`
	Name string `json:"name,omitempty"`
	On   bool   `json:"on,omitempty"`
}

// A Finding is what came of a Trial.
type Finding struct {
	Microphone float64  `json:"microphone_db,omitempty"` // dB of full scale, at most 0
	Speaker    float64  `json:"speaker_db,omitempty"`
	Picture    *Picture `json:"picture,omitempty"`
}

// A Picture is what the camera has shown.
type Picture struct {
	Width      int           `json:"width"` // pixels
	Height     int           `json:"height"`
	Frames     int           `json:"frames"` // in For
	For        time.Duration `json:"for_ns"`
	KeyBytes   int           `json:"key_bytes"`            // of the first key frame, coded
	Brightness float64       `json:"brightness,omitempty"` // mean luma, 0 to 255
	JPEG       []byte        `json:"jpeg,omitempty"`       // the last picture, where the camera gives raw ones
}

// checkRoutes adds those of a check, where the panel has one.
func (s Server) checkRoutes(mux *http.ServeMux) {
	checker, ok := s.Panel.(Checker)
	if !ok {
		return
	}
	mux.HandleFunc("GET "+pathCheck, func(w http.ResponseWriter, r *http.Request) { s.check(w, r, checker) })
	mux.HandleFunc("POST "+pathTry, func(w http.ResponseWriter, r *http.Request) { s.try(w, r, checker) })
}

// check lasts as long as its connection. It sends the wiring, and then what is
// seen, as a line of JSON each.
func (s Server) check(w http.ResponseWriter, r *http.Request, checker Checker) {
	who := peerOf(r).String()
	wiring, seen, err := checker.Check(r.Context(), who)
	if err != nil {
		s.Log.Warn("local command failed", "command", "check", "who", who, "err", err)
		s.fail(w, err)
		return
	}
	s.Log.Info("local command", "command", "check", "who", who)
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := http.NewResponseController(w)
	enc := json.NewEncoder(w)
	if enc.Encode(wiring) != nil || out.Flush() != nil {
		return
	}
	for {
		select {
		case one, more := <-seen:
			if !more || enc.Encode(one) != nil || out.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func (s Server) try(w http.ResponseWriter, r *http.Request, checker Checker) {
	who := peerOf(r).String()
	var t Trial
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	body.DisallowUnknownFields()
	if err := body.Decode(&t); err != nil {
		s.fail(w, Refuse(Invalid, "the request cannot be read: %v", err))
		return
	}
	found, err := checker.Try(r.Context(), t, who)
	if err != nil {
		s.Log.Warn("local command failed", "command", "try "+t.Do, "target", t.Name, "who", who, "err", err)
		s.fail(w, err)
		return
	}
	if t.Do != TryLevels { // a meter asks again and again
		s.Log.Info("local command", "command", "try "+t.Do, "target", t.Name, "who", who)
	}
	s.reply(w, found)
}

// Check begins a check. The channel is closed when ctx ends or the panel ends
// the check.
func (c *Client) Check(ctx context.Context) (Wiring, <-chan Sighting, error) {
	var wiring Wiring
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://panel"+pathCheck, nil)
	if err != nil {
		return wiring, nil, fmt.Errorf("control: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return wiring, nil, fmt.Errorf("the panel at %s did not answer: %w", c.path, err)
	}
	if resp.StatusCode >= http.StatusBadRequest {
		defer resp.Body.Close()
		return wiring, nil, c.read(resp, nil)
	}
	lines := bufio.NewReader(resp.Body)
	if err := readLine(lines, &wiring); err != nil {
		resp.Body.Close()
		return wiring, nil, fmt.Errorf("the panel at %s gave an answer that cannot be read: %w", c.path, err)
	}
	seen := make(chan Sighting, sightings)
	go follow(ctx, resp.Body, lines, seen)
	return wiring, seen, nil
}

// sightings is how many may wait to be read.
const sightings = 256

// follow passes on what is seen until the answer ends.
func follow(ctx context.Context, body io.Closer, lines *bufio.Reader, seen chan<- Sighting) {
	defer close(seen)
	defer body.Close()
	for {
		var one Sighting
		if readLine(lines, &one) != nil {
			return
		}
		select {
		case seen <- one:
		case <-ctx.Done():
			return
		}
	}
}

func readLine(lines *bufio.Reader, v any) error {
	raw, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(bytes.TrimSpace(raw), v)
}

// Try tries one thing of the check that runs.
func (c *Client) Try(ctx context.Context, t Trial) (Finding, error) {
	var found Finding
	err := c.do(ctx, http.MethodPost, pathTry, t, &found)
	return found, err
}
