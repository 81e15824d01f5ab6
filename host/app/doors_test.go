package app

import (
	"bufio"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
)

// TestForeignPageOnLoopback: only pages of this machine may use its browser against it.
func TestForeignPageOnLoopback(t *testing.T) {
	cfg := testConfig("w", "named")
	for i, origins := range [][]string{nil, {"https://a.example"}} {
		cfg.Listeners[i].Bind = "ws://127.0.0.1:0"
		cfg.Listeners[i].WebSocket = &configs.WebSocket{Path: "/mqtt", Origins: origins}
	}
	a := open(t, cfg)
	for _, c := range []struct {
		listener, origin string
		status           int
	}{
		{"w", "", 101},
		{"w", "http://localhost:3000", 101},
		{"w", "http://127.0.0.1", 101},
		{"w", "https://a.example", 403},
		{"w", "null", 403},
		{"named", "https://a.example", 101},
		{"named", "http://localhost:3000", 403},
	} {
		if got := upgrade(t, address(t, a, c.listener), c.origin); got != c.status {
			t.Errorf("%s, origin %q: %d, want %d", c.listener, c.origin, got, c.status)
		}
	}
}

// upgrade asks for a WebSocket as a page of origin would, and answers the status.
func upgrade(t *testing.T, address, origin string) int {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	lines := []string{
		"GET /mqtt HTTP/1.1", "Host: " + address, "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Protocol: mqtt",
	}
	if origin != "" {
		lines = append(lines, "Origin: "+origin)
	}
	if _, err := conn.Write([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// TestAdminOnOneFamily: an IPv4 address does not open IPv6.
func TestAdminOnOneFamily(t *testing.T) {
	cfg := testConfig("l")
	cfg.Admin.Bind, cfg.Admin.TokenFile = "0.0.0.0:0", filepath.Join(t.TempDir(), "token")
	a := open(t, cfg)
	_, port := Reach(a.admin.addr.String())
	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if conn, err := net.Dial("tcp", "[::1]:"+port); err == nil {
		_ = conn.Close()
		t.Error("0.0.0.0 listens on IPv6")
	}
}

func TestReloadMakesLostSocketAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.sock")
	cfg := testConfig("u")
	cfg.Listeners[0].Bind = "unix://" + path
	a := open(t, cfg)
	reach := func() error {
		conn, err := net.Dial("unix", path)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	before := a.doors["u"].socket
	if err := a.Reload(t.Context(), cfg); err != nil || a.doors["u"].socket != before {
		t.Fatalf("a socket that is there moved: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := a.Reload(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "remove it") || a.doors["u"].socket != before {
		t.Errorf("over a file: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := a.Reload(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := reach(); err != nil {
		t.Errorf("after the reload: %v", err)
	}
	other, err := net.Listen("unix", path+"2")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if err := os.Rename(path+"2", path); err != nil {
		t.Fatal(err)
	}
	err = a.Reload(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "another program serves it") {
		t.Errorf("over the socket of another: %v", err)
	}
	if err := reach(); err != nil {
		t.Errorf("the socket of the other is gone: %v", err)
	}
}
