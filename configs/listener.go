package configs

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"time"
)

// Listener is one door for clients.
type Listener struct {
	// Name is unique among the listeners.
	Name string `yaml:"name"`
	// Bind is where it listens, see ParseBind; an empty host means every address, port 0 any free
	// one.
	Bind string `yaml:"bind"`
	// Secure is how it is encrypted: of tls and wss, which need it, and of no other.
	Secure *Secure `yaml:"tls,omitempty"`
	// WebSocket is of ws and wss; nil is DefaultWebSocket.
	WebSocket *WebSocket `yaml:"websocket,omitempty"`
	// Proxy says who tells for whom it connects; nil: nobody.
	Proxy *Proxy `yaml:"proxy_protocol,omitempty"`
	// SocketMode are the permissions of a unix socket in octal; empty is DefaultSocketMode.
	SocketMode string `yaml:"socket_mode,omitempty"`
	// OnRemove is what becomes of its connections when a new configuration has it no more: Drain,
	// Keep or Close. Empty is Drain.
	OnRemove string `yaml:"on_remove"`
	// DrainTimeout is the time over which Drain ends them; 0 is at once.
	DrainTimeout Duration `yaml:"drain_timeout"`
	Limits       Limits   `yaml:"limits"`
	// Log says what is logged of its messages; nil: nothing.
	Log  *MessageLog `yaml:"log,omitempty"`
	Link Link        `yaml:"link"`
}

// What becomes of the connections of a listener that is removed.
const (
	Drain = "drain" // told to go elsewhere, a slice at a time
	Keep  = "keep"  // they go on until they end by themselves
	Close = "close" // ended at once
)

// OnRemoves lists what OnRemove can be.
func OnRemoves() []string { return []string{Drain, Keep, Close} }

// DefaultSocketMode lets the owner and the group in.
const DefaultSocketMode = "0660"

// Secure is how a listener is encrypted.
type Secure struct {
	// Certificates are tried by the name that the client asks for (SNI); the first serves those
	// that ask for none of them.
	Certificates []Certificate `yaml:"certificates"`
	// ClientCA is a PEM file with the authorities that may sign client certificates.
	ClientCA string `yaml:"client_ca"`
	// ClientAuth is off, optional (verified if given) or required.
	ClientAuth string `yaml:"client_auth"`
	// MinVersion is 1.2 or 1.3.
	MinVersion TLSVersion `yaml:"min_version"`
	// HandshakeTimeout is how long a handshake may take.
	HandshakeTimeout Duration `yaml:"handshake_timeout"`
	// HandshakesMax is how many may be under way, HandshakesPerSourceMax how many of one address.
	HandshakesMax          int `yaml:"handshakes_max"`
	HandshakesPerSourceMax int `yaml:"handshakes_per_source_max"`
}

// Certificate is a pair of PEM files.
type Certificate struct {
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
}

// What ClientAuth can be; Off is another.
const (
	Optional = "optional"
	Required = "required"
)

// WebSocket is how a listener speaks WebSocket.
type WebSocket struct {
	// Path is the one that requests must have.
	Path string `yaml:"path"`
	// Origins are the pages that may connect, as https://a.example or https://*.example; empty
	// allows any. Programs send none and are let in.
	Origins []string `yaml:"origins"`
}

// Proxy is what a listener takes from proxies in front of it.
type Proxy struct {
	// Trusted are the addresses, as 10.0.0.0/8, that must begin each connection with a PROXY
	// header; unix stands for those of a unix socket. Empty: none.
	Trusted []string `yaml:"trusted"`
	// Timeout is how long the header may take.
	Timeout Duration `yaml:"timeout"`
}

// TLSVersion is a version of TLS, as 1.3.
type TLSVersion string

// UnmarshalText takes the number as it is written.
func (v *TLSVersion) UnmarshalText(text []byte) error {
	*v = TLSVersion(text)
	return nil
}

// MarshalText is the version as it is written.
func (v TLSVersion) MarshalText() ([]byte, error) { return []byte(v), nil }

// DefaultListener is a listener with all default components.
func DefaultListener(name, bind string, l Limits) Listener {
	return Listener{
		Name: name, Bind: bind, Limits: l, Link: DefaultLink(), OnRemove: Drain,
		DrainTimeout: Duration(30 * time.Second), // 10,000 clients come back at 330 a second
	}
}

// DefaultSecure is all but the files.
func DefaultSecure() Secure {
	return Secure{
		Certificates: []Certificate{}, ClientAuth: Off, MinVersion: "1.2",
		HandshakeTimeout:       Duration(10 * time.Second),
		HandshakesMax:          256, // some 60 KB each
		HandshakesPerSourceMax: 64,  // a site behind one address that comes back at once
	}
}

// DefaultWebSocket is what clients expect that are told nothing else.
func DefaultWebSocket() WebSocket { return WebSocket{Path: "/mqtt", Origins: []string{}} }

// DefaultProxy trusts nobody.
func DefaultProxy() Proxy {
	return Proxy{Trusted: []string{}, Timeout: Duration(3 * time.Second)}
}

// WebSocketOf answers how a ws or wss listener speaks WebSocket.
func (l *Listener) WebSocketOf() WebSocket {
	if l.WebSocket != nil {
		return *l.WebSocket
	}
	return DefaultWebSocket()
}

// Prefixes answers the trusted addresses, and whether those of a unix socket are. It is for a Proxy
// that is valid.
func (p *Proxy) Prefixes() (trusted []netip.Prefix, unix bool) {
	for _, s := range p.Trusted {
		if s == Unix {
			unix = true
		} else if prefix, err := parsePrefix(s); err == nil {
			trusted = append(trusted, prefix)
		}
	}
	return trusted, unix
}

// parsePrefix reads 10.0.0.0/8, or one address.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no address and no range; write 10.0.0.0/8, fd00::/8 or %s",
			clip(s), Unix)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%s has bits beyond its length; write %s", s, p.Masked())
	}
	return p, nil
}

// Files lists the files of l that are read beside components.
func (s *Secure) Files() []string {
	var files []string
	for _, c := range s.Certificates {
		files = append(files, c.Certificate, c.Key)
	}
	if s.ClientCA != "" {
		files = append(files, s.ClientCA)
	}
	return slices.Compact(files)
}

// relativeTo makes the relative paths of the listener relative to dir.
func (l *Listener) relativeTo(dir string) {
	l.Link.relativeTo(dir)
	if l.Log != nil && l.Log.Redact != nil {
		l.Log.Redact.relativeTo(dir)
	}
	if l.Secure == nil {
		return
	}
	under := func(file *string) {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
	for i := range l.Secure.Certificates {
		under(&l.Secure.Certificates[i].Certificate)
		under(&l.Secure.Certificates[i].Key)
	}
	under(&l.Secure.ClientCA)
}
