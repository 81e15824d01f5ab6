package gate

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// dialFrom connects from a loopback address of one's own.
func dialFrom(t testing.TB, source, addr string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(source)}, Timeout: patience}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

func TestTLSSilentClient(t *testing.T) {
	v := secured(t, start(t, &fake{packet: echo}), func(_ *tls.Config, l *TLS, _ *Limits) {
		l.HandshakeTimeout = soon
	})
	c := dial(t, "tcp", v.addr)
	_, _ = c.Write([]byte{22, 3, 1}) // and nothing more; it may be given up by now
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("an answer")
	}
	v.calm(0)
	if st := v.g.Stats(); st.HandshakesFailed != 1 || st.Accepted != 0 {
		t.Errorf("stats: %+v", st)
	}
	if !strings.Contains(v.log.String(), "did not finish it in time") {
		t.Errorf("log: %s", v.log)
	}
	cfg, patient := v.config(DefaultLimits()), v.terms
	cfg.TLS, patient.HandshakeTimeout = &patient, patience // who does not stay silent may be slow
	if err := v.g.Update(cfg); err != nil {
		t.Fatal(err)
	}
	ping(t, v.enter())
}

// What a source may not have is refused to it and to nobody else.
func TestTLSHandshakesOfOneSource(t *testing.T) {
	v := secured(t, start(t, &fake{packet: echo}), func(_ *tls.Config, l *TLS, _ *Limits) {
		l.HandshakesPerSourceMax = 8
	})
	for range 50 {
		dialFrom(t, "127.0.0.2", v.addr)
	}
	until(t, "the flood is refused", func() bool { return v.g.Stats().Refused == 42 })
	for range 20 {
		ping(t, v.over(dialFrom(t, "127.0.0.3", v.addr)))
	}
	until(t, "the others are through", func() bool { return v.g.Listeners()[1].Handshakes == 8 })
	v.rarely("of one source")
	for _, l := range v.g.Listeners() {
		if l.Name == "secure" && l.Refused != 42 {
			t.Errorf("%d refused", l.Refused)
		}
	}
}

// Of a full listener the largest crowd gives a place to who comes from elsewhere, to nobody of its
// own, and to each its oldest.
func TestTLSHandshakesMax(t *testing.T) {
	v := secured(t, start(t, &fake{packet: echo}), func(_ *tls.Config, l *TLS, _ *Limits) {
		l.HandshakesMax, l.HandshakesPerSourceMax = 4, 4
	})
	held := make([]net.Conn, 4)
	for i := range held {
		held[i] = dialFrom(t, "127.0.0.2", v.addr)
		until(t, "a handshake", func() bool { return v.g.Listeners()[1].Handshakes == i+1 })
	}
	if _, err := dialFrom(t, "127.0.0.2", v.addr).Read(make([]byte, 1)); err == nil {
		t.Error("one above the limit was answered")
	}
	ping(t, v.over(dialFrom(t, "127.0.0.3", v.addr)))
	_, err := held[0].Read(make([]byte, 1))
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the oldest: %v", err)
	}
	for _, c := range held[1:] {
		ping(t, v.over(c))
	}
	v.calm(4)
	if st := v.g.Stats(); st.Refused != 2 || st.HandshakesFailed != 0 {
		t.Errorf("stats: %+v", st)
	}
}

// Twenty sources that stall all the handshakes they may do not keep out the next.
func TestTLSStalledHandshakesKeepNobodyOut(t *testing.T) {
	v := secured(t, start(t, &fake{packet: echo}), func(_ *tls.Config, l *TLS, _ *Limits) {
		l.HandshakeTimeout, l.HandshakesMax, l.HandshakesPerSourceMax = time.Hour, 64, 16
	})
	for range 16 {
		for i := range 20 {
			dialFrom(t, fmt.Sprintf("127.0.1.%d", i+1), v.addr)
		}
	}
	// All are judged: those that lost their places are gone too, of which only so many may linger.
	until(t, "a full listener", func() bool {
		return v.g.Listeners()[1].Handshakes == 64 && v.g.Stats().Refused == 16*20-64
	})
	for range 5 {
		ping(t, v.over(dialFrom(t, "127.0.0.3", v.addr)))
	}
	until(t, "still full", func() bool { return v.g.Listeners()[1].Handshakes >= 59 })
	if st := v.g.Stats(); st.HandshakesFailed != 0 || st.Accepted != 5 {
		t.Errorf("stats: %+v", st)
	}
}

