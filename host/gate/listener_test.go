package gate

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestListenersComeAndGo(t *testing.T) {
	h := start(t, &fake{packet: echo})
	old := h.dial()
	ping(t, old)
	if _, err := h.g.Listen(ListenerConfig{
		Name: "main", Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits(),
	}); !errors.Is(err, ErrExists) {
		t.Errorf("the same name again: %v", err)
	}
	for range 3 {
		if err := h.g.Unlisten("main"); err != nil {
			t.Fatal(err)
		}
		if c, err := net.Dial("tcp", h.addr); err == nil {
			_ = c.Close()
			t.Fatal("a removed listener accepts")
		}
		ping(t, old)
		_, err := h.g.Listen(ListenerConfig{
			Name: "main", Bind: "tcp://" + h.addr, Limits: DefaultLimits(),
		})
		if err != nil {
			t.Fatal(err)
		}
		ping(t, h.dial())
	}
	if err := h.g.Unlisten("other"); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown: %v", err)
	}
	vs := h.g.Listeners()
	if len(vs) != 1 || vs[0].Address != "tcp://"+h.addr || vs[0].Accepted != 1 {
		t.Errorf("view: %+v", vs)
	}
}

func TestUnixSocket(t *testing.T) {
	h := start(t, &fake{packet: echo, open: func(c *Conn) { c.Write([]byte(c.Address())) }})
	path := filepath.Join(t.TempDir(), "s")
	// What a killed broker leaves: a socket nobody serves.
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	_ = left.Close()
	cfg := ListenerConfig{Name: "unix", Bind: "unix://" + path, Limits: DefaultLimits()}
	if _, err := h.g.Listen(cfg); err != nil {
		t.Fatal(err)
	}
	c := dial(t, "unix", path)
	hello := make([]byte, 4)
	if _, err := io.ReadFull(c, hello); err != nil || string(hello) != "unix" {
		t.Fatalf("%q, %v", hello, err)
	}
	ping(t, c)
	cfg.Name = "again"
	if _, err := h.g.Listen(cfg); err == nil {
		t.Error("a served socket was taken")
	}
}

// What is at the path of a unix socket and is none is no one's to remove.
func TestUnixSocketRemovesNoFile(t *testing.T) {
	h := start(t, &fake{packet: echo})
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	folder, lost := filepath.Join(dir, "folder"), filepath.Join(dir, "lost")
	if err := errors.Join(os.WriteFile(file, []byte("mine"), 0o600), os.Symlink(file, link),
		os.Mkdir(folder, 0o700), os.Symlink(filepath.Join(dir, "none"), lost)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, link, folder, lost} {
		_, err := h.g.Listen(ListenerConfig{
			Name: "unix", Bind: "unix://" + path, Limits: DefaultLimits(),
		})
		if !errors.Is(err, ErrNoSocket) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("removed: %v", err)
		}
	}
	if b, err := os.ReadFile(file); string(b) != "mine" {
		t.Errorf("the file: %q, %v", b, err)
	}
}

// starved is a listener to which the system gives nothing for a while.
type starved struct {
	net.Listener
	left atomic.Int64
}

func (s *starved) Accept() (net.Conn, error) {
	if s.left.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return s.Listener.Accept()
}

func TestNoDescriptorsKillsNothing(t *testing.T) {
	h := start(t, &fake{packet: echo})
	old := h.dial()
	b := Bind{Scheme: "tcp", Network: "tcp", Address: "127.0.0.1:0"}
	sock, err := listen(b, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	poor := &starved{Listener: sock}
	poor.left.Store(4)
	addr, err := h.g.serve(ListenerConfig{Name: "poor", Limits: DefaultLimits()}, b,
		func() (net.Listener, error) { return poor, nil })
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, "tcp", addr.String())
	ping(t, old)
	ping(t, c) // waited in the backlog
	if n := h.g.Stats().AcceptErrors; n != 4 {
		t.Errorf("%d accept errors", n)
	}
	h.rarely("gate: accept")
	poor.left.Store(1 << 40)
	_ = dial(t, "tcp", addr.String()) // wakes the Accept that was under way
	until(t, "accept errors", func() bool { return h.g.Stats().AcceptErrors > 6 })
	if err := h.g.Unlisten("poor"); err != nil { // does not wait for the backoff
		t.Fatal(err)
	}
}

func TestConnectionLimit(t *testing.T) {
	h := start(t, &fake{packet: echo}, func(_ *Config, l *Limits) { l.ConnectionsMax = 2 })
	a, b := h.dial(), h.dial()
	ping(t, a)
	ping(t, b)
	if n, err := h.dial().Read(make([]byte, 1)); err == nil {
		t.Fatalf("read %d bytes above the limit", n)
	}
	_ = a.Close()
	until(t, "a place", func() bool { return h.g.Stats().Connections == 1 })
	ping(t, h.dial())
	if n := h.g.Stats().Refused; n != 1 {
		t.Errorf("%d refused", n)
	}
}

func TestParseBind(t *testing.T) {
	for bind, want := range map[string]string{
		"tcp://127.0.0.1:1883": "tcp tcp4 127.0.0.1:1883",
		"tls://:8883":          "tls tcp :8883",
		"ws://[::1]:8080":      "ws tcp6 [::1]:8080",
		"wss://h:443":          "wss tcp h:443",
		"unix:///run/m.sock":   "unix unix /run/m.sock",
		"wss://h:443/mqtt":     "",
		"tcp://host":           "",
		"tcp://h:1/path":       "",
		"unix://m.sock":        "",
		"udp://h:1":            "",
		"1883":                 "",
		"":                     "",
	} {
		b, err := ParseBind(bind)
		got := strings.TrimSpace(b.Scheme + " " + b.Network + " " + b.Address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", bind, got, err)
		}
	}
}

func TestValidate(t *testing.T) {
	good, limits := Default(), DefaultLimits()
	if good.Validate() != nil || limits.Validate() != nil {
		t.Error("defaults are refused")
	}
	for i, change := range []func(*Config, *Limits){
		func(c *Config, _ *Limits) { c.Loops = -1 },
		func(c *Config, _ *Limits) { c.Tick = 0 },
		func(c *Config, _ *Limits) { c.SpareBytesMax = -1 },
		func(_ *Config, l *Limits) { l.ConnectionsMax = 0 },
		func(_ *Config, l *Limits) { l.PacketBytesMax = 1 },
		func(_ *Config, l *Limits) { l.OutCutBytesMax = l.OutBytesMax - 1 },
	} {
		c, l := Default(), DefaultLimits()
		change(&c, &l)
		if c.Validate() == nil && l.Validate() == nil {
			t.Errorf("case %d is accepted", i)
		}
	}
}
