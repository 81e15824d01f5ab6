package gate

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/hpmq/hpmq/host/proxy"
)

// Proxy is who may say in a PROXY header for whom it connects.
type Proxy struct {
	// Trusted are the sources that must send the header. Others must not: to them it is no MQTT.
	Trusted []netip.Prefix
	// Unix counts the peers of a unix socket among the trusted.
	Unix bool
	// Timeout bounds the wait for the header.
	Timeout time.Duration
	// HeadersMax bounds how many connections are waited for at once, where no TLS follows.
	HeadersMax int
}

// DefaultProxy trusts the given sources.
func DefaultProxy(trusted ...netip.Prefix) Proxy {
	return Proxy{
		Trusted: trusted,
		// A proxy sends the header with its first bytes; one lost segment costs a second.
		Timeout:    3 * time.Second,
		HeadersMax: 1024, // at some 10 KB each while they wait
	}
}

// Validate says what is wrong with p; nil is fine.
func (p *Proxy) Validate() error {
	switch {
	case p == nil:
		return nil
	case p.Timeout <= 0:
		return errors.New("gate: proxy: timeout: above 0")
	case p.HeadersMax < 1:
		return errors.New("gate: proxy: headers: at least 1")
	}
	for _, t := range p.Trusted {
		if !t.IsValid() {
			return errors.New("gate: proxy: a trusted source is no network")
		}
	}
	return nil
}

// trusts is true if nc comes from a proxy that must send a header.
func (p *Proxy) trusts(nc net.Conn, peer netip.Addr) bool {
	if p == nil {
		return false
	}
	if _, ok := nc.(*net.UnixConn); ok {
		return p.Unix
	}
	peer = peer.Unmap().WithZone("")
	for _, t := range p.Trusted {
		if t.Contains(peer) {
			return true
		}
	}
	return false
}

// introduce reads the PROXY header of a and not a byte more. False: there was none, and it is
// counted.
func (a *arrival) introduce() bool {
	// The handshake sets a deadline of its own; the loop's duplicate of the socket has none.
	_ = a.nc.SetDeadline(time.Now().Add(a.terms.cfg.Proxy.Timeout))
	h, err := readHeader(a.nc)
	if err != nil {
		a.terms.notIntroduced(a, err)
		return false
	}
	if !h.Local {
		a.peer = h.Source.Addr() // invalid for a unix socket, whose peers nobody counts
		a.learn().address = h.Address()
	}
	return true
}

func readHeader(r io.Reader) (proxy.Header, error) {
	var buf []byte
	for {
		k := len(buf)
		buf = append(buf, make([]byte, proxy.Missing(buf))...)
		n, err := r.Read(buf[k:])
		if buf = buf[:k+n]; n > 0 {
			h, whole, err := proxy.Parse(buf)
			if whole > 0 || err != nil {
				return h, err
			}
		}
		if err != nil {
			return proxy.Header{}, err
		}
	}
}

// notIntroduced counts a proxy that did not say for whom it connects and logs it now and then.
func (ln *listener) notIntroduced(a *arrival, err error) {
	if ln.lobby.deprived(a.seat) {
		return // refused
	}
	ln.unsecured.Add(1)
	ln.g.count.handshakesFailed.Add(1)
	if ln.ctx.Err() != nil {
		return // closed by us
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.New("none came in time")
	}
	if held, ok := ln.mute.pass(time.Now()); ok {
		ln.g.log.Warn("gate: a trusted proxy sent no PROXY header: switch it on there, "+
			"or trust the proxy no more", "listener", ln.name,
			"peer", a.nc.RemoteAddr().String(), "err", err, "not logged", held)
	}
}
