package gate

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestTallyEndsWithTheLastConnection: of terms that were updated, of a listener that was closed.
func TestTallyEndsWithTheLastConnection(t *testing.T) {
	h := start(t, &fake{packet: echo})
	var gone [3]atomic.Int32
	tally := func(i int) *Tally { return NewTally(func() { gone[i].Add(1) }) }
	cfg := ListenerConfig{Name: "b", Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits()}
	first := tally(0)
	cfg.Tally = first
	addr, err := h.g.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	old := dial(t, "tcp", addr.String())
	ping(t, old)
	cfg.Tally = tally(1)
	if err := h.g.Update(cfg); err != nil {
		t.Fatal(err)
	}
	young := dial(t, "tcp", addr.String())
	ping(t, young)
	if first.Connections() != 1 || cfg.Tally.Connections() != 1 || gone[0].Load() != 0 {
		t.Errorf("%d and %d, gone %d", first.Connections(), cfg.Tally.Connections(), gone[0].Load())
	}
	_ = old.Close()
	until(t, "the end of the first", func() bool { return gone[0].Load() == 1 })
	if first.Connections() != 0 {
		t.Errorf("%d left", first.Connections())
	}

	cfg.Tally = tally(2)
	if err := h.g.Update(cfg); err != nil {
		t.Fatal(err)
	}
	if err := h.g.Unlisten("b"); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the unused", func() bool { return gone[2].Load() == 1 })
	ping(t, young) // goes on
	if gone[1].Load() != 0 {
		t.Error("the second ended before its connection")
	}
	_ = young.Close()
	until(t, "the end of the second", func() bool { return gone[1].Load() == 1 })
	for i := range gone {
		if n := gone[i].Load(); n != 1 {
			t.Errorf("%d: gone %d times", i, n)
		}
	}
}

// TestTalliesWhileTermsChange: no connection is lost or counted twice when terms change under it.
func TestTalliesWhileTermsChange(t *testing.T) {
	h := start(t, &fake{packet: echo})
	const terms, dialers, dials = 50, 4, 25
	var offered, gone atomic.Int64
	cfg := ListenerConfig{Name: "b", Bind: "tcp://127.0.0.1:0", Limits: DefaultLimits()}
	next := func() *Tally { offered.Add(1); return NewTally(func() { gone.Add(1) }) }
	cfg.Tally = next()
	addr, err := h.g.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range dialers {
		all.Go(func() {
			for range dials {
				c, err := net.DialTimeout("tcp", addr.String(), patience)
				if err != nil {
					t.Error(err)
					return
				}
				_ = c.Close()
			}
		})
	}
	for range terms {
		cfg.Tally = next()
		if err := h.g.Update(cfg); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	if err := h.g.Unlisten("b"); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of all", func() bool { return gone.Load() == offered.Load() })
	if n := h.g.Stats().Connections; n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TestOnePortOfBothFamilies: an IPv4 and an IPv6 listener share a port.
func TestOnePortOfBothFamilies(t *testing.T) {
	h := start(t, &fake{packet: echo})
	port := bothFamilies(t, h.g)
	for _, host := range []string{"127.0.0.1", "::1"} {
		ping(t, dial(t, "tcp", net.JoinHostPort(host, port)))
	}
}

// bothFamilies opens a listener of each family on one port. What is free in IPv6 may be taken in
// IPv4, by a connection of another test: then it tries the next.
func bothFamilies(t *testing.T, g *Gate) (port string) {
	t.Helper()
	for range 50 {
		cfg := ListenerConfig{Name: "six", Bind: "tcp://[::]:0", Limits: DefaultLimits()}
		six, err := g.Listen(cfg)
		if err != nil {
			t.Skipf("no IPv6 here: %v", err)
		}
		_, port, _ = net.SplitHostPort(six.String())
		cfg.Name, cfg.Bind = "four", "tcp://0.0.0.0:"+port
		_, err = g.Listen(cfg)
		if err == nil {
			return port
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Fatal(err)
		}
		if err := g.Unlisten("six"); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("no port is free in both families")
	return ""
}
