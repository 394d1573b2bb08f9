//go:build board

package e2e

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/zaf/g711"

	"doorstation/board/emulator"
	"doorstation/callflow/timeline"
)

const (
	spokenHz = 600.0 // by anna
	streetHz = 900.0 // into the far side of the board's sound card
)

// The kernel's camera, its sound card and the network cable go away in a call
// and come back. The call goes on, sound and picture return, and the door opens
// at its end.
func TestBoardUnplugged(t *testing.T) {
	s := newStreet(t)
	startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword, "anna": "a-word"})
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: "10.0.0.5", speaks: spokenHz, video: true})
	p := bootPanel(s.boardHost("board", 10), boardSetup{
		board: "qemu-virt-armhf", config: config{targets: []string{"sip:anna@10.0.0.5"}, call: "talk_for: 10m"},
		files: []emulator.File{{Path: "tmp/street.wav", Content: wav(sine(streetHz, 60))}},
	})
	p.registered()
	p.finger("BUTTON1")
	anna.event("CALL_INCOMING")
	anna.accept()
	anna.event("CALL_ESTABLISHED")

	p.shownTo(anna.host, 5)
	p.heardBothWays(anna)

	p.unplugged("vivid")
	p.plugged("vivid", "n_devs=1 node_types=0x1")
	p.partBack("camera")
	p.shownTo(anna.host, 10+p.shown(anna.host))

	p.unplugged("snd_aloop")
	p.plugged("snd-aloop", "")
	p.partBack("sound")
	p.heardBothWays(anna)

	p.cable(3 * time.Second)
	p.shownTo(anna.host, 10+p.shown(anna.host))
	p.heardBothWays(anna)

	anna.types(rightCode + endKey)
	p.edge("DOOR1", true, 0)
	p.edge("DOOR1", false, 0)
	anna.hangUp()
	record := p.ended()
	t.Logf("inside:\n%s", drawn(record))
	wantRecord(t, record, "talked", map[timeline.Name]int{
		timeline.Answered: 1, timeline.PartLost: 2, timeline.PartBack: 2, timeline.CodeRight: 1, timeline.RelayOn: 1,
	})
	p.registered()
}

// unplugged takes a platform device of a driver away, as when its cable is
// pulled, and then the driver's module.
func (p *boardPanel) unplugged(driver string) {
	p.t.Helper()
	p.shell(fmt.Sprintf("echo %[1]s.0 >/sys/bus/platform/drivers/%[1]s/unbind; until rmmod %[1]s; do usleep 100000; done 2>/dev/null", driver))
}

// plugged brings a module back.
func (p *boardPanel) plugged(module, args string) {
	p.t.Helper()
	p.shell("modprobe " + module + " " + args)
}

// partBack waits until the call's record says that a part is back.
func (p *boardPanel) partBack(part string) {
	p.t.Helper()
	began := time.Now()
	awaitFor(p.t, boardPatience, part+" is back", func() error {
		records := p.records()
		if len(records) == 0 || !records[0].Running() {
			return fmt.Errorf("the call has ended: %d records", len(records))
		}
		if back := marks(records[0], timeline.PartBack); len(back) == 0 || back[len(back)-1].Detail != part {
			return fmt.Errorf("marks %v", back)
		}
		return nil
	})
	p.t.Logf("%s is back %v after its module", part, time.Since(began))
}

// cable pulls the network cable for a while.
func (p *boardPanel) cable(out time.Duration) {
	p.t.Helper()
	for _, in := range []bool{false, true} {
		if err := p.Plug(in); err != nil {
			p.t.Fatal(err)
		}
		if !in {
			pause(p.t, out)
		}
	}
}

// shown is how many pictures have been sent to a host.
func (p *boardPanel) shown(h *host) int { return pictures(p.wire.all(p.pictureTo(h))) }

// heardBothWays waits until a tone at the far side of the kernel's sound card is
// in the packets to the phone, and the phone's tone comes out at the far side. A
// busy machine tears sound to pieces: it listens several times.
func (p *boardPanel) heardBothWays(phone *baresip) {
	p.t.Helper()
	const tries, enough = 5, 0.5 // seconds of three
	var spoken, heard float64
	for range tries {
		began := time.Now()
		p.shell("aplay -q -D plughw:0,1,0 /tmp/street.wav & sound=$!; arecord -q -D plughw:0,1,0 -f S16_LE -r 8000 -c 1 -d 3 /tmp/heard.wav; kill $sound; true")
		samples, err := wavSamples(p.fetch("/tmp/heard.wav"))
		if err != nil {
			p.t.Fatalf("what the panel's speaker said %v", err)
		}
		heard = max(heard, toneSeconds(samples, spokenHz))
		spoken = max(spoken, toneSeconds(p.soundTo(phone.host, began), streetHz))
		if heard >= enough && spoken >= enough {
			return
		}
	}
	p.t.Errorf("%.1f s of %.0f Hz at the panel's speaker, %.1f s of %.0f Hz in the packets to %s; want %.1f s of each",
		heard, spokenHz, spoken, streetHz, phone.name, enough)
}

// soundTo is what was sent to a host as sound since a time.
func (p *boardPanel) soundTo(h *host, since time.Time) []int16 {
	var sound []int16
	for _, k := range p.wire.all(func(k packet) bool {
		return k.sent && !k.tcp && k.dst.Addr() == h.addr && len(k.payload) == 172 && k.at.After(since)
	}) {
		for _, b := range k.payload[12:] {
			sound = append(sound, g711.DecodeUlawFrame(b))
		}
	}
	return sound
}

// fetch is a file of the guest.
func (p *boardPanel) fetch(path string) []byte {
	p.t.Helper()
	var door net.Listener
	err := inside(p.host.street.name, func() (err error) {
		door, err = net.Listen("tcp4", "10.0.0.1:0")
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	defer door.Close()
	got := make(chan []byte, 1)
	go func() {
		defer close(got)
		conn, err := door.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if all, err := io.ReadAll(conn); err == nil {
			got <- all
		}
	}()
	address := door.Addr().(*net.TCPAddr).AddrPort()
	p.shell(fmt.Sprintf("nc -w 10 %s %d <%s", address.Addr(), address.Port(), path))
	select {
	case content := <-got:
		return content
	case <-p.wait().Done():
		p.t.Fatalf("%s did not come out of the guest", path)
		return nil
	}
}
