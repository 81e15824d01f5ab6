package gate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"time"
)

// ParseBind takes a bind apart: tcp://host:port (host may be empty, port 0 is any free one) or
// unix:///path. It opens nothing.
func ParseBind(bind string) (network, address string, err error) {
	u, err := url.Parse(bind)
	if err != nil {
		return "", "", fmt.Errorf("gate: bind: %w", err)
	}
	switch u.Scheme {
	case "tcp":
		if u.Path != "" || u.RawQuery != "" || u.User != nil {
			return "", "", fmt.Errorf("gate: bind %q: only tcp://host:port", bind)
		}
		if u.Port() == "" {
			return "", "", fmt.Errorf("gate: bind %q: no port", bind)
		}
		return "tcp", u.Host, nil
	case "unix":
		if u.Host != "" || len(u.Path) < 2 {
			return "", "", fmt.Errorf("gate: bind %q: unix:///absolute/path", bind)
		}
		return "unix", u.Path, nil
	}
	return "", "", fmt.Errorf("gate: bind %q: scheme must be tcp or unix", bind)
}

// listen opens the socket of a bind. A unix socket that no process serves is what a killed broker
// left behind, and is removed.
func listen(bind string, keepAlive time.Duration) (net.Listener, error) {
	network, address, err := ParseBind(bind)
	if err != nil {
		return nil, err
	}
	lc := net.ListenConfig{KeepAlive: keepAlive}
	if keepAlive == 0 {
		lc.KeepAlive = -1
	}
	ln, err := lc.Listen(context.Background(), network, address)
	if network == "unix" && errors.Is(err, syscall.EADDRINUSE) && abandoned(address) {
		if err := os.Remove(address); err != nil {
			return nil, fmt.Errorf("gate: remove an abandoned socket: %w", err)
		}
		ln, err = lc.Listen(context.Background(), network, address)
	}
	if err != nil {
		return nil, fmt.Errorf("gate: listen: %w", err)
	}
	return ln, nil
}

func abandoned(path string) bool {
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
		return false
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
