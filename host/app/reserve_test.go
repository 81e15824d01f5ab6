package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/hpmq/hpmq/sdk/client"
)

// hearing calls what is heard when the log says something.
type hearing struct {
	slog.Handler
	mu    sync.Mutex
	heard map[string]func()
}

func newHearing() *hearing {
	return &hearing{Handler: slog.DiscardHandler, heard: make(map[string]func())}
}

func (h *hearing) Enabled(context.Context, slog.Level) bool { return true }

func (h *hearing) Handle(_ context.Context, r slog.Record) error {
	h.mu.Lock()
	f := h.heard[r.Message]
	delete(h.heard, r.Message)
	h.mu.Unlock()
	if f != nil {
		f()
	}
	return nil
}

// once calls f the next time that message is logged, on the goroutine that logs it.
func (h *hearing) once(message string, f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard[message] = f
}

// TestAReloadKeepsChangesAway until all of it is done: what is linked meanwhile would be gone from
// the records at the end of it, or what it links from the tables. A swap waits for it.
func TestAReloadKeepsChangesAway(t *testing.T) {
	cfg := keeping(t, t.TempDir(), "l", "other")
	cfg.Listeners[0].Link.Router = moves("a", "b")
	cfg.Listeners[1].Link.Router = moves("a", "b")
	h := newHearing()
	a := start(t, cfg, Options{Log: slog.New(h)})
	next := bound(a, cfg)
	next.Listeners[0].Link.Router = moves("a", "c")
	api := ask(t, a)
	var refused error
	swapped := make(chan error, 1)
	h.once("app: configuration reloaded", func() {
		_, refused = api.Submit(t.Context(), client.NewChange{ID: "meanwhile",
			Items: []client.ChangeItem{{Listener: "other", Role: "router",
				Source: "router-rules", Config: redirect("a", "y")}}})
		if refused == nil {
			_, _ = a.changes.machine.Wait(t.Context(), "meanwhile")
		}
		go func() {
			_, err := api.Swap(t.Context(), client.Swap{Listener: "other", Role: "router",
				Use: "router-rules", Config: redirect("a", "z")})
			swapped <- err
		}()
	})
	if err := a.Reload(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if refused == nil || !strings.Contains(refused.Error(), "a reload of the configuration is at "+
		"work at listener other") {
		t.Errorf("a change meanwhile: %v", refused)
	}
	if err := <-swapped; err != nil {
		t.Errorf("a swap that waits: %v", err)
	}
	for range 2 {
		if l, o := goes(t, a, "l", "a"), goes(t, a, "other", "a"); l != "c" || o != "z" {
			t.Errorf("they go to %s and %s", l, o)
		}
		stopped(t, a)
		a = start(t, next, Options{})
	}
}

// TestWhoWaitsForAReloadMayGo.
func TestWhoWaitsForAReloadMayGo(t *testing.T) {
	a := start(t, keeping(t, t.TempDir(), "l"), Options{})
	held, err := a.changes.machine.Reserve(reloading, "l")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = (&operator{App: a}).Swap(gone, client.Swap{Listener: "l", Role: "router",
		Use: "router-rules", Config: redirect("a", "b")})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
