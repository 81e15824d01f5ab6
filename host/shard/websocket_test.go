package shard

import (
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/lite/broker"
)

const upgrade = "GET /mqtt HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Protocol: mqtt\r\n\r\n"

// The time to connect counts from the first byte of the socket: who sends no request, half of one,
// or no CONNECT after it, is told so and closed.
func TestConnectTimeoutOverWebSocket(t *testing.T) {
	h := start(t)
	limits := broker.DefaultLimits()
	limits.ConnectTimeout = 200
	addr, err := h.AddListener(ListenerConfig{
		Name: "ws", Bind: "ws://127.0.0.1:0", Limits: gate.DefaultLimits(),
		WebSocket: &gate.WebSocket{Path: "/mqtt"},
	}, func(int) *broker.Listener { return &broker.Listener{Name: "ws", Limits: limits} })
	if err != nil {
		t.Fatal(err)
	}
	for sent, want := range map[string]string{
		"":          "HTTP/1.1 408 ",
		"GET /mqtt": "HTTP/1.1 408 ",
		upgrade:     "\r\n\r\n\x88\x02\x03\xe8",
		// half a CONNECT in a frame
		upgrade + "\x82\x83\x00\x00\x00\x00\x10\x0c\x00": "\r\n\r\n\x88\x02\x03\xe8",
	} {
		c := dial(t, "tcp", addr.String()).c
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%.20q: %q, %v", sent, got, err)
		}
	}
	until(t, "all are gone", func() bool { return h.stats().Gate.Connections == 0 })
}

// An authenticator sees for whom a trusted proxy connects.
func TestAuthenticatorSeesBehindProxy(t *testing.T) {
	h := start(t)
	auth := &shown{make(chan broker.Credentials, 1)}
	proxy := gate.DefaultProxy(netip.MustParsePrefix("127.0.0.0/8"))
	addr, err := h.AddListener(ListenerConfig{
		Name: "proxied", Bind: "tcp://127.0.0.1:0", Limits: gate.DefaultLimits(), Proxy: &proxy,
	}, func(int) *broker.Listener {
		return &broker.Listener{Name: "proxied", Limits: broker.DefaultLimits(), Auth: auth}
	})
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, "tcp", addr.String())
	if _, err := io.WriteString(c.c, "PROXY TCP6 2001:db8::7 ::1 5 1883\r\n"); err != nil {
		t.Fatal(err)
	}
	c.connect("any")
	if got := <-auth.to; got.Identity.Address != "2001:db8::7" {
		t.Errorf("address %q", got.Identity.Address)
	}
}
