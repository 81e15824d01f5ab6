package configs

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// CertificatesMax bounds the certificates of one listener, OriginsMax the pages that may connect,
// TrustedMax the ranges of proxies.
const (
	CertificatesMax = 64
	OriginsMax      = 64
	TrustedMax      = 64
)

func (l *Listener) validate(ps *Problems, at string, binds []bound) []bound {
	switch {
	case l.Name == "":
		ps.add(at+".name", "is missing")
	case !nameForm.MatchString(l.Name):
		ps.add(at+".name", "%q: only letters, digits, dot, dash and underscore, at most 64",
			clip(l.Name))
	}
	for _, role := range Roles() {
		validateChain(ps, at+".link."+role, role, *l.Link.Role(role))
	}
	if l.OnRemove != "" {
		oneOf(ps, at+".on_remove", l.OnRemove, OnRemoves())
	}
	ps.note(at+".drain_timeout", within(l.DrainTimeout, 0, Duration(day)))
	if l.Log != nil {
		l.Log.validate(ps, at+".log")
	}
	if l.Bind == "" {
		ps.add(at+".bind", "is missing; write tcp://127.0.0.1:1883")
		return binds
	}
	b, err := ParseBind(l.Bind)
	if err != nil {
		ps.add(at+".bind", "%v", err)
		return binds
	}
	for _, other := range binds {
		if b.Overlaps(other.Bind) {
			ps.add(at+".bind", "%s is taken by %s", l.Bind, other.path)
			break
		}
	}
	l.validateScheme(ps, at, b)
	return append(binds, bound{b, at + ".bind"})
}

// validateScheme looks at what is for some schemes only.
func (l *Listener) validateScheme(ps *Problems, at string, b Bind) {
	switch {
	case b.Secure() && (l.Secure == nil || len(l.Secure.Certificates) == 0):
		ps.add(at+".tls.certificates", "%s needs a certificate; write "+
			"tls: {certificates: [{certificate: server.pem, key: server.key}]}", l.Bind)
	case !b.Secure() && l.Secure != nil:
		ps.add(at+".tls", "is for tls:// and wss://; leave it out, or write bind: %s",
			b.as(map[string]string{TCP: TLS, WS: WSS, Unix: TLS}))
	case l.Secure != nil:
		l.Secure.validate(ps, at+".tls")
	}
	switch {
	case !b.WebSocket() && l.WebSocket != nil:
		ps.add(at+".websocket", "is for ws:// and wss://; leave it out, or write bind: %s",
			b.as(map[string]string{TCP: WS, TLS: WSS, Unix: WS}))
	case l.WebSocket != nil:
		l.WebSocket.validate(ps, at+".websocket")
	}
	if b.WebSocket() && len(l.Link.Codec) > 0 {
		ps.add(at+".link.codec", "is not for ws:// and wss://; leave it out, or write bind: %s",
			b.as(map[string]string{WS: TCP, WSS: TLS}))
	}
	if l.Proxy != nil {
		l.Proxy.validate(ps, at+".proxy_protocol", b)
	}
	switch mode, err := strconv.ParseUint(l.SocketMode, 8, 16); {
	case l.SocketMode == "":
	case b.Scheme != Unix:
		ps.add(at+".socket_mode", "is for unix://; leave it out")
	case err != nil || mode > 0o777:
		ps.add(at+".socket_mode", "%q is no mode; write \"0660\", in octal and in quotes",
			clip(l.SocketMode))
	}
}

// as is the bind with another scheme.
func (b Bind) as(schemes map[string]string) string {
	scheme := schemes[b.Scheme]
	if b.Scheme == Unix {
		return scheme + "://…"
	}
	b.Scheme = scheme
	return b.String()
}

func (s *Secure) validate(ps *Problems, at string) {
	if len(s.Certificates) > CertificatesMax {
		ps.add(at+".certificates", "%d are too many; at most %d", len(s.Certificates),
			CertificatesMax)
	}
	for i, c := range s.Certificates {
		path := fmt.Sprintf("%s.certificates[%d]", at, i)
		if c.Certificate == "" {
			ps.add(path+".certificate", "is missing; name a PEM file with the certificate")
		}
		if c.Key == "" {
			ps.add(path+".key", "is missing; name the PEM file with the key of %s",
				clip(c.Certificate))
		}
	}
	oneOf(ps, at+".client_auth", s.ClientAuth, []string{Off, Optional, Required})
	switch {
	case s.ClientCA == "" && (s.ClientAuth == Optional || s.ClientAuth == Required):
		ps.add(at+".client_auth", "%s needs client_ca: a PEM file with the authorities of client "+
			"certificates", s.ClientAuth)
	case s.ClientCA != "" && s.ClientAuth == Off:
		ps.add(at+".client_ca", "is not looked at; write client_auth: required, or optional")
	}
	oneOf(ps, at+".min_version", string(s.MinVersion), []string{"1.2", "1.3"})
	ps.note(at+".handshake_timeout", within(s.HandshakeTimeout, Duration(10*time.Millisecond),
		Duration(10*time.Minute)))
	ps.note(at+".handshakes_max", within(s.HandshakesMax, 1, 1_000_000))
	ps.note(at+".handshakes_per_source_max", within(s.HandshakesPerSourceMax, 1, 1_000_000))
}

func (w *WebSocket) validate(ps *Problems, at string) {
	u, err := url.ParseRequestURI(w.Path)
	switch {
	case !strings.HasPrefix(w.Path, "/"):
		ps.add(at+".path", "%q must begin with /; write /mqtt", clip(w.Path))
	case err != nil || u.RawQuery != "" || strings.ContainsAny(w.Path, " #") || len(w.Path) > 256:
		ps.add(at+".path", "%q is no path; write /mqtt", clip(w.Path))
	}
	if len(w.Origins) > OriginsMax {
		ps.add(at+".origins", "%d are too many; at most %d", len(w.Origins), OriginsMax)
	}
	for i, o := range w.Origins {
		if !originLike(o) {
			ps.add(fmt.Sprintf("%s.origins[%d]", at, i), "%q is no origin; write "+
				"https://a.example, https://a.example:8443 or https://*.example", clip(o))
		}
	}
}

// originLike is true for scheme://host and scheme://host:port; a star may stand for the first
// labels of the host.
func originLike(s string) bool {
	u, err := url.Parse(strings.Replace(s, "://*.", "://", 1))
	return err == nil && u.Scheme != "" && u.Host != "" && !strings.Contains(u.Host, "*") &&
		u.User == nil && u.Path == "" && u.RawQuery == "" && u.Fragment == ""
}

func (p *Proxy) validate(ps *Problems, at string, b Bind) {
	if len(p.Trusted) > TrustedMax {
		ps.add(at+".trusted", "%d are too many; at most %d", len(p.Trusted), TrustedMax)
	}
	for i, s := range p.Trusted {
		path := fmt.Sprintf("%s.trusted[%d]", at, i)
		switch {
		case s == Unix && b.Scheme != Unix:
			ps.add(path, "%s is for unix://; write the addresses of the proxies", s)
		case s != Unix && b.Scheme == Unix:
			ps.add(path, "%q: a unix socket has no addresses; write trusted: [unix]", clip(s))
		case s != Unix:
			if _, err := parsePrefix(s); err != nil {
				ps.add(path, "%v", err)
			}
		}
	}
	ps.note(at+".timeout", within(p.Timeout, Duration(10*time.Millisecond),
		Duration(10*time.Minute)))
}
