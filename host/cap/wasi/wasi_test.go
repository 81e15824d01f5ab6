package wasi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/host/cap/wasi"
	"github.com/hpmq/hpmq/host/cap/wasi/probe"
	"github.com/hpmq/hpmq/host/wasm"
)

// world has a clock that the test moves, and random bytes that count up.
type world struct {
	now   time.Time
	slept time.Duration
	next  byte
}

func newWorld() *world { return &world{now: time.Unix(1_700_000_000, 123_456_789)} }

func (w *world) modules() []wasm.HostModule {
	return wasi.Modules(func(d time.Duration) { w.slept += d; w.now = w.now.Add(d) })
}

// config is of an engine in that world.
func (w *world) config() wasm.Config {
	cfg := wasm.Default()
	cfg.Now = func() time.Time { return w.now }
	cfg.Random = func(b []byte) {
		for i := range b {
			w.next++
			b[i] = w.next
		}
	}
	return cfg
}

// house makes guests in that world.
func (w *world) house(t testing.TB) *probe.House {
	return probe.Open(t, w.config(), w.modules())
}

func newGuest(t *testing.T) (*probe.Guest, *world) {
	w := newWorld()
	return w.house(t).Guest(t, wasm.Limits{}), w
}

// traps calls a function that must trap, and say so in these words.
func traps(t *testing.T, want, name string, args ...uint64) {
	t.Helper()
	trapsIn(t, newWorld().house(t), want, name, args...)
}

func trapsIn(t *testing.T, h *probe.House, want, name string, args ...uint64) {
	t.Helper()
	_, err := h.Guest(t, wasm.Limits{}).Try(name, args...)
	if err == nil || !strings.Contains(err.Error(), want) ||
		strings.Contains(err.Error(), "nobody made") {
		t.Errorf("%s: %v; should say %q", name, err, want)
	}
}

func TestEverythingIsServed(t *testing.T) {
	n := 0
	for _, m := range newWorld().modules() {
		n += len(m.Funcs)
	}
	if n != 179+4 /* of preview 1 */ {
		t.Errorf("%d functions", n)
	}
}
