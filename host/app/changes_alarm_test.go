//go:build unix

package app

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/client"
)

// brittle is a ledger on a device that fails while down is true.
type brittle struct {
	rollout.Ledger
	down atomic.Bool
}

func (b *brittle) Append(r []byte) error {
	if b.down.Load() {
		return syscall.EIO
	}
	return b.Ledger.Append(r)
}

func (b *brittle) Insist(r []byte) error {
	if b.down.Load() {
		return syscall.EIO
	}
	return b.Ledger.Insist(r)
}

func (b *brittle) Compact(r []byte) error {
	if b.down.Load() {
		return syscall.EIO
	}
	return b.Ledger.Compact(r)
}

// heard waits for an alarm to begin, or to end.
func heard(t *testing.T, p *peer, name string) (text string) {
	t.Helper()
	topic, text := p.receive()
	if topic != alarmTopic+name {
		t.Errorf("heard %s: %s", topic, text)
	}
	return text
}

// TestALedgerThatFails refuses changes, raises an alarm, and is tried again though nobody asks.
func TestALedgerThatFails(t *testing.T) {
	b := &brittle{}
	a := start(t, keeping(t, t.TempDir(), "l"), Options{
		records: func(l rollout.Ledger) rollout.Ledger { b.Ledger = l; return b },
	})
	watcher := dial(t, address(t, a, "l"), "watcher")
	watcher.subscribe(alarmTopic + "#")
	swap := client.Swap{Listener: "l", Role: "router", Use: "router-rules",
		Config: redirect("a", "b")}
	b.down.Store(true)
	_, err := ask(t, a).Swap(t.Context(), swap)
	refused(t, err, 503)
	if err == nil || !strings.Contains(err.Error(), "the ledger cannot be written") ||
		!strings.Contains(err.Error(), "look at the device of the data folder") {
		t.Errorf("a swap: %v", err)
	}
	if text := heard(t, watcher, alarmChanges); !strings.Contains(text, "refused until") {
		t.Errorf("the alarm: %s", text)
	}
	if got := goes(t, a, "l", "a"); got != "a" {
		t.Errorf("went to %s", got)
	}
	b.down.Store(false)
	if text := heard(t, watcher, alarmChanges); text != "" {
		t.Errorf("its end: %s", text)
	}
	if _, err := ask(t, a).Swap(t.Context(), swap); err != nil {
		t.Error(err)
	}
}

// TestARollbackThatIsNotOnRecordSaysSo, in its answer, as an event and in the alarm: a restart
// before the device works links again what it took out.
func TestARollbackThatIsNotOnRecordSaysSo(t *testing.T) {
	b := &brittle{}
	a := start(t, keeping(t, t.TempDir(), "l"), Options{
		records: func(l rollout.Ledger) rollout.Ledger { b.Ledger = l; return b },
	})
	for _, to := range []string{"b", "c"} {
		if _, err := ask(t, a).Swap(t.Context(), client.Swap{Listener: "l", Role: "router",
			Use: "router-rules", Config: redirect("a", to)}); err != nil {
			t.Fatal(err)
		}
	}
	b.down.Store(true)
	const text = "links again what this took out"
	done, err := ask(t, a).Rollback(t.Context(), client.Rollback{Listener: "l", Role: "router"})
	if err != nil || !strings.Contains(done.Unrecorded, text) {
		t.Errorf("its answer: %+v, %v", done, err)
	}
	until(t, "the alarm says so", func() bool {
		for _, x := range a.alarms.list() {
			if x.Name == alarmChanges && strings.Contains(x.Text, text) {
				return true
			}
		}
		return false
	})
	b.down.Store(false)
	until(t, "it is on record", func() bool { return a.changes.machine.Failing() == nil })
	done, err = ask(t, a).Rollback(t.Context(), client.Rollback{Listener: "l", Role: "router"})
	if err != nil || done.Unrecorded != "" {
		t.Errorf("with room: %+v, %v", done, err)
	}
}

// TestAComponentThatRestsIsAnAlarm: the alarm says which, and where.
func TestAComponentThatRestsIsAnAlarm(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l")
	cfg.Listeners[0].Link.Transformer = []configs.Component{{
		Use: testGuests + "transformer.wasm", OnFault: "open",
	}}
	a := start(t, cfg, Options{})
	watcher := dial(t, address(t, a, "l"), "watcher")
	watcher.subscribe(alarmTopic + "#")
	p := dial(t, address(t, a, "l"), "p")
	until(t, "there is an alarm", func() bool {
		p.publish("trap/x", "m")
		return a.alarms.has(alarmComponent)
	})
	text := heard(t, watcher, alarmComponent)
	if !strings.Contains(text, "l transformer[0] ") || !strings.Contains(text, "link doctor") {
		t.Errorf("the alarm: %s", text)
	}
	swap := client.Swap{Listener: "l", Role: "transformer", Use: "transformer-json"}
	if _, err := ask(t, a).Swap(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	if text := heard(t, watcher, alarmComponent); text != "" {
		t.Errorf("its end: %s", text)
	}
}
