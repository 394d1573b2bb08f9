package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// policy lets the page use its own files and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

// guarded refuses what does not come from the page itself, and sets the headers
// that each answer has.
func (h *handler) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		switch {
		case !h.knownHost(r):
			h.refuse(w, r, http.StatusMisdirectedRequest, "this page is reached by the panel's own address only")
		case !sameOrigin(r):
			h.refuse(w, r, http.StatusForbidden, "this request comes from another page")
		case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
			w.Header().Set("Allow", "GET, HEAD, POST")
			h.refuse(w, r, http.StatusMethodNotAllowed, "there is no such method here")
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			next.ServeHTTP(w, r)
		}
	})
}

func setHeaders(head http.Header) {
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("X-Frame-Options", "DENY")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	head.Set("Cache-Control", "no-store")
}

// knownHost says whether the request names this panel: the address and port
// that it came to, or a configured name. A foreign name that leads here is DNS
// rebinding.
func (h *handler) knownHost(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	own, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return false
	}
	name, port := splitHost(r.Host)
	if port != own.Port() {
		return false
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Unmap().WithZone("") == own.Addr().Unmap().WithZone("")
	}
	if strings.EqualFold(name, "localhost") {
		return own.Addr().Unmap().IsLoopback() // browsers never ask the network for this name
	}
	for _, host := range h.opt.Hosts {
		if strings.EqualFold(name, host) {
			return true
		}
	}
	return false
}

// splitHost reads a Host header. Without a port it is HTTP's own.
func splitHost(host string) (name string, port uint16) {
	const httpPort = 80
	if ap, err := netip.ParseAddrPort(host); err == nil {
		return ap.Addr().String(), ap.Port()
	}
	name, digits, err := net.SplitHostPort(host)
	if err != nil {
		return strings.Trim(host, "[]"), httpPort
	}
	n, err := net.LookupPort("tcp", digits)
	if err != nil || digits == "" || digits[0] < '0' || digits[0] > '9' {
		return name, 0
	}
	return name, uint16(n)
}

// sameOrigin says whether the request was made by our own page. A browser
// names the origin of every POST (the fetch standard, section "Origin
// header"); a GET may come without, but not with a foreign one.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Origin") == ""
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return r.Method == http.MethodGet || r.Method == http.MethodHead
	}
	origin, err := url.Parse(origins[0])
	return err == nil && len(origins) == 1 && origin.Scheme == "http" && strings.EqualFold(origin.Host, r.Host)
}

// refuse answers with a sentence and records it for whoever looks for the
// reason.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	h.log.Debug("page request refused", "from", source(r), "method", r.Method, "path", shownPath(r), "why", why)
	answer(w, status, problem{Error: why})
}

// source is the address that a request came from, without its port.
func source(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}
