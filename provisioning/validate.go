package provisioning

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A validator checks a filled document as a whole.
type validator struct {
	*faults
	doc  *Document
	lim  Limits
	kept bool // the panel's own copy: codes are sealed, named files may have gone
}

func (v *validator) all() {
	v.network()
	v.accounts()
	v.doors()
	v.flats()
	v.keypad()
	v.call()
	v.inbound()
	v.audio()
	v.video()
	v.stun()
	v.time()
	v.web()
}

func (v *validator) call() {
	c := &v.doc.Call
	v.lasting("call.ring_for", c.RingFor)
	v.lasting("call.talk_for", c.TalkFor)
	v.lasting("call.warn_before", c.WarnBefore)
	v.lasting("call.hang_up_after_open", c.HangUpAfterOpen)
	v.lasting("call.no_media_for", c.NoMediaFor)
	v.oneOf("call.second_press", c.SecondPress, secondPresses)
	v.lasting("call.session_expires", c.SessionExpires)
	v.lasting("call.probe", c.Probe)
	v.dialPlan()
	v.transfers()
	v.oneOf("call.refusal", c.Refusal, refusals)
	if c.WarnBefore >= c.TalkFor {
		v.add("call.warn_before", c.WarnBefore.String(), fmt.Sprintf("must be shorter than call.talk_for, which is %v", c.TalkFor))
	}
}

func (v *validator) audio() {
	if len(v.doc.Audio.Codecs) == 0 {
		v.add("audio.codecs", "", "names no codec; known: "+words(codecs))
	}
	for i, c := range v.doc.Audio.Codecs {
		v.oneOf(fmt.Sprintf("audio.codecs[%d]", i), c, codecs)
	}
	v.unique("audio.codecs", v.doc.Audio.Codecs)
}

func (v *validator) video() {
	p := &v.doc.Video
	v.number("video.width", p.Width)
	v.number("video.height", p.Height)
	v.number("video.fps", p.FPS)
	v.number("video.kbps", p.Kbps)
	v.oneOf("video.camera_power", p.CameraPower, cameraPowers)
	v.picture("video.width", p.Width, v.lim.MaxWidth, " pixels")
	v.picture("video.height", p.Height, v.lim.MaxHeight, " pixels")
	v.picture("video.fps", p.FPS, v.lim.MaxFPS, " frames a second")
	v.even("video.width", p.Width)
	v.even("video.height", p.Height)
}

// picture checks a size against the board; a most of 0 is no limit.
func (v *validator) picture(path string, n, most int, unit string) {
	if most > 0 && n > most {
		v.add(path, fmt.Sprint(n), fmt.Sprintf("board %q gives at most %d%s", v.lim.Board, most, unit))
	}
}

func (v *validator) even(path string, n int) {
	if n%2 != 0 {
		v.add(path, fmt.Sprint(n), "must be even")
	}
}

// oneOf checks a word against the words that are known.
func (v *validator) oneOf(path, word string, known []string) {
	if !slices.Contains(known, word) {
		v.add(path, word, "must be "+words(known))
	}
}

// unique refuses the second of two equal entries of a list.
func (v *validator) unique(path string, list []string) {
	for i, s := range list {
		if first := slices.Index(list, s); first < i {
			v.add(fmt.Sprintf("%s[%d]", path, i), s, fmt.Sprintf("stands in the list already, as %s[%d]", path, first))
		}
	}
}

// required refuses an empty setting.
func (v *validator) required(path, s string) {
	if s == "" {
		v.add(path, "", "is required and missing or empty")
	}
}

// file checks that a named file can be read. The panel's kept copy is not
// refused for a file that has gone since: a panel without TLS can still say so.
func (v *validator) file(path, name string) {
	if name == "" || v.kept {
		return
	}
	f, err := os.Open(name)
	if err != nil {
		v.add(path, name, "this file cannot be read: "+plainCause(err))
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		v.add(path, name, "this is no file with something in it")
	}
}

// words lists what may be written: `"a", "b" or "c"`.
func words(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}
