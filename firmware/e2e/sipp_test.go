package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A sipp is a phone that does what its scenario says, once, on port 5060. It
// asks nobody and registers nowhere: the panel rings its address.
type sipp struct {
	*process
	host *host
	dir  string
	way  string // "udp" or "tcp"
}

// startSipp runs sipp/scenario.xml for one call, "scenario over TCP" with a TCP
// listener. words stand for others in the scenario: [status] and what it is, in
// turn. [media] is the phone's address.
func startSipp(h *host, scenario string, words ...string) *sipp {
	h.t.Helper()
	return playSipp(h, scenario, words)
}

// playSipp is startSipp with arguments for SIPp: whom it calls, how often.
func playSipp(h *host, scenario string, words []string, args ...string) *sipp {
	h.t.Helper()
	s := &sipp{host: h, dir: scratch(h.t, h.name), way: "udp"}
	scenario, overTCP := strings.CutSuffix(scenario, " over TCP")
	if overTCP {
		s.way, args = "tcp", append(args, "-t", "t1")
	}
	text, err := os.ReadFile(filepath.Join("sipp", scenario+".xml"))
	if err != nil {
		h.t.Fatal(err)
	}
	told := strings.NewReplacer(append(words, "[media]", h.addr.String())...).Replace(string(text))
	s.process = h.command(h.name, "sipp", append(s.args(write(h.t, s.dir, scenario+".xml", told)), args...)...)
	s.process.cmd.Dir = s.dir
	s.run()
	s.until("sipp listens", func() error { return s.listens(s.way, 5060) })
	return s
}

func (s *sipp) args(scenario string) []string {
	return []string{
		"-sf", scenario, "-i", s.host.addr.String(), "-p", "5060", "-m", "1", "-nostdin",
		"-mi", s.host.addr.String(), "-mp", "7000",
		"-timeout", "100s", "-timeout_error",
		"-trace_err", "-error_file", filepath.Join(s.dir, "errors"),
		"-trace_msg", "-message_file", filepath.Join(s.dir, "messages"),
	}
}

// uri is what the panel rings.
func (s *sipp) uri() string {
	uri := "sip:phone@" + s.host.at(5060).String()
	if s.way == "tcp" {
		uri += ";transport=tcp"
	}
	return uri
}

// played waits until the scenario is over and fails unless every step of it
// came about.
func (s *sipp) played() {
	s.host.t.Helper()
	s.playedIn(patience)
}

// playedIn is played for a scenario that lasts.
func (s *sipp) playedIn(limit time.Duration) {
	s.host.t.Helper()
	if code := s.wait(limit); code != 0 {
		errors, _ := os.ReadFile(filepath.Join(s.dir, "errors"))
		s.host.t.Errorf("%s: sipp ends with %d, want 0 (its scenario as written)\n%s", s.name, code, errors)
	}
}

// listens says whether the process's host has a socket of its own on port.
func (p *process) listens(protocol string, port int) error {
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", p.cmd.Process.Pid, protocol))
	if err != nil {
		return err
	}
	want := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasSuffix(fields[1], want) {
			return nil
		}
	}
	return errors.New("no socket on its port yet")
}

func TestSippCallsSipp(t *testing.T) {
	s := newStreet(t)
	callee := startSipp(s.host("callee", 31), "answer")
	caller := s.host("caller", 32)
	dir := scratch(t, "caller")
	p := caller.command("caller", "sipp", "-sn", "uac", "-i", caller.addr.String(), "-m", "1", "-nostdin",
		"-d", "200", "-timeout", "20s", "-timeout_error", callee.host.at(5060).String())
	p.cmd.Dir = dir
	p.run()
	if code := p.wait(patience); code != 0 {
		t.Errorf("SIPp's own caller ends with %d\n%s", code, p.tail())
	}
	callee.played()
}

func TestSippAnswersBaresip(t *testing.T) {
	s := newStreet(t)
	phone := startSipp(s.host("phone", 31), "answer")
	caller := startBaresip(s.host("caller", 32), handset{user: "caller", speaks: 500, video: true})
	wire := phone.host.capture()
	caller.dial(phone.uri())
	caller.event("CALL_ESTABLISHED")
	wire.first("the caller's sound", func(p packet) bool { return !p.sent && p.dst == phone.host.at(6000) })
	caller.hangUp()
	phone.played()
}

// A pause of a test that must let time pass on the wire, such as the gap
// between two keys of a slow finger.
func pause(t testing.TB, d time.Duration) {
	t.Helper()
	<-time.After(d)
}
