package trace

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// Width of a ladder's column, in letters.
const column = 34

const timeLayout = "15:04:05.000"

// Ladder draws messages as a ladder: the panel at the left, each of its peers in
// a column of its own, in the order they came in.
func Ladder(w io.Writer, all []Message) error {
	peers := peersOf(all)
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", len(timeLayout)) + "  panel")
	for i, p := range peers {
		pad := column
		if i == 0 {
			pad -= len("panel")
		}
		b.WriteString(fmt.Sprintf("%*s", pad, p))
	}
	b.WriteString("\n")
	for _, m := range all {
		for i, p := range peers {
			if p == m.Peer {
				fmt.Fprintf(&b, "%s  %s\n", m.At.Local().Format(timeLayout), rung(m, (i+1)*column))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func peersOf(all []Message) []netip.AddrPort {
	var peers []netip.AddrPort
	known := map[netip.AddrPort]bool{}
	for _, m := range all {
		if !known[m.Peer] {
			known[m.Peer] = true
			peers = append(peers, m.Peer)
		}
	}
	return peers
}

// rung draws one message over so many letters.
func rung(m Message, width int) string {
	title := m.Title()
	if m.Field("Content-Type") != "" && strings.Contains(strings.ToLower(m.Field("Content-Type")), "sdp") {
		title += " (SDP)"
	}
	if m.Network != "udp" {
		title += " [" + m.Network + "]"
	}
	room := width - len("|-  ->|")
	if utf8.RuneCountInString(title) > room {
		title = string([]rune(title)[:room-1]) + "…"
	}
	line := strings.Repeat("-", max(0, room-utf8.RuneCountInString(title)))
	if m.Out {
		return "|- " + title + " " + line + "->|"
	}
	return "|<- " + title + " " + line + "-|"
}
