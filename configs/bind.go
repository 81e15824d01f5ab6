package configs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
)

// Bind is where a listener listens.
type Bind struct {
	// Scheme is tcp.
	Scheme string
	// Host is a name, an address, or empty for every address of the machine.
	Host string
	// Port 0 is any free one.
	Port uint16
}

// ParseBind reads tcp://host:port.
func ParseBind(s string) (Bind, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" {
		if _, portErr := parseHostPort(s); portErr == nil {
			return Bind{}, fmt.Errorf("%q lacks the protocol; write tcp://%s", s, s)
		}
		return Bind{}, fmt.Errorf("%q is not an address; write tcp://127.0.0.1:1883", s)
	}
	if u.Scheme != "tcp" {
		return Bind{}, fmt.Errorf("%q: protocol %s is not known; known: tcp", s, u.Scheme)
	}
	if u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return Bind{}, fmt.Errorf("%q: nothing may follow the port", s)
	}
	b, err := parseHostPort(u.Host)
	if err != nil {
		return Bind{}, fmt.Errorf("%q: %w", s, err)
	}
	b.Scheme = u.Scheme
	return b, nil
}

// Address is host:port as package net wants it.
func (b Bind) Address() string {
	return net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
}

// String is the bind as it is written in the file.
func (b Bind) String() string { return b.Scheme + "://" + b.Address() }

// Loopback is true if only this machine can reach it. A name other than localhost is not trusted to
// stay here.
func (b Bind) Loopback() bool {
	ip, err := netip.ParseAddr(b.Host)
	return b.Host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// overlaps is true if both cannot be bound at the same time.
func (b Bind) overlaps(other Bind) bool {
	if b.Port == 0 || b.Port != other.Port {
		return false
	}
	return b.Host == other.Host || b.everywhere() || other.everywhere()
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
