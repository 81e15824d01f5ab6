package gate

import (
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	proxyStart = "\r\n\r\n\x00\r\nQUIT\n"
	proxyLine  = "PROXY TCP4 192.0.2.7 198.51.100.1 12345 1883\r\n"
	proxyBlock = proxyStart + "\x21\x11\x00\x0c\xc0\x00\x02\x08\xc6\x33\x64\x01\x30\x39\x07\x5b"
	proxyLocal = proxyStart + "\x20\x00\x00\x00"
)

func trusting(networks ...string) *Proxy {
	p := DefaultProxy()
	for _, n := range networks {
		p.Trusted = append(p.Trusted, netip.MustParsePrefix(n))
	}
	return &p
}

// tell answers each packet with the address of its connection.
func tell() *fake {
	return &fake{
		open:   func(c *Conn) { c.Data = c.Address() },
		packet: func(c *Conn, _ []byte) { c.Write([]byte(c.Data.(string) + ".")) },
	}
}

func TestProxyHeaders(t *testing.T) {
	h := start(t, tell())
	proxied := func(cfg *ListenerConfig) { cfg.Proxy = trusting("127.0.0.0/8") }
	tcp := ListenerConfig{Bind: "tcp://127.0.0.1:0", Proxy: trusting("10.0.0.0/8", "127.0.0.1/32")}
	secured := ListenerConfig{Bind: "tls://127.0.0.1:0", TLS: secure()}
	proxied(&secured)
	doors := map[string]string{"tcp": h.door(tcp), "tls": h.door(secured),
		"ws": h.wsDoor("ws", proxied), "wss": h.wsDoor("wss", proxied)}
	for scheme, addr := range doors {
		for header, want := range map[string]string{
			proxyLine: "192.0.2.7.", proxyBlock: "192.0.2.8.",
			proxyLocal: "127.0.0.1.", "PROXY UNKNOWN\r\n": "127.0.0.1.",
		} {
			c := dial(t, "tcp", addr)
			if _, err := c.Write([]byte(header)); err != nil {
				t.Fatal(err)
			}
			askAddress(t, scheme, c, want)
		}
	}
}

// askAddress speaks the scheme on c, whose PROXY header is sent, and reads whom the gate sees.
func askAddress(t *testing.T, scheme string, c net.Conn, want string) {
	t.Helper()
	if scheme == "tls" || scheme == "wss" {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	}
	ask := packet(1, '?')
	if strings.HasPrefix(scheme, "ws") {
		ask = append([]byte(wsRequest), wsFrame(0x82, ask)...)
	}
	if _, err := c.Write(ask); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(scheme, "ws") {
		var b [1]byte
		for b[0] != 0x82 { // the 101
			if _, err := c.Read(b[:]); err != nil {
				t.Fatal(err)
			}
		}
		want = string(rune(len(want))) + want
	}
	expect(t, c, want)
}

// A header and the packets after it may come in one piece or byte by byte.
func TestProxyHeaderInAnyPieces(t *testing.T) {
	h := start(t, tell())
	addr := h.door(ListenerConfig{Bind: "tcp://127.0.0.1:0", Proxy: trusting("0.0.0.0/0")})
	in := proxyLine + string(packet(1, '?'))
	whole := dial(t, "tcp", addr)
	_, _ = io.WriteString(whole, in)
	expect(t, whole, "192.0.2.7.")
	parts := dial(t, "tcp", addr)
	for i := range in {
		_, _ = io.WriteString(parts, in[i:i+1])
	}
	expect(t, parts, "192.0.2.7.")
}

func TestProxyWithoutHeader(t *testing.T) {
	h := start(t, tell())
	p := trusting("127.0.0.1/32")
	p.Timeout = 50 * time.Millisecond
	addr := h.door(ListenerConfig{Bind: "tcp://127.0.0.1:0", Proxy: p})
	for _, sent := range []string{
		"", "PROXY TCP4", "\x10\x0c\x00\x04MQTT", "PROXY TCP4 a b c d\r\n",
	} {
		c := dial(t, "tcp", addr)
		_, _ = io.WriteString(c, sent)
		if n, err := c.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("%q: goes on", sent)
		}
	}
	until(t, "all are counted", func() bool { return h.g.Stats().HandshakesFailed == 4 })
	h.rarely("sent no PROXY header")
	until(t, "none is left", func() bool { return h.g.Stats().Connections == 0 })
}

