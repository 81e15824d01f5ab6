package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/sdk/client"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// ask answers a client of the node's admin API.
func ask(t *testing.T, a *App) *client.Client {
	t.Helper()
	c, err := client.New(a.AdminURL(), "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refused checks that err is a refusal with that status.
func refused(t *testing.T, err error, status int) {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) || e.Status != status {
		t.Errorf("got %v, want status %d", err, status)
	}
}

func redirect(from, to string) map[string]any {
	return map[string]any{"rules": []any{
		map[string]any{"filter": from, "redirect": to},
	}}
}

func TestSwapAndRollbackWhileConnected(t *testing.T) {
	a := open(t, testConfig("l"))
	c, ctx := ask(t, a), t.Context()
	p := dial(t, address(t, a, "l"), "p")
	p.subscribe("#")
	expect := func(want string) {
		t.Helper()
		p.publish("a", "m")
		if topic, _ := p.receive(); topic != want {
			t.Errorf("went to %s, want %s", topic, want)
		}
	}
	place := client.Swap{Listener: "l", Role: "router", Use: "router-rules"}
	expect("a")
	place.Config = redirect("a", "b")
	done, err := c.Swap(ctx, place)
	if err != nil || done.New.Name != "router-rules" || done.Old.Digest != done.New.Digest {
		t.Fatalf("%+v, %v", done, err)
	}
	expect("b")
	place.Config = redirect("a", "c")
	if _, err := c.Swap(ctx, place); err != nil {
		t.Fatal(err)
	}
	expect("c")

	for name, bad := range map[string]client.Swap{
		"no wasm":      {Listener: "l", Role: "router", Wasm: []byte("no")},
		"no role":      {Listener: "l", Role: "ruler", Use: "router-rules"},
		"other role":   {Listener: "l", Role: "authorizer", Use: "router-rules"},
		"no component": {Listener: "l", Role: "router"},
		"a file there": {Listener: "l", Role: "router", Use: "/etc/passwd"},
		"far place":    {Listener: "l", Role: "router", Use: "router-rules", Position: 3},
		"unknown grant": {Listener: "l", Role: "router", Use: "router-rules",
			Grants: []string{"x"}},
		"bad config": {Listener: "l", Role: "router", Use: "router-rules",
			Config: map[string]any{"rulez": 1}},
	} {
		_, err := c.Swap(ctx, bad)
		t.Logf("%s: %v", name, err)
		refused(t, err, 422)
		expect("c")
	}
	_, err = c.Swap(ctx, client.Swap{Listener: "x", Role: "router", Use: "router-rules"})
	refused(t, err, 404)

	if _, err := c.Rollback(ctx, client.Rollback{Listener: "l", Role: "router"}); err != nil {
		t.Fatal(err)
	}
	expect("b")
	_, err = c.Rollback(ctx, client.Rollback{Listener: "l", Role: "authorizer"})
	refused(t, err, 409)

	linked, err := c.Link(ctx)
	if err != nil || len(linked) != 1 || linked[0].Calls == 0 || linked[0].Previous == "" {
		t.Errorf("%+v, %v", linked, err)
	}
}

func TestClientsByAPI(t *testing.T) {
	a := open(t, testConfig("l"))
	c, ctx := ask(t, a), t.Context()
	peers := make(map[string]*peer)
	for i := range 12 { // over two loops
		id := fmt.Sprintf("p-%02d", i)
		peers[id] = dial(t, address(t, a, "l"), id)
	}
	var seen []string
	for after := ""; ; {
		page, err := c.Sessions(ctx, after, 5)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, s := range page {
			seen = append(seen, s.ClientID)
			if !s.Connected || s.Listener != "l" || s.Version != 5 || s.Address != "127.0.0.1" {
				t.Errorf("%+v", s)
			}
		}
		after = page[len(page)-1].ClientID
	}
	if len(seen) != 12 || seen[0] != "p-00" || seen[11] != "p-11" {
		t.Errorf("seen %v", seen)
	}
	if err := c.Kick(ctx, "p-07"); err != nil {
		t.Fatal(err)
	}
	if got := peers["p-07"].ended(); got != mqtt.AdministrativeAction {
		t.Errorf("reason %v", got)
	}
	refused(t, c.Kick(ctx, "p-07"), 404)
	st, err := c.Status(ctx)
	if err != nil || st.Totals.Connections != 11 || st.Totals.ConnectionsTotal != 12 ||
		st.Loops != 2 || st.Version == "" || st.Node == "" {
		t.Errorf("%+v, %v", st, err)
	}
}

// TestAFileOfAShippedNameGetsNothing: the bytes may even be those of the shipped one.
func TestAFileOfAShippedNameGetsNothing(t *testing.T) {
	a := open(t, testConfig("l"))
	c := ask(t, a)
	swap := func(s client.Swap) (client.Swapped, error) {
		s.Listener, s.Role = "l", "deduplicator"
		return c.Swap(t.Context(), s)
	}
	if _, err := swap(client.Swap{Use: "deduplicator-window"}); err != nil {
		t.Fatal(err)
	}
	code, _ := components.Default("deduplicator-window")
	_, err := swap(client.Swap{Use: "spoof", Wasm: code})
	if err == nil || !strings.Contains(err.Error(), "--grant kv") {
		t.Errorf("it takes the grants of the place: %v", err)
	}
	done, err := swap(client.Swap{Use: "spoof", Wasm: code, Grants: []string{"kv"}})
	if err != nil || done.New.Name != "file:deduplicator-window" || done.Keeps != nil {
		t.Errorf("%+v, %v", done, err)
	}
	done, err = swap(client.Swap{Use: "spoof", Wasm: code})
	if err != nil || !slices.Equal(done.Keeps, []string{"kv"}) {
		t.Errorf("the next version: %+v, %v", done, err)
	}
}
