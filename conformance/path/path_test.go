//go:build invariants

package path

import (
	"context"
	"flag"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/gate"
	"github.com/hpmq/hpmq/host/shard"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

const (
	golden    = "testdata/publish.txt"
	framesMax = 8
	patience  = 2 * time.Minute
)

// TestPublish sends a QoS 0 PUBLISH from socket to socket through the loops and looks at the stack
// inside the write to the subscriber.
func TestPublish(t *testing.T) {
	stacks := make(chan []string, 64)
	addr := start(t, func() { stacks <- frames() })
	sub, pub := dial(t, addr, "sub"), dial(t, addr, "pub")
	filters := []mqtt.Subscription{{Filter: []byte("a/#")}}
	exchange(t, sub, mqtt.AppendSubscribe(nil, mqtt.V311, 1, nil, filters))
	for len(stacks) > 0 {
		<-stacks // CONNACK, SUBACK
	}
	p := mqtt.Publish{Topic: []byte("a/b"), Payload: []byte("x")}
	if _, err := pub.Write(p.Append(nil, mqtt.V311)); err != nil {
		t.Fatal(err)
	}
	got := <-stacks
	if len(got) > framesMax {
		t.Errorf("%d frames, at most %d", len(got), framesMax)
	}
	compare(t, strings.Join(got, "\n")+"\n")
}

func compare(t *testing.T, got string) {
	t.Helper()
	if *rewrite {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the way of a PUBLISH is\n%s\nand was\n%s", got, want)
	}
}

var rewrite = flag.Bool("rewrite", false, "write the golden file anew")

// frames are the functions of this project on the stack, from the socket to the write; what the
// compiler inlined counts as well.
func frames() []string {
	pcs := make([]uintptr, 64)
	pcs = pcs[:runtime.Callers(3, pcs)] // without Callers, frames, the hook
	var names []string
	for list := runtime.CallersFrames(pcs); ; {
		f, more := list.Next()
		if name, ours := strings.CutPrefix(f.Function, "github.com/hpmq/hpmq/"); ours {
			names = append([]string{name}, names...)
		}
		if !more {
			return names
		}
	}
}

// start opens one loop with a listener on loopback.
func start(t *testing.T, onWrite func()) string {
	t.Helper()
	cfg := shard.Default()
	cfg.Gate.Loops = 1
	cfg.Gate.OnWrite = onWrite
	s, err := shard.Open(cfg, func(int, broker.Peers) *broker.Kernel {
		return broker.New(broker.Default(), nil, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	lim := gate.DefaultLimits()
	addr, err := s.AddListener(shard.ListenerConfig{
		Name: "path", Bind: "tcp://127.0.0.1:0", Limits: lim,
	}, func(int) *broker.Listener {
		return &broker.Listener{Name: "path", Limits: broker.DefaultLimits()}
	})
	if err != nil {
		t.Fatal(err)
	}
	return addr.String()
}

func dial(t *testing.T, addr, id string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	hi := mqtt.Connect{Version: mqtt.V311, CleanStart: true, ClientID: []byte(id)}
	exchange(t, c, hi.Append(nil))
	return c
}

// exchange sends a packet and waits for its answer.
func exchange(t *testing.T, c net.Conn, packet []byte) {
	t.Helper()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write(packet); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 256)); err != nil {
		t.Fatal(err)
	}
}