func TestTLSNotTLS(t *testing.T) {
	connect := append([]byte{0x10, 14, 0, 4}, "MQTT\x04\x02\x00\x3c\x00\x02id"...)
	for what, tc := range map[string]struct {
		send []byte
		log  string
	}{
		"plain MQTT": {connect, "speaks MQTT without TLS"},
		"HTTP":       {[]byte("GET / HTTP/1.1\r\n\r\n"), "does not speak TLS"},
		"garbage":    {[]byte("\x16\x03\x01\x00\x05hello and more"), "a TLS handshake failed"},
		"nothing":    {nil, "closed the connection"},
	} {
		t.Run(what, func(t *testing.T) {
			v := secured(t, start(t, &fake{packet: echo}))
			c := dial(t, "tcp", v.addr).(*net.TCPConn)
			if _, err := c.Write(tc.send); err != nil {
				t.Fatal(err)
			}
			if tc.send == nil {
				_ = c.CloseWrite()
			}
			if _, err := io.Copy(io.Discard, c); err != nil {
				t.Errorf("not a clean end: %v", err)
			}
			for range 20 { // it still sends, and is not reset: that could hide an alert from it
				if _, err := c.Write([]byte("x")); err != nil && tc.send != nil {
					t.Errorf("reset: %v", err)
					break
				}
			}
			_ = c.Close()
			v.calm(0)
			if st := v.g.Stats(); st.HandshakesFailed != 1 {
				t.Errorf("stats: %+v", st)
			}
			if !strings.Contains(v.log.String(), tc.log) {
				t.Errorf("log: %s", v.log)
			}
			ping(t, v.enter())
		})
	}
}

// A hundred connections do not notice that the certificate changes; the next gets the new one.
func TestTLSNewCertificate(t *testing.T) {
	v := secured(t, start(t, &fake{packet: echo}), func(_ *tls.Config, l *TLS, _ *Limits) {
		l.HandshakesPerSourceMax = 200
	})
	var stay []*tls.Conn
	for range 100 {
		stay = append(stay, v.enter())
	}
	before := stay[0].ConnectionState().PeerCertificates[0].SerialNumber
	for range 5 {
		v.server.Store(&tls.Config{
			Certificates: []tls.Certificate{issue(t, v.ca, "localhost", "localhost")},
		})
		c := v.enter()
		if c.ConnectionState().PeerCertificates[0].SerialNumber.Cmp(before) == 0 {
			t.Fatal("the old certificate")
		}
		ping(t, c)
		for _, c := range stay {
			ping(t, c)
		}
	}
	v.calm(105)
}

// Unlisten ends handshakes that are under way, and keeps the connections.
func TestTLSUnlisten(t *testing.T) {
	v := secured(t, start(t, &fake{packet: echo}), func(_ *tls.Config, l *TLS, _ *Limits) {
		l.HandshakeTimeout = time.Hour
	})
	stays, waits := v.enter(), dial(t, "tcp", v.addr)
	ping(t, stays)
	until(t, "a handshake", func() bool { return v.g.Listeners()[1].Handshakes == 1 })
	if err := v.g.Unlisten("secure"); err != nil {
		t.Fatal(err)
	}
	if _, err := waits.Read(make([]byte, 1)); err == nil {
		t.Error("an answer")
	}
	ping(t, stays)
	until(t, "one connection", func() bool { return v.g.Stats().Connections == 1 })
	if s := v.log.String(); strings.Contains(s, "handshake failed") {
		t.Errorf("our own doing was logged: %s", s)
	}
}

