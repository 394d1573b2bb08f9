package station

import (
	"fmt"
	"path/filepath"
	"testing"

	"doorstation/firmware/control"
	"doorstation/firmware/history"
)

// The record of a call that the end of the process cut short is on the flash.
func TestShutdownKeepsTheRecord(t *testing.T) {
	phone := newScriptPhone(t, func(*scriptCall) {})
	p := startPanel(t, fmt.Sprintf(randomConfig, phone.uri(), "sip:nobody@127.0.0.1:9"))
	if err := p.Press("button1"); err != nil {
		t.Fatal(err)
	}
	p.await("the ringing", func() bool { return p.Status().Call.State == control.CallRinging })
	p.stop()
	store, err := history.Open(filepath.Join(p.run, "data", "records"), history.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if all := store.Records(); len(all) != 1 || all[0].Result != "shutdown" {
		t.Errorf("on the flash is %+v", all)
	}
}
