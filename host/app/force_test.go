package app

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/sdk/client"
)

// TestAPlainSwapIsNotForced: it takes no older version and nothing that is in quarantine, unless
// who asks says so.
func TestAPlainSwapIsNotForced(t *testing.T) {
	a := start(t, keeping(t, t.TempDir(), "l"), Options{})
	c := ask(t, a)
	now, ok := components.Default("router-rules")
	older := bytes.Replace(now, []byte(`"version":"0.1.0"`), []byte(`"version":"0.0.9"`), 1)
	if !ok || bytes.Equal(now, older) {
		t.Fatal("router-rules has another version by now")
	}
	swap := client.Swap{Listener: "l", Role: "router", Use: "r", Wasm: now}
	if _, err := c.Swap(t.Context(), swap); err != nil {
		t.Fatal(err)
	}
	swap.Wasm = older
	_, err := c.Swap(t.Context(), swap)
	if err == nil || !strings.Contains(err.Error(), "0.0.9 is older than 0.1.0") ||
		!strings.Contains(err.Error(), "say force") {
		t.Errorf("an older one: %v", err)
	}
	swap.Force = true
	if done, err := c.Swap(t.Context(), swap); err != nil || done.New.Version != "0.0.9" {
		t.Errorf("by force: %v", err)
	}
	router := client.Rollback{Listener: "l", Role: "router"}
	if _, err := c.Rollback(t.Context(), router); err != nil {
		t.Errorf("back: %v", err)
	}
	if done, err := c.Rollback(t.Context(), router); err != nil || done.New.Version != "0.0.9" {
		t.Errorf("back to the older one: %v", err)
	}
}

func TestQuarantine(t *testing.T) {
	s := newStage(t, t.TempDir(), Options{})
	s.condemns(s.change("bad", "l"))
	held, err := s.client.Quarantine(t.Context())
	if err != nil || len(held) != 1 || held[0].Change != "bad" || held[0].Why == "" {
		t.Fatalf("held: %+v, %v", held, err)
	}
	code, err := os.ReadFile("../link/testdata/components/transformer.wasm")
	if err != nil {
		t.Fatal(err)
	}
	swap := client.Swap{Listener: "l", Role: "transformer", Use: "candidate", Wasm: code,
		Grants: []string{}}
	_, err = s.client.Swap(t.Context(), swap)
	if err == nil || !strings.Contains(err.Error(), "is in quarantine since change bad") ||
		!strings.Contains(err.Error(), "say force") {
		t.Errorf("a swap: %v", err)
	}
	err = s.client.Pardon(t.Context(), "sha256:01", "ann")
	if e := (*client.Error)(nil); !errors.As(err, &e) || e.Status != 404 {
		t.Errorf("another one: %v", err)
	}
	if err := s.client.Pardon(t.Context(), held[0].Digest, "ann"); err != nil {
		t.Fatal(err)
	}
	if held, err = s.client.Quarantine(t.Context()); err != nil || len(held) > 0 {
		t.Errorf("after the pardon: %+v, %v", held, err)
	}
	if _, err = s.client.Swap(t.Context(), swap); err != nil {
		t.Errorf("a swap after the pardon: %v", err)
	}
}
