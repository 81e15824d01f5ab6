package suite

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// fragile is a server that ends at a SUBSCRIBE, with all its connections, and is back when it
// listens again, if ever.
type fragile struct {
	mu    sync.Mutex
	ln    net.Listener
	conns []net.Conn
	ended chan struct{}
}

func (f *fragile) listen(t *testing.T, address string) string {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Error(err)
		return ""
	}
	f.mu.Lock()
	f.ln = ln
	f.mu.Unlock()
	inner := &fake{answer: func(conn net.Conn, frame []byte) {
		switch mqtt.TypeOf(frame) {
		case mqtt.SUBSCRIBE:
			f.end()
		case mqtt.PINGREQ:
			_, _ = conn.Write([]byte{0xD0, 0})
		}
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
	return ln.Addr().String()
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

// restart listens again at the address after each end, until the test is done.
func (f *fragile) restart(t *testing.T, address string) {
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-t.Context().Done():
				return
			case <-f.ended:
			}
			<-time.After(30 * time.Millisecond) // longer than those who were cut take to look
			f.listen(t, address)
		}
	})
	t.Cleanup(done.Wait)
}

func outageCases() []Case {
	ping := func(t *T) {
		c := t.Connect()
		for range 20 {
			c.Ping()
			t.Wait(5 * time.Millisecond)
		}
	}
	return []Case{
		{Name: "a/one", Claims: "3.1.1/MQTT-1.1.1-1", Text: "x.", Run: ping},
		{Name: "a/deadly", Claims: "3.1.1/MQTT-1.1.1-2", Text: "x.",
			Run: func(t *T) { t.Connect().Subscribe("x", 0) }},
		{Name: "a/two", Claims: "3.1.1/MQTT-1.1.1-3", Text: "x.", Run: ping},
	}
}

// Who ends the server is told; who only happened to run at the time passes in the end.
func TestServerThatEndsAndIsBack(t *testing.T) {
	f := &fragile{ended: make(chan struct{}, 10)}
	address := f.listen(t, "127.0.0.1:0")
	f.restart(t, address)
	target, err := ParseTarget("tcp://"+address, TLS{})
	if err != nil {
		t.Fatal(err)
	}
	results, err := Run(t.Context(), outageCases(), options(target))
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
	f := &fragile{ended: make(chan struct{}, 10)}
	target, err := ParseTarget("tcp://"+f.listen(t, "127.0.0.1:0"), TLS{})
	if err != nil {
		t.Fatal(err)
	}
	o := options(target)
	o.Parallel, o.ReturnTimeout = 1, 10*time.Millisecond
	results, err := Run(t.Context(), outageCases(), o)
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
