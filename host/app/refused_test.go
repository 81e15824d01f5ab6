//go:build unix

package app

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// segment is a file of the journal on a device that fails now and then.
type segment struct {
	*os.File
	fails *atomic.Bool
}

func (s segment) WriteAt(b []byte, at int64) (int, error) {
	if s.fails.Load() {
		return 0, errors.New("the device fails")
	}
	return s.File.WriteAt(b, at)
}

// openFailing is open on a device that fails while the answer is true.
func openFailing(t *testing.T, cfg configs.Config) (*App, *atomic.Bool) {
	t.Helper()
	fails := new(atomic.Bool)
	a, err := Open(t.Context(), cfg, Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		segment: func(path string) (journal.File, error) {
			f, err := os.Create(filepath.Clean(path))
			return segment{f, fails}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fails.Store(false); _ = a.Close() })
	return a, fails
}

// say publishes at QoS 2.
func (p *peer) say(id uint16, topic, payload string) {
	m := mqtt.Publish{
		QoS: mqtt.ExactlyOnce, PacketID: id, Topic: []byte(topic), Payload: []byte(payload),
	}
	p.send(m.Append(nil, mqtt.V5))
}

// told checks the reasons of the next PUBRECs and PUBACKs.
func (p *peer) told(reasons ...mqtt.ReasonCode) {
	p.t.Helper()
	for i, want := range reasons {
		var a mqtt.Ack
		if err := a.Decode(mqtt.V5, p.next()); err != nil {
			p.t.Fatal(err)
		}
		if a.Reason != want {
			p.t.Errorf("%d: told %s, want %s", i, a.Reason, want)
		}
	}
}

// A message that the device refused is no repeat when it is sent again, nor after a restart, and a
// counter has not counted it. What was taken for its repeat meanwhile is refused as it is.
func TestARefusedMessageIsNotRemembered(t *testing.T) {
	const ok, refused = mqtt.Success, mqtt.QuotaExceeded
	cfg := rememberConfig(t.TempDir())
	cfg.Listeners[0].Link.Deduplicator = []configs.Component{{
		Use: "deduplicator-window", Config: map[string]any{"rules": []any{
			map[string]any{"filter": "d/#", "window_ms": 3_600_000},
		}},
	}}
	a, fails := openFailing(t, cfg)
	sub, _ := keep(t, address(t, a, "l"), "sub")
	list := []mqtt.Subscription{{Filter: []byte("#"), QoS: mqtt.ExactlyOnce}}
	sub.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, list))
	if got := mqtt.TypeOf(sub.next()); got != mqtt.SUBACK {
		t.Fatal(got)
	}
	want := func(messages ...string) {
		t.Helper()
		for _, m := range messages {
			if topic, payload := sub.receive(); topic+" "+payload != m {
				t.Errorf("%s %s, want %s", topic, payload, m)
			}
		}
	}
	pub, _ := keep(t, address(t, a, "l"), "pub")
	pub.say(1, "n/a", "first")
	pub.told(ok)
	fails.Store(true)
	twice := mqtt.Publish{ // in one piece, so that the second finds what the first noted
		QoS: mqtt.ExactlyOnce, PacketID: 2, Topic: []byte("d/a"), Payload: []byte("once"),
	}
	frames := twice.Append(nil, mqtt.V5)
	twice.QoS, twice.PacketID = mqtt.AtLeastOnce, 3
	pub.send(twice.Append(frames, mqtt.V5))
	pub.told(refused, refused)
	pub.say(4, "n/a", "refused")
	pub.told(refused)
	fails.Store(false)
	pub.say(5, "d/a", "once")
	pub.say(6, "d/a", "once") // a repeat by now
	pub.say(7, "n/a", "second")
	pub.told(ok, ok, ok)
	want("n/a 1 first", "d/a once", "n/a 2 second")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = open(t, cfg)
	pub, _ = keep(t, address(t, a, "l"), "pub")
	pub.say(8, "d/a", "once")
	pub.say(9, "n/a", "third")
	pub.told(ok, ok)
	sub, _ = keep(t, address(t, a, "l"), "sub")
	want("n/a 1 first", "d/a once", "n/a 2 second", "n/a 3 third")
}
