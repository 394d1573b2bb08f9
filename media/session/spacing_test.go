package session

import (
	"encoding/binary"
	"math"
	"net"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkSpacing prints how evenly audio packets leave, by the kernel's own
// receive stamps: the standard deviation of the distance between packets, and
// the 99th percentile of how far a distance is off 20 ms. Run it with
// -benchtime=1000x for 20 s.
func BenchmarkSpacing(b *testing.B) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	stampArrivals(b, conn)
	s := connected(b, conn.LocalAddr().String())
	began := time.Now()
	s.Speak(singer(440))
	var at []time.Duration
	for len(at) <= b.N {
		if t, ok := arrival(b, conn); ok {
			at = append(at, t)
		}
	}
	first := at[0] - time.Duration(began.UnixNano())
	report(b, at, first)
}

// stampArrivals makes the kernel stamp what comes to conn.
func stampArrivals(b *testing.B, conn *net.UDPConn) {
	b.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		b.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	}); err != nil || failed != nil {
		b.Fatal(err, failed)
	}
}

// arrival is when the next RTP packet of the audio came.
func arrival(b *testing.B, conn *net.UDPConn) (time.Duration, bool) {
	b.Helper()
	buf, control := make([]byte, 2048), make([]byte, 128)
	n, oobn, _, _, err := conn.ReadMsgUDP(buf, control)
	if err != nil {
		b.Fatal(err)
	}
	if n != headerSize+frameSamples {
		return 0, false
	}
	messages, err := unix.ParseSocketControlMessage(control[:oobn])
	if err != nil || len(messages) != 1 {
		b.Fatal("no time stamp", err)
	}
	return stampOf(messages[0].Data), true
}

// stampOf reads a struct timespec of this machine's word size.
func stampOf(raw []byte) time.Duration {
	if len(raw) == 8 {
		return time.Duration(binary.NativeEndian.Uint32(raw))*time.Second + time.Duration(binary.NativeEndian.Uint32(raw[4:]))
	}
	return time.Duration(binary.NativeEndian.Uint64(raw))*time.Second + time.Duration(binary.NativeEndian.Uint64(raw[8:]))
}

func report(b *testing.B, at []time.Duration, first time.Duration) {
	var off []float64
	var squares float64
	for i := 1; i < len(at); i++ {
		d := (at[i] - at[i-1] - frameTime).Seconds() * 1000
		off = append(off, math.Abs(d))
		squares += d * d
	}
	if len(off) == 0 {
		return
	}
	slices.Sort(off)
	b.ReportMetric(math.Sqrt(squares/float64(len(off))), "sd-ms")
	b.ReportMetric(off[len(off)*99/100], "p99-ms")
	b.ReportMetric(off[len(off)-1], "worst-ms")
	b.ReportMetric(first.Seconds()*1000, "first-ms")
}
