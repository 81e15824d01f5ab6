package port

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

// binds is what can be bound.
const binds = "tcp://host:port or unix:///path"

// ParseBind takes a bind apart: tcp://host:port (host may be empty, port 0 is any free one) or
// unix:///path. It opens nothing.
func ParseBind(bind string) (network, address string, err error) {
	u, err := url.Parse(bind)
	if err != nil {
		return "", "", fmt.Errorf("port: bind: %w: want %s", err, binds)
	}
	bare := u.RawQuery == "" && u.User == nil && u.Fragment == ""
	switch {
	case bare && u.Scheme == "tcp" && u.Path == "" && u.Port() != "":
		return "tcp", u.Host, nil
	case bare && u.Scheme == "unix" && u.Host == "" && len(u.Path) > 1:
		return "unix", u.Path, nil
	}
	return "", "", fmt.Errorf("port: bind %q: want %s", bind, binds)
}

// listen opens the socket of a bind. A unix socket that no process serves is what a killed broker
// left behind, and is removed.
func listen(bind string, keepAlive time.Duration) (net.Listener, error) {
	network, address, err := ParseBind(bind)
	if err != nil {
		return nil, err
	}
	lc := net.ListenConfig{KeepAlive: keepAlive}
	sock, err := lc.Listen(context.Background(), network, address)
	if network == "unix" && errors.Is(err, syscall.EADDRINUSE) && abandoned(address) {
		if err := os.Remove(address); err != nil {
			return nil, fmt.Errorf("port: remove an abandoned socket: %w", err)
		}
		sock, err = lc.Listen(context.Background(), network, address)
	}
	if err != nil {
		return nil, fmt.Errorf("port: listen: %w", err)
	}
	return sock, nil
}

func abandoned(path string) bool {
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
		return false
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