// Who is not trusted speaks plainly; what he says of others is no MQTT.
func TestProxyHeaderOfStrangers(t *testing.T) {
	h := start(t, tell())
	addr := h.door(ListenerConfig{Bind: "tcp://127.0.0.1:0", Proxy: trusting("10.0.0.0/8")})
	askAddress(t, "tcp", dial(t, "tcp", addr), "127.0.0.1.")
	c := dial(t, "tcp", addr)
	_, _ = io.WriteString(c, proxyBlock)
	expectEnd(t, c, "")
	secured := h.door(ListenerConfig{Bind: "tls://127.0.0.1:0", TLS: secure(),
		Proxy: trusting("10.0.0.0/8")})
	askAddress(t, "tls", dial(t, "tcp", secured), "127.0.0.1.")
	c = dial(t, "tcp", secured)
	_, _ = io.WriteString(c, proxyLine)
	if b, _ := io.ReadAll(c); len(b) > 0 && b[0] != 0x15 {
		t.Errorf("got %q", b)
	}
}

func TestTrustedSources(t *testing.T) {
	p := trusting("127.0.0.0/8", "2001:db8::/32", "fe80::/10")
	var nc *net.TCPConn
	for source, want := range map[string]bool{
		"127.1.2.3": true, "::ffff:127.0.0.1": true, "2001:db8::1": true, "fe80::1%eth0": true,
		"128.0.0.1": false, "2001:db9::1": false, "::1": false,
	} {
		if got := p.trusts(nc, netip.MustParseAddr(source)); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
	if p.trusts(&net.UnixConn{}, netip.Addr{}) || p.trusts(nc, netip.Addr{}) {
		t.Error("who has no address is trusted")
	}
	p = nil
	if p.trusts(nc, netip.MustParseAddr("127.0.0.1")) {
		t.Error("nobody is asked for a header, and somebody must send one")
	}
}

func TestProxyOverUnixSocket(t *testing.T) {
	h := start(t, tell())
	path := filepath.Join(t.TempDir(), "s")
	p := trusting()
	p.Unix = true
	h.door(ListenerConfig{Bind: "unix://" + path, Proxy: p})
	for header, want := range map[string]string{proxyLine: "192.0.2.7.", proxyLocal: "unix."} {
		c := dial(t, "unix", path)
		_, _ = io.WriteString(c, header)
		askAddress(t, "unix", c, want)
	}
}

// Who is waited for holds up nobody, and a listener that is closed waits no more.
func TestProxyThatSaysNothing(t *testing.T) {
	h := start(t, tell())
	cfg := ListenerConfig{Bind: "tcp://127.0.0.1:0", Proxy: trusting("127.0.0.1/32")}
	cfg.Proxy.HeadersMax, cfg.Proxy.Timeout = 2, patience
	addr := h.door(cfg)
	door := func() ListenerView { return h.g.Listeners()[1] }
	first := dial(t, "tcp", addr)
	until(t, "the first is waited for", func() bool { return door().Handshakes == 1 })
	c := dial(t, "tcp", addr)
	_, _ = io.WriteString(c, proxyLine)
	askAddress(t, "tcp", c, "192.0.2.7.")
	until(t, "the second is through", func() bool { return door().Handshakes == 1 })
	dial(t, "tcp", addr)
	until(t, "the third is waited for", func() bool { return door().Handshakes == 2 })
	if _, err := dial(t, "tcp", addr).Read(make([]byte, 1)); err == nil {
		t.Error("one too many is kept")
	}
	if err := h.g.Unlisten(door().Name); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 1)); err == nil {
		t.Error("a closed listener waits on")
	}
}
