//go:build unix

package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/msglog"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// hello connects a client that may have a session, and answers how it was received.
func hello(t *testing.T, address string, c mqtt.Connect) (*peer, mqtt.Connack) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p := newPeer(t, conn)
	if c.Version == mqtt.V5 {
		c.Props = c.Props.AppendUint32(mqtt.SessionExpiryInterval, 3600)
	}
	p.send(c.Append(nil))
	var ack mqtt.Connack
	if err := ack.Decode(c.Version, p.next()); err != nil {
		t.Fatal(err)
	}
	return p, ack
}

// ask publishes at QoS 1 and answers the reason of PUBACK.
func (p *peer) ask(topic string, retain bool) mqtt.ReasonCode {
	p.t.Helper()
	m := mqtt.Publish{
		QoS: mqtt.AtLeastOnce, PacketID: 7, Topic: []byte(topic), Payload: []byte("x"),
		Retain: retain,
	}
	p.send(m.Append(nil, mqtt.V5))
	var a mqtt.Ack
	if err := a.Decode(mqtt.V5, p.next()); err != nil || a.Type != mqtt.PUBACK {
		p.t.Fatal(a, err)
	}
	return a.Reason
}

// want subscribes at QoS 1 and answers the reason of SUBACK.
func (p *peer) want(filter string) mqtt.ReasonCode {
	p.t.Helper()
	list := []mqtt.Subscription{{Filter: []byte(filter), QoS: mqtt.AtLeastOnce}}
	p.send(mqtt.AppendSubscribe(nil, mqtt.V5, 1, nil, list))
	var a mqtt.Suback
	if err := a.Decode(mqtt.V5, p.next()); err != nil || len(a.Reasons) != 1 {
		p.t.Fatal(a, err)
	}
	return a.Reasons[0]
}

