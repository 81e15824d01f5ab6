package configs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The schemes of a bind.
const (
	TCP  = "tcp"  // MQTT on TCP
	TLS  = "tls"  // MQTT in TLS
	WS   = "ws"   // MQTT in WebSocket
	WSS  = "wss"  // MQTT in WebSocket in TLS
	Unix = "unix" // MQTT on a socket in the file system
)

// Schemes lists what a bind can begin with.
func Schemes() []string { return []string{TCP, TLS, WS, WSS, Unix} }

// socketPathMax is what the system takes as the path of a unix socket, without its end.
const socketPathMax = 107

// Bind is where a listener listens.
type Bind struct {
	// Scheme is one of Schemes.
	Scheme string
	// Host is a name, an address, or empty for every address of the machine.
	Host string
	// Port 0 is any free one.
	Port uint16
	// Path is of a unix socket, absolute; empty for the others.
	Path string
}

// ParseBind reads tcp://host:port (tls, ws, wss likewise) or unix:///path.
func ParseBind(s string) (Bind, error) {
	u, err := url.Parse(s)
	_, rest, _ := strings.Cut(s, "://")
	switch {
	case strings.Count(rest, ":") > 1 && !strings.Contains(rest, "["):
		return Bind{}, fmt.Errorf("%q: an IPv6 address stands in brackets: tcp://[::1]:1883", s)
	case err == nil && u.Scheme == Unix:
		return parseUnix(s, u)
	case err != nil || u.Scheme == "" || u.Host == "":
		if _, portErr := parseHostPort(s); portErr == nil {
			return Bind{}, fmt.Errorf("%q lacks the protocol; write tcp://%s", s, s)
		}
		return Bind{}, fmt.Errorf("%q is not an address; write tcp://127.0.0.1:1883", s)
	case !slices.Contains(Schemes(), u.Scheme):
		return Bind{}, fmt.Errorf("%q: protocol %s is not known%s; known: %s", s, u.Scheme,
			alias(u.Scheme), strings.Join(Schemes(), ", "))
	case u.Path != "" && (u.Scheme == WS || u.Scheme == WSS):
		return Bind{}, fmt.Errorf("%q: nothing may follow the port; the path is "+
			"websocket: {path: %s}", s, u.Path)
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return Bind{}, fmt.Errorf("%q: nothing may follow the port", s)
	case strings.HasPrefix(u.Host, "*:"):
		return Bind{}, fmt.Errorf("%q: leave the host out for every address: %s://%s", s, u.Scheme,
			u.Host[1:])
	}
	b, err := parseHostPort(u.Host)
	if err != nil {
		return Bind{}, fmt.Errorf("%q: %w", s, err)
	}
	b.Scheme = u.Scheme
	return b, nil
}

// alias says what other programs' words are here.
func alias(scheme string) string {
	switch scheme {
	case "mqtt":
		return " (it is tcp here)"
	case "mqtts", "ssl":
		return " (it is tls here)"
	case "http":
		return " (it is ws here)"
	case "https":
		return " (it is wss here)"
	}
	return ""
}

func parseUnix(s string, u *url.URL) (Bind, error) {
	switch {
	case u.Host != "" || u.Opaque != "":
		return Bind{}, fmt.Errorf("%q: the path must be absolute, with three slashes: "+
			"unix:///run/hpmq.sock", s)
	case len(u.Path) < 2 || strings.HasSuffix(u.Path, "/"):
		return Bind{}, fmt.Errorf("%q names no file; write unix:///run/hpmq.sock", s)
	case len(u.Path) > socketPathMax || strings.ContainsRune(u.Path, 0):
		return Bind{}, fmt.Errorf("%q: the path of a socket has at most %d bytes", clip(s),
			socketPathMax)
	case u.RawQuery != "" || u.Fragment != "":
		return Bind{}, fmt.Errorf("%q: nothing may follow the path", s)
	}
	return Bind{Scheme: Unix, Path: u.Path}, nil
}

// Network is what package net calls the socket. An IPv4 address is bound for IPv4 alone and an IPv6
// address for IPv6 alone, 0.0.0.0 and [::] too; without a host both are.
func (b Bind) Network() string {
	if b.Scheme == Unix {
		return "unix"
	}
	ip, err := netip.ParseAddr(b.Host)
	switch {
	case err != nil:
		return "tcp"
	case ip.Unmap().Is4():
		return "tcp4"
	}
	return "tcp6"
}

// Address is host:port, or the path of a unix socket, as package net wants it.
func (b Bind) Address() string {
	if b.Scheme == Unix {
		return b.Path
	}
	return net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
}

// String is the bind as it is written in the file.
func (b Bind) String() string {
	u := url.URL{Scheme: b.Scheme, Host: b.Address()}
	if b.Scheme == Unix {
		u.Host, u.Path = "", b.Path
	}
	return u.String()
}

// Secure is true if there is TLS on it.
func (b Bind) Secure() bool { return b.Scheme == TLS || b.Scheme == WSS }

// WebSocket is true if there are WebSocket frames on it.
func (b Bind) WebSocket() bool { return b.Scheme == WS || b.Scheme == WSS }

// Loopback is true if only this machine can reach it. A name other than localhost is not trusted to
// stay here.
func (b Bind) Loopback() bool {
	ip, err := netip.ParseAddr(b.Host)
	return b.Scheme == Unix || b.Host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// Overlaps is true if both cannot be bound at the same time, as far as it can be seen without
// asking for names.
func (b Bind) Overlaps(other Bind) bool {
	if b.Path != "" || other.Path != "" {
		return b.Path == other.Path
	}
	if b.Port == 0 || b.Port != other.Port {
		return false
	}
	if one, two := b.Network(), other.Network(); one != two && one != "tcp" && two != "tcp" {
		return false
	}
	return b.sameHost(other) || b.everywhere() || other.everywhere()
}

// sameHost compares addresses, not how they are written.
func (b Bind) sameHost(other Bind) bool {
	one, err := netip.ParseAddr(b.Host)
	two, otherErr := netip.ParseAddr(other.Host)
	if err == nil && otherErr == nil {
		return one.Unmap() == two.Unmap()
	}
	return b.Host == other.Host
}

func (b Bind) everywhere() bool {
	ip, err := netip.ParseAddr(b.Host)
	return b.Host == "" || err == nil && ip.IsUnspecified()
}

func parseHostPort(s string) (Bind, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return Bind{}, errors.New("must be host:port")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return Bind{}, fmt.Errorf("port %q is not a number from 0 to 65535", port)
	}
	return Bind{Host: host, Port: uint16(n)}, nil
}
