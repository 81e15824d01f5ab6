package suite

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// fragile is a server that ends at a SUBSCRIBE, with all its connections, and is back when it
// listens again, if ever. It has a unix socket, which nobody else can take meanwhile.
type fragile struct {
	mu    sync.Mutex
	path  string
	ln    net.Listener
	conns []net.Conn
	ended chan struct{}
}

func newFragile(t *testing.T) (*fragile, *Target) {
	f := &fragile{path: filepath.Join(t.TempDir(), "s"), ended: make(chan struct{}, 10)}
	f.listen(t)
	t.Cleanup(f.end)
	target, err := ParseTarget("unix://"+f.path, TLS{})
	if err != nil {
		t.Fatal(err)
	}
	return f, target
}

// listen puts a socket that is served in the place of one that is not: who connects meanwhile is
// refused.
func (f *fragile) listen(t *testing.T) {
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: f.path + "~"})
	if err != nil {
		t.Error(err)
		return
	}
	ln.SetUnlinkOnClose(false)
	f.mu.Lock()
	f.ln = ln
	f.mu.Unlock()
	inner := &fake{answer: func(conn net.Conn, frame []byte) bool {
		switch mqtt.TypeOf(frame) {
		case mqtt.SUBSCRIBE:
			f.end()
			return true
		case mqtt.PINGREQ:
			_, _ = conn.Write([]byte{0xD0, 0})
		}
		return false
	}}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns = append(f.conns, conn)
			f.mu.Unlock()
			go inner.serve(conn)
		}
	}()
	if err := os.Rename(f.path+"~", f.path); err != nil {
		t.Error(err)
	}
}

func (f *fragile) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.ln.Close()
	for _, c := range f.conns {
		_ = c.Close()
	}
	f.conns = nil
	select { // who reads the end of its connection may be done before this is told
	case f.ended <- struct{}{}:
	default:
	}
}

// restart listens again after each end that somebody has looked at, until the test is done.
func (f *fragile) restart(t *testing.T, looks *atomic.Int64) {
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		seen := looks.Load()
		for down := false; ; {
			select {
			case <-t.Context().Done():
				return
			case <-f.ended:
				down = true
			case <-tick.C:
				if n := looks.Load(); down && n > seen {
					down = false
					f.listen(t)
					seen = n
				}
			}
		}
	})
	t.Cleanup(done.Wait)
}

// outageCases are one that ends the server, and two that run meanwhile: together, if it is so.
func outageCases(together bool) []Case {
	var connected atomic.Int64
	ping := func(t *T) {
		c := t.Connect()
		connected.Add(1)
		for range 20 {
			c.Ping()
			t.Wait(5 * time.Millisecond)
		}
	}
	return []Case{
		{Name: "a/one", Claims: "3.1.1/MQTT-1.1.1-1", Text: "x.", Run: ping},
		{Name: "a/deadly", Claims: "3.1.1/MQTT-1.1.1-2", Text: "x.",
			Run: func(t *T) {
				c := t.Connect()
				for together && connected.Load() < 2 {
					t.Wait(time.Millisecond)
				}
				c.Subscribe("x", 0)
			}},
		{Name: "a/two", Claims: "3.1.1/MQTT-1.1.1-3", Text: "x.", Run: ping},
	}
}

// Who ends the server is told; who only happened to run at the time passes in the end.
func TestServerThatEndsAndIsBack(t *testing.T) {
	f, target := newFragile(t)
	o := options(target)
	r, jobs, err := prepare(t.Context(), outageCases(true), &o)
	if err != nil {
		t.Fatal(err)
	}
	f.restart(t, &r.count)
	results, err := r.judge(t.Context(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		want := Passed
		if r.Case == "a/deadly" {
			want = Failed
		}
		if r.Outcome != want {
			t.Errorf("%s: %s %v", r.Case, r.Outcome, r.Faults)
		}
	}
}

func TestServerThatStaysGone(t *testing.T) {
	_, target := newFragile(t)
	o := options(target)
	o.Parallel, o.ReturnTimeout = 1, 10*time.Millisecond
	results, err := Run(t.Context(), outageCases(false), o)
	if err != nil {
		t.Fatal(err)
	}
	if r := results[0]; r.Outcome != Passed {
		t.Errorf("before the end: %+v", r)
	}
	if r := results[2]; r.Outcome != NotRun || r.Reason != reasonGone {
		t.Errorf("behind the end: %+v", r)
	}
	if r := results[1]; r.Outcome != Failed ||
		!strings.Contains(strings.Join(r.Faults, " "), "server ended") {
		t.Errorf("the end: %+v", r)
	}
}