// reasons compares what was answered.
func reasons(t *testing.T, what string, got, want mqtt.ReasonCode) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// The way of a device that fills up and empties again, as clients and operators see it.
func TestAFullDeviceAndBack(t *testing.T) {
	var free atomic.Int64
	free.Store(1 << 30)
	cfg := diskNode(t.TempDir())
	cfg.Store.FreeBytesMin = 1 << 20
	log := slog.New(slog.DiscardHandler)
	a, err := Open(t.Context(), cfg, Options{
		Log: log, space: func(string) (int64, error) { return free.Load(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	at := address(t, a, "l")
	watcher := dial(t, at, "watcher")
	watcher.subscribe("$SYS/broker/alarms/#")
	away, _ := keep(t, at, "away")
	reasons(t, "subscribe", away.want("t"), mqtt.GrantedQoS1)
	_ = away.conn.Close()
	stays, _ := keep(t, at, "stays")
	online := dial(t, at, "online")
	reasons(t, "subscribe", online.want("live"), mqtt.GrantedQoS1)
	pub := dial(t, at, "pub")
	reasons(t, "before", pub.ask("t", false), mqtt.Success)

	free.Store(1<<20 - 1)
	topic, text := watcher.receive()
	var alarm client.Alarm
	if err := json.Unmarshal([]byte(text), &alarm); err != nil || alarm.Name != "storage_full" ||
		topic != "$SYS/broker/alarms/storage_full" || !strings.Contains(alarm.Text, "1048575") {
		t.Errorf("%s %s: %v", topic, text, err)
	}
	o := &operator{a}
	if st, err := o.Status(t.Context()); err != nil || len(st.Alarms) != 1 ||
		st.Alarms[0].Name != "storage_full" {
		t.Errorf("%+v, %v", st.Alarms, err)
	}
	refusedAtFull(t, at, pub, stays)
	reasons(t, "a session that is not kept", pub.ask("live", false), mqtt.Success)
	if topic, _ := online.receive(); topic != "live" {
		t.Errorf("got %s", topic)
	}
	pub.publish("live", "QoS 0")
	if _, text := online.receive(); text != "QoS 0" {
		t.Errorf("got %s", text)
	}
	back, present := keep(t, at, "away")
	if topic, _ := back.receive(); !present || topic != "t" {
		t.Errorf("what was kept is not there: %v %s", present, topic)
	}

	free.Store(1<<20 + 1<<17) // not enough to go on
	until(t, "a look", func() bool { return a.loops.disk.Stats().FreeBytes == 1<<20+1<<17 })
	reasons(t, "a little more", pub.ask("t", false), mqtt.QuotaExceeded)
	free.Store(2 << 20)
	if topic, text := watcher.receive(); topic != "$SYS/broker/alarms/storage_full" || text != "" {
		t.Errorf("the end: %s %q", topic, text)
	}
	reasons(t, "after", pub.ask("t", true), mqtt.Success)
	if _, text := back.receive(); text != "x" {
		t.Errorf("got %q", text)
	}
	reasons(t, "subscribe after", stays.want("u"), mqtt.GrantedQoS1)
	keep(t, at, "new")
	if st, err := o.Status(t.Context()); err != nil || len(st.Alarms) != 0 {
		t.Errorf("%+v, %v", st.Alarms, err)
	}
}

// refusedAtFull asks for all that must be kept.
func refusedAtFull(t *testing.T, at string, pub, stays *peer) {
	t.Helper()
	reasons(t, "publish", pub.ask("t", false), mqtt.QuotaExceeded)
	reasons(t, "retain", pub.ask("r", true), mqtt.QuotaExceeded)
	reasons(t, "subscribe", stays.want("u"), mqtt.QuotaExceeded)
	reasons(t, "not subscribed", pub.ask("u", false), mqtt.NoMatchingSubscribers)
	_, ack := hello(t, at, mqtt.Connect{Version: mqtt.V5, ClientID: []byte("new")})
	reasons(t, "connect", ack.Reason, mqtt.QuotaExceeded)
	_, ack = hello(t, at, mqtt.Connect{Version: mqtt.V311, ClientID: []byte("new3")})
	reasons(t, "connect by 3.1.1", ack.Reason, mqtt.ServerUnavailable)
	old, ack := hello(t, at, mqtt.Connect{
		Version: mqtt.V311, ClientID: []byte("pub3"), CleanStart: true,
	})
	reasons(t, "connect without a session", ack.Reason, mqtt.Success)
	m := mqtt.Publish{QoS: 1, PacketID: 1, Topic: []byte("t"), Payload: []byte("x")}
	old.send(m.Append(nil, mqtt.V311))
	if _, err := old.read(); err == nil {
		t.Error("3.1.1 got an answer to what was refused")
	}
}

// While there is no room for the message log operators are told, messages go on, and it ends by
// itself when there is room, though nothing is published.
func TestAFullMessageLogIsAnAlarm(t *testing.T) {
	var free atomic.Int64
	cfg := diskNode(t.TempDir())
	cfg.Store.FreeBytesMin = 1 << 20
	m := configs.DefaultMessageLog()
	cfg.Listeners[0].Log = &m
	a, err := Open(t.Context(), cfg, Options{
		Log: slog.New(slog.DiscardHandler),
		space: func(dir string) (int64, error) {
			if filepath.Base(dir) == "l" { // the folder of the listener's log
				return free.Load(), nil
			}
			return 1 << 30, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	watcher := dial(t, address(t, a, "l"), "watcher")
	watcher.subscribe("$SYS/broker/alarms/#")
	pub := dial(t, address(t, a, "l"), "pub")
	for i := range 6 { // more than a block
		pub.store("big", strings.Repeat("x", 60_000), uint16(i+1))
	}
	if topic, text := watcher.receive(); topic != "$SYS/broker/alarms/log_full" ||
		!strings.Contains(text, "the message log of l:") {
		t.Errorf("%s %s", topic, text)
	}
	list, err := adminOf(t, a).Alarms(t.Context())
	if err != nil || len(list) != 1 || list[0].Name != "log_full" {
		t.Errorf("%+v, %v", list, err)
	}
	reasons(t, "while it lasts", pub.ask("t", false), mqtt.NoMatchingSubscribers)
	free.Store(1 << 30)
	if topic, text := watcher.receive(); topic != "$SYS/broker/alarms/log_full" || text != "" {
		t.Errorf("%s %s", topic, text)
	}
	if list, err := adminOf(t, a).Alarms(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	pub.publish("t", "again")
	p, err := adminOf(t, a).Log(t.Context(), client.LogQuestion{})
	for end := time.Now().Add(patience); err == nil && len(p.Records) == 0; {
		if time.Now().After(end) {
			t.Fatal("nothing is logged again")
		}
		p, err = adminOf(t, a).Log(t.Context(), client.LogQuestion{})
	}
	if err != nil || p.Missed == 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// What is not a lack of room is another alarm.
func TestWhyTheMessageLogIsNotTaken(t *testing.T) {
	var x unlogged
	x.set("b", fmt.Errorf("%w: 5 bytes", msglog.ErrSpace))
	x.set("a", &os.PathError{Op: "write", Path: "p", Err: syscall.ENOSPC})
	x.set("c", errors.New("a device"))
	x.set("d", errors.New("a device"))
	x.set("d", nil)
	full, failing := x.list()
	if got := fmt.Sprint(full, failing); got != "[a b] [c]" {
		t.Error(got)
	}
}

// TestNoAlarmsAreAList: JSON has [] for it.
func TestNoAlarmsAreAList(t *testing.T) {
	x := alarms{now: map[string]client.Alarm{}}
	if b, err := json.Marshal(x.list()); err != nil || string(b) != "[]" {
		t.Errorf("%s, %v", b, err)
	}
}
