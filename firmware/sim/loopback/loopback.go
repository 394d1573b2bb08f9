// Package loopback is what the building's HTTP servers share: who may ask, and
// small JSON and sound helpers. They listen on loopback only.
package loopback

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// maxBody bounds a request's JSON, in bytes.
const maxBody = 4096

// Address reads "host:port" and refuses what is not loopback.
func Address(s string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(s)
	if err != nil {
		return at, fmt.Errorf("address %q: %w", s, err)
	}
	if !at.Addr().IsLoopback() {
		return at, fmt.Errorf("address %s is not loopback, and the building listens nowhere else", at)
	}
	return at, nil
}

// Guard lets through to h only what was meant for it: the Host is our own
// address, and the Origin, if a browser names one, is our own page. So no page
// of another site works the building, by whatever name it reaches us.
func Guard(own string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !sameHost(r.Host, own) {
			http.Error(w, "unknown host", http.StatusMisdirectedRequest)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" {
			u, err := url.Parse(origin)
			if err != nil || u.Scheme != "http" || u.Host != r.Host {
				http.Error(w, "foreign origin", http.StatusForbidden)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// sameHost accepts our address, and "localhost" with our port.
func sameHost(host, own string) bool {
	if host == own {
		return true
	}
	_, port, err := net.SplitHostPort(own)
	return err == nil && host == net.JoinHostPort("localhost", port)
}

// Server is an HTTP server with the time-outs of ours.
func Server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
}

// Reply answers with JSON.
func Reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		slog.Debug("reply not written", "err", err)
	}
}

// Refuse answers with the reason as JSON.
func Refuse(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": err.Error()}) // the asker is gone, then
}

// Read takes a request's JSON. An empty body leaves v as it is.
func Read(r *http.Request, v any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if len(raw) > maxBody {
		return fmt.Errorf("body is longer than %d bytes", maxBody)
	}
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}

// PCM writes samples as signed 16 bit little endian.
func PCM(pcm []int16) []byte {
	b := make([]byte, 0, 2*len(pcm))
	for _, s := range pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// Samples reads what PCM wrote; half a sample at the end is left out.
func Samples(b []byte) []int16 {
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}
