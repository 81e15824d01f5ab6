package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// guard stands before every request, before its body is read.
//
// A page in an operator's browser can send requests to loopback, and with a name it makes resolve
// to 127.0.0.1 (DNS rebinding) it can read the answers. So on loopback a request must call the
// broker by a loopback name, and everywhere a request that says which page it comes from must come
// from the broker.
type guard struct {
	loopback bool
	token    [sha256.Size]byte
	hasToken bool
	places   places
	next     http.Handler
}

func newGuard(cfg Config, next http.Handler) *guard {
	return &guard{
		loopback: cfg.Loopback,
		token:    sha256.Sum256([]byte(cfg.Token)),
		hasToken: cfg.Token != "",
		places:   newPlaces(cfg),
		next:     next,
	}
}

// ServeHTTP lets a request through or answers why not.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case g.loopback && !isLoopbackHost(r.Host):
		refuse(w, http.StatusForbidden, "the Host header must be a loopback name or address")
		return
	case !sameOrigin(r):
		refuse(w, http.StatusForbidden, "the Origin header is foreign")
		return
	case !g.mayPass(r):
		w.Header().Set("WWW-Authenticate", `Bearer realm="hpmq"`)
		refuse(w, http.StatusUnauthorized, "a bearer token is needed; the broker keeps it in "+
			"data_dir/admin.token or the file of admin.token_file")
		return
	}
	place := g.places.of(r)
	select {
	case place <- struct{}{}:
		defer func() { <-place }()
		g.next.ServeHTTP(w, r)
	default:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, "too many requests at once")
	}
}

// mayPass compares hashes, so that the time it takes tells neither the letters nor the length.
func (g *guard) mayPass(r *http.Request) bool {
	if !g.hasToken {
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	same := subtle.ConstantTimeCompare(given[:], g.token[:]) == 1
	return same && strings.EqualFold(scheme, "Bearer")
}

// isLoopbackHost is true for localhost and loopback addresses, with or without port.
func isLoopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// sameOrigin is false for what a page from elsewhere sends. Programs send no Origin.
func sameOrigin(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	return err == nil && len(origins) == 1 && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// refuse answers a problem as RFC 9457 has it.
func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"status": status, "title": http.StatusText(status), "detail": detail,
	})
}
