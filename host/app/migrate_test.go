//go:build unix

package app

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/cap/kv"
	"github.com/hpmq/hpmq/host/link"
)

// keeper writes a version of a deduplicator that has its window in kv, and answers its file.
func keeper(t *testing.T, use string, schema int) string {
	t.Helper()
	code, err := os.ReadFile(testGuests + use + ".wasm")
	if err != nil {
		t.Fatal(err)
	}
	const name = "hpmq:manifest"
	body := fmt.Sprintf("%c%s"+`{"name":"keeper","version":"%d.0.0","state":{"schema":%[3]d}}`,
		len(name), name, schema)
	code = append(append(code, 0, byte(len(body))), body...) // shorter than 128
	file := filepath.Join(t.TempDir(), "keeper.wasm")
	if err := os.WriteFile(file, code, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// keeperConfig links a version of it.
func keeperConfig(dir, file string) configs.Config {
	c := diskNode(dir)
	c.Listeners[0].Link = configs.Link{Deduplicator: []configs.Component{{
		Use: file, Grants: []string{"kv"}, Config: map[string]any{"words": "window=3600000;"},
	}}}
	return c
}

// TestMigratedKeysOutliveTheBroker: a swap under clients migrates what a deduplicator knows. After
// a restart the new version is at home in it, and the old one is refused.
func TestMigratedKeysOutliveTheBroker(t *testing.T) {
	dir, v1 := t.TempDir(), keeper(t, "deduplicator-kv", 1)
	v2 := keeper(t, "deduplicator-migration", 2)
	a := open(t, keeperConfig(dir, v1))
	sub := dial(t, address(t, a, "l"), "sub")
	sub.subscribe("#")
	pub := dial(t, address(t, a, "l"), "pub")
	only := func(id uint16, payload, next string) {
		t.Helper()
		pub.store("d/a", payload, id)
		pub.store("d/b", next, id+1)
		if topic, p := sub.receive(); topic != "d/b" || p != next {
			t.Errorf("%s %s came, want %s", topic, p, next)
		}
	}
	pub.store("d/a", "once", 1)
	if _, p := sub.receive(); p != "once" {
		t.Fatal(p)
	}
	_, err := a.linker.Swap(t.Context(), link.Request{
		Listener: "l", Role: link.RoleDeduplicator, Ref: link.Ref{Use: v2},
	})
	if err != nil {
		t.Fatal(err)
	}
	only(2, "once", "two")
	if schema, n := a.caps.kv.Schema("keeper"); schema != 2 || n != 2 {
		t.Errorf("schema %d, %d keys", schema, n)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a = open(t, keeperConfig(dir, v2))
	sub = dial(t, address(t, a, "l"), "sub")
	sub.subscribe("#")
	pub = dial(t, address(t, a, "l"), "pub")
	only(1, "once", "three")
	if got := window(a); got != "once=2, three=, two=" {
		t.Error(got)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a, err = Open(t.Context(), keeperConfig(dir, v1), Options{
		Log: slog.New(slog.DiscardHandler), DrainTimeout: patience,
	})
	if err == nil {
		_ = a.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "what keeper has in kv is of schema 2, and "+
		"this version is made for schema 1: it has no migration between the two") {
		t.Errorf("the old version: %v", err)
	}
}

// window is what the keeper knows.
func window(a *App) string {
	var all []string
	sp := a.caps.kv.On(kv.NoLoop, "keeper")
	for _, key := range []string{"once", "three", "two"} {
		value, _ := sp.Get(a.now(), []byte(key))
		all = append(all, key+"="+string(value))
	}
	return strings.Join(all, ", ")
}
