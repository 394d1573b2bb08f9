package station

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"image"
	"image/jpeg"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"doorstation/drivers"
	"doorstation/firmware/web"
	"doorstation/provisioning"
)

const (
	stillToken = 16                     // bytes, of which nobody guesses one while a call lasts
	stillEvery = 500 * time.Millisecond // between two pictures that are copied and coded
	stillFresh = 3 * time.Second        // an older picture is none: the camera is lost
)

// errNoPicture means that the camera has given no picture for a while.
var errNoPicture = errors.New("the camera has given no picture")

// stills keeps a picture of the present call for phones that poll one. It
// belongs to the owner, but for Still, which anybody may call. The zero value
// has no call.
type stills struct {
	token  atomic.Pointer[string] // of the present call; nil: none
	remove func()                 // of the look at the camera's pictures

	// mu is held while a picture is coded. Neither the call nor the camera waits for it.
	mu    sync.Mutex
	of    string // token of the call that shot shows
	shot  *image.YCbCr
	taken time.Time
	coded []byte // shot as JPEG; nil: not yet
}

// open gives the token of this call, a new one at the first time.
func (s *stills) open(p *peek) string {
	if token := s.token.Load(); token != nil {
		return *token
	}
	raw := make([]byte, stillToken)
	rand.Read(raw) // never fails (crypto/rand)
	token := base64.RawURLEncoding.EncodeToString(raw)
	s.token.Store(&token)
	s.remove = p.add(func(picture drivers.Picture) { s.look(token, picture, time.Now()) })
	return token
}

// close ends the call: its token opens nothing any more.
func (s *stills) close() {
	if token := s.token.Swap(nil); token != nil {
		s.remove()
		go s.forget(*token)
	}
}

// forget lets go of the picture of a call.
func (s *stills) forget(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == token {
		s.of, s.shot, s.coded = "", nil, nil
	}
}

// look copies a picture of a call on its way to the encoder, twice a second at
// most, and not while the last one is being coded.
func (s *stills) look(token string, p drivers.Picture, now time.Time) {
	if !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	if s.of == token && now.Sub(s.taken) < stillEvery {
		return
	}
	s.shot = copied(s.shot, p)
	s.of, s.taken, s.coded = token, now, nil
}

// Still implements web.Stills.
func (s *stills) Still(token string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.token.Load()
	if now == nil || subtle.ConstantTimeCompare([]byte(*now), []byte(token)) != 1 {
		return nil, web.ErrNoStill
	}
	if s.of != token || time.Since(s.taken) > stillFresh {
		return nil, errNoPicture
	}
	if s.coded == nil {
		var out bytes.Buffer
		if err := jpeg.Encode(&out, s.shot, nil); err != nil {
			return nil, err
		}
		s.coded = out.Bytes()
	}
	return s.coded, nil
}

// copied is a picture in memory of our own: that of old, if it fits.
func copied(old *image.YCbCr, p drivers.Picture) *image.YCbCr {
	if old == nil || old.Rect.Dx() != p.Width || old.Rect.Dy() != p.Height {
		old = image.NewYCbCr(image.Rect(0, 0, p.Width, p.Height), image.YCbCrSubsampleRatio420)
	}
	copy(old.Y, p.Y)
	copy(old.Cb, p.U)
	copy(old.Cr, p.V)
	return old
}

// callInfo says in an INVITE where the picture of the call lies (RFC 3261
// section 20.9); empty: nowhere.
func (o *owner) callInfo() string {
	doc := o.rules.doc
	if doc == nil || !doc.Call.Still || !o.rules.media.video {
		return ""
	}
	pictures := peekOf(o.video.camera)
	host, ok := o.line.pageHost(doc.Web.Listen)
	if pictures == nil || !ok {
		return ""
	}
	return "<http://" + host + web.StillPath(o.stills.open(pictures)) + ">;purpose=icon"
}

// pageHost is how phones name the panel's page, which listens there: by its own
// address, or else by the line's.
func (l *line) pageHost(listen string) (host string, ok bool) {
	name, port, err := net.SplitHostPort(listen)
	if err != nil { // it is off
		return "", false
	}
	addr, err := netip.ParseAddr(name)
	switch {
	case name == "localhost":
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case err != nil || addr.IsUnspecified():
		local, _ := l.carrier().place()
		if !local.IsValid() && l.spare != nil {
			local, _ = l.spare.place()
		}
		addr = local
	}
	return net.JoinHostPort(addr.WithZone("").String(), port), addr.IsValid()
}

// stillWarning is what an installer should know of a document that wants
// pictures for phones that poll them.
func stillWarning(doc *provisioning.Document) string {
	const wants = "call.still is set, but no phone is told of a picture: "
	switch {
	case !doc.Call.Still:
		return ""
	case doc.Web.Listen == "":
		return wants + "web.listen is off"
	case !newMediaRule(doc).video:
		return wants + "video.enabled is false"
	}
	return "call.still is set: whoever reads an INVITE on the way can see the visitor until the call ends"
}
