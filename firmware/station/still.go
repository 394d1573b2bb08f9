package station

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"net"
	"net/netip"
	"sync"
	"time"

	"doorstation/callflow"
	"doorstation/drivers"
	"doorstation/firmware/web"
	"doorstation/provisioning"
)

const (
	stillEvery = 500 * time.Millisecond // between two pictures that are copied and coded
	stillFresh = 3 * time.Second        // an older picture is none: the camera is lost
)

// errNoPicture means that the camera has given no picture for a while.
var errNoPicture = errors.New("the camera has given no picture")

// stills keeps a picture of the present call for phones that poll one. It
// belongs to the owner, but for Still, which anybody may call. The zero value
// has no call.
type stills struct {
	asked  func(callflow.LegID) // told of the first fetch of a leg's phone, by any goroutine; nil: nobody
	remove func()               // of the look at the camera's pictures; nil: no call
	call   int                  // number of the present call, or of the last

	passes passes

	// mu is held while a picture is coded. Neither the call nor the camera waits for it.
	mu    sync.Mutex
	of    int // number of the call that shot shows; 0: there is no shot
	shot  *image.YCbCr
	taken time.Time
	coded []byte // shot as JPEG; nil: not yet
}

// open gives the token of a leg of this call.
func (s *stills) open(leg callflow.LegID, p *peek) string {
	if s.remove == nil {
		s.call++
		call := s.call
		s.remove = p.add(func(picture drivers.Picture) { s.look(call, picture, time.Now()) })
	}
	return s.passes.issue(leg, s.call)
}

// leave ends a leg: its token opens nothing any more.
func (s *stills) leave(leg callflow.LegID) { s.passes.revoke(leg) }

// close ends the call, and with it what is left of its legs.
func (s *stills) close() {
	s.passes.clear()
	if s.remove != nil {
		s.remove()
		s.remove = nil
		go s.forget(s.call)
	}
}

// forget lets go of the picture of a call.
func (s *stills) forget(call int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == call {
		s.of, s.shot, s.coded = 0, nil, nil
	}
}

// look copies a picture of a call on its way to the encoder, twice a second at
// most, and not while the last one is being coded.
func (s *stills) look(call int, p drivers.Picture, now time.Time) {
	if !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	if s.of == call && now.Sub(s.taken) < stillEvery {
		return
	}
	s.shot = copied(s.shot, p)
	s.of, s.taken, s.coded = call, now, nil
}

// Still implements web.Stills.
func (s *stills) Still(token string) ([]byte, error) {
	pass, first, ok := s.passes.show(token)
	if !ok {
		return nil, web.ErrNoStill
	}
	if first && s.asked != nil {
		s.asked(pass.leg)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != pass.call || time.Since(s.taken) > stillFresh {
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

// callInfo says in an INVITE where the picture for its leg lies (RFC 3261 section
// 20.9); empty: nowhere, or not to this phone.
func (o *owner) callInfo(l *leg) string {
	doc := o.rules.doc
	if doc == nil || !doc.Call.Still || !o.rules.media.video {
		return ""
	}
	pictures := peekOf(o.video.camera)
	host, ok := o.line.pageHost(doc.Web.Listen)
	if pictures == nil || !ok || !o.phones.asks(l.peer, time.Now()) {
		return ""
	}
	l.showing.told = true
	return "<http://" + host + web.StillPath(o.stills.open(l.id, pictures)) + ">;purpose=icon"
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
	return "call.still is set: whoever reads an INVITE on the way can see the visitor until the call of that phone ends"
}