// Update holds for those that come after it.
func TestUpdate(t *testing.T) {
	v := secured(t, start(t, &fake{packet: echo}))
	old := v.enter()
	ping(t, old)
	l := DefaultLimits()
	l.PacketBytesMax, l.FirstPacketBytesMax, l.ConnectionsMax = 100, 100, 2
	cfg := v.config(l)
	strict := v.server.Load().Clone()
	strict.MinVersion = tls.VersionTLS13
	cfg.TLS = &TLS{func() *tls.Config { return strict }, patience, 1, 1}
	for range 2 { // by the bind it was opened with, then by the one it got
		if err := v.g.Update(cfg); err != nil {
			t.Fatal(err)
		}
		cfg.Bind = "tls://" + v.addr
	}
	p := packet(200, 'x')
	got := make([]byte, len(p))
	if _, err := old.Write(p); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(old, got); err != nil {
		t.Errorf("the old limits are gone: %v", err)
	}
	late := dial(t, "tcp", v.addr)
	if err := tls.Client(late, v.client(only12)).Handshake(); err == nil {
		t.Error("the old version is let in")
	}
	_ = late.Close()
	v.calm(1)
	c := v.enter()
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(got); err == nil {
		t.Error("the new limit does not hold")
	}
	for what, change := range map[string]func(*ListenerConfig){
		"unknown":  func(c *ListenerConfig) { c.Name = "other" },
		"moved":    func(c *ListenerConfig) { c.Bind = "tls://127.0.0.1:1" },
		"tcp":      func(c *ListenerConfig) { c.Bind, c.TLS = "tcp://"+v.addr, nil },
		"a mode":   func(c *ListenerConfig) { c.SocketMode = 0o600 },
		"no limit": func(c *ListenerConfig) { c.Limits = Limits{} },
	} {
		bad := cfg
		change(&bad)
		if err := v.g.Update(bad); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
	cfg.Name = "other"
	if err := v.g.Update(cfg); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
}

func TestListenRefuses(t *testing.T) {
	h := start(t, &fake{})
	server := func() *tls.Config { return nil }
	good := DefaultTLS(server)
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	tcp, secure := "tcp://127.0.0.1:0", "tls://127.0.0.1:0"
	for what, cfg := range map[string]ListenerConfig{
		"no name":         {Bind: tcp},
		"no TLS":          {Name: "a", Bind: secure},
		"TLS on tcp":      {Name: "a", Bind: tcp, TLS: &good},
		"a mode on tcp":   {Name: "a", Bind: tcp, SocketMode: 0o600},
		"no config":       {Name: "a", Bind: secure, TLS: &TLS{nil, 1, 1, 1}},
		"no timeout":      {Name: "a", Bind: secure, TLS: &TLS{server, 0, 1, 1}},
		"no handshake":    {Name: "a", Bind: secure, TLS: &TLS{server, 1, 0, 1}},
		"none per source": {Name: "a", Bind: secure, TLS: &TLS{server, 1, 1, 0}},
	} {
		cfg.Limits = DefaultLimits()
		if _, err := h.g.Listen(cfg); err == nil {
			t.Errorf("%s: accepted", what)
		}
	}
}

// A panic in a handshake, as of no certificate at all, costs that connection.
func TestTLSConfigPanics(t *testing.T) {
	var mu sync.Mutex
	config := func() *tls.Config { panic("in Config") }
	v := secured(t, start(t, &fake{packet: echo}), func(_ *tls.Config, l *TLS, _ *Limits) {
		l.Config = func() *tls.Config { mu.Lock(); defer mu.Unlock(); return config() }
	})
	for _, next := range []func() *tls.Config{func() *tls.Config { return nil }, v.server.Load} {
		if _, err := io.ReadAll(dial(t, "tcp", v.addr)); err != nil {
			t.Errorf("end: %v", err)
		}
		mu.Lock()
		config = next
		mu.Unlock()
	}
	ping(t, v.enter())
	if st := v.g.Stats(); st.Panics != 1 || st.HandshakesFailed != 2 {
		t.Errorf("stats: %+v", st)
	}
}

func TestSocketMode(t *testing.T) {
	h := start(t, &fake{packet: echo})
	path := filepath.Join(t.TempDir(), "s")
	cfg := ListenerConfig{
		Name: "unix", Bind: "unix://" + path, Limits: DefaultLimits(), SocketMode: 0o660,
	}
	if _, err := h.g.Listen(cfg); err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	ping(t, dial(t, "unix", path))
}

func TestSources(t *testing.T) {
	for a, want := range map[string]string{
		"192.0.2.1": "192.0.2.1/32", "::ffff:192.0.2.1": "192.0.2.1/32",
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := sourceOf(netip.MustParseAddr(a)).String(); got != want {
			t.Errorf("%s: %s", a, got)
		}
	}
	if p := sourceOf(addrOf(&net.UnixAddr{})); p.IsValid() {
		t.Errorf("a unix socket is %s", p)
	}
}
