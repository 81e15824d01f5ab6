package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"syscall"
	"time"
)

// Bind is where a listener listens, and what it speaks there.
type Bind struct {
	// Scheme is tcp, tls, ws, wss or unix.
	Scheme string
	// Network is tcp, tcp4, tcp6 or unix, Address what net.Listen takes for it.
	Network, Address string
}

// TLS is true if what is spoken is inside TLS.
func (b Bind) TLS() bool { return b.Scheme == "tls" || b.Scheme == "wss" }

// WebSocket is true if MQTT is inside WebSocket.
func (b Bind) WebSocket() bool { return b.Scheme == "ws" || b.Scheme == "wss" }

// ParseBind takes a bind apart: tcp, tls, ws or wss://host:port (host may be empty, [::1] for IPv6,
// port 0 is any free one), or unix:///path. It opens nothing.
func ParseBind(bind string) (Bind, error) {
	u, err := url.Parse(bind)
	if err != nil {
		return Bind{}, fmt.Errorf("gate: bind: %w", err)
	}
	switch u.Scheme {
	case "tcp", "tls", "ws", "wss":
		if u.Path != "" || u.RawQuery != "" || u.User != nil {
			return Bind{}, fmt.Errorf("gate: bind %q: only %s://host:port", bind, u.Scheme)
		}
		if u.Port() == "" {
			return Bind{}, fmt.Errorf("gate: bind %q: no port", bind)
		}
		network := networkOf(u.Hostname())
		return Bind{Scheme: u.Scheme, Network: network, Address: u.Host}, nil
	case "unix":
		if u.Host != "" || len(u.Path) < 2 {
			return Bind{}, fmt.Errorf("gate: bind %q: unix:///absolute/path", bind)
		}
		return Bind{Scheme: u.Scheme, Network: "unix", Address: u.Path}, nil
	}
	return Bind{}, fmt.Errorf("gate: bind %q: scheme must be tcp, tls, ws, wss or unix", bind)
}

// networkOf keeps an IPv4 address to IPv4 and an IPv6 address to IPv6, 0.0.0.0 and [::] too, so
// that both can have a listener of their own on one port. A name, or none, may be either.
func networkOf(host string) string {
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return "tcp"
	case ip.Unmap().Is4():
		return "tcp4"
	}
	return "tcp6"
}

// ErrNoSocket refuses to listen at a path where something is that is no socket.
var ErrNoSocket = errors.New("gate: there is a file that is no socket; remove it or bind elsewhere")

// listen opens the socket of a bind. A unix socket that no process serves is what a killed broker
// left behind, and is removed; anything else at its path stays. mode is who may connect to the new
// one, 0 for what the process's umask leaves.
func listen(b Bind, keepAlive time.Duration, mode fs.FileMode) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: keepAlive}
	if keepAlive == 0 {
		lc.KeepAlive = -1
	}
	if b.Network == "unix" && mode != 0 {
		lc.Control = narrow(mode)
	}
	ln, err := lc.Listen(context.Background(), b.Network, b.Address)
	if b.Network == "unix" && errors.Is(err, syscall.EADDRINUSE) {
		if err := clearAway(b.Address); err != nil {
			return nil, err
		}
		ln, err = lc.Listen(context.Background(), b.Network, b.Address)
	}
	if err != nil {
		return nil, fmt.Errorf("gate: listen: %w", err)
	}
	if lc.Control != nil {
		if err := os.Chmod(b.Address, mode); err != nil {
			return nil, errors.Join(fmt.Errorf("gate: socket mode: %w", err), ln.Close())
		}
	}
	return ln, nil
}

// clearAway removes a socket that no process serves; one that is served stays, and the path in use.
// A link is not followed: what it names was not left here by us.
func clearAway(path string) error {
	// Look before the call: to connect to an ordinary file is refused as to a dead socket is.
	at, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("gate: look at the path of a socket: %w", err)
	case at.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("%w: %s", ErrNoSocket, path)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
		return nil
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("gate: remove an abandoned socket: %w", err)
	}
	return nil
}
