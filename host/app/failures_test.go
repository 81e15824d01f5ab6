package app

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/client"
)

// TestFailuresByTheAPI has a component that traps, and sees it in the API until it is gone.
func TestFailuresByTheAPI(t *testing.T) {
	code, err := os.ReadFile("../../components/testdata/hostile-trap.wasm")
	if err != nil {
		t.Fatal(err)
	}
	a := open(t, testConfig("l", "m"))
	c, ctx := ask(t, a), t.Context()
	if all, err := c.Failures(ctx, ""); err != nil || len(all) != 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	_, err = c.Swap(ctx, client.Swap{Listener: "l", Role: "transformer", Use: "bad", Wasm: code})
	if err != nil {
		t.Fatal(err)
	}
	p := dial(t, address(t, a, "l"), "p")
	p.subscribe("#")
	p.publish("a/b", "m")
	if topic, _ := p.receive(); topic != "a/b" {
		t.Errorf("went to %s", topic)
	}
	all, err := c.Failures(ctx, "l")
	upstream := func(f client.Failure) bool {
		return f.Function == "hpmq:broker/transformer@0.1.0#upstream"
	}
	i := slices.IndexFunc(all, upstream)
	if err != nil || i < 0 {
		t.Fatalf("%+v, %v", all, err)
	}
	f := all[i]
	if f.Listener != "l" || f.Role != "transformer" || f.Kind != "trap" || f.Count != 1 ||
		f.Topic != "a/b" || f.ClientID != "p" || f.Standing != client.Serving ||
		len(f.Backtrace) == 0 {
		t.Errorf("%+v", f)
	}
	if all, err := c.Failures(ctx, "m"); err != nil || len(all) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	_, err = c.Failures(ctx, "none")
	refused(t, err, http.StatusNotFound)
	if _, err := c.Rollback(ctx, client.Rollback{Listener: "l", Role: "transformer"}); err != nil {
		t.Fatal(err)
	}
	all, err = c.Failures(ctx, "")
	if i := slices.IndexFunc(all, upstream); err != nil || i < 0 || all[i].Standing != client.Gone {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestABudgetOfTheConfiguration refuses what goes beyond it, and says what to write.
func TestABudgetOfTheConfiguration(t *testing.T) {
	cfg := testConfig("l")
	cfg.Wasm.ListenerGuestsMax = 1
	_, err := Open(t.Context(), cfg, Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), DrainTimeout: patience,
	})
	if err == nil || !strings.Contains(err.Error(), "write wasm: {listener_guests_max: 4}") {
		t.Fatal(err)
	}
	l := linkConfig(&configs.Config{Wasm: configs.Wasm{
		ListenerGuestsMax: 3, ListenerMemoryMax: configs.MiB, Failures: configs.FailuresRedacted,
	}}, 1)
	if l.ListenerGuestsMax != 3 || l.ListenerMemoryBytesMax != 1<<20 || !l.RedactFailures {
		t.Errorf("%+v", l)
	}
}
