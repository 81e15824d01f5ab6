package revival

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// reloading is the end of the broker in the change that a reload is.
type reloading struct {
	point string
	// state is the one that it ended in, committed whether that is behind the commit.
	state     string
	committed bool
}

var reloadings = []reloading{
	{"entered.requested", "requested", false},
	{"entered.tested", "tested", false},
	{"enters.committed", "tested", false},
	{"entered.committed", "committed", true},
	{"enters.done", "draining", true},
}

// TestKilledInAReload: over a configuration that changes linked something else over, with another.
// The broker comes up with that on both listeners, or, where somebody brings the old file back,
// with what the changes linked, if it was killed before the commit, and else with what that file
// says.
func TestKilledInAReload(t *testing.T) {
	plain, faulty := binaries(t)
	for _, r := range reloadings {
		for _, old := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, the old file %v", r.point, old), func(t *testing.T) {
				newWorld(t, plain, faulty).reload(&r, old)
			})
		}
	}
}

// reload kills the broker in a reload. It starts with the new file, or the old one.
func (w *world) reload(r *reloading, old bool) {
	w.Helper()
	n := w.exchange("over")
	if _, err := w.client.Submit(w.Context(), n); err != nil || !w.follow(n.ID, "done", 0) {
		w.Fatal("nothing is linked over the configuration", err)
	}
	w.kill("change." + r.point + ":1:kill")
	file, err := os.ReadFile(w.config)
	if err != nil {
		w.Fatal(err)
	}
	w.write(bytes.ReplaceAll(file, []byte("redirect: first"), []byte("redirect: third")))
	w.broker.Reload()
	select {
	case <-w.broker.Done():
	case <-time.After(patience):
		w.Fatalf("the point was not passed\n%s", w.broker.Log())
	}
	want := "third"
	if old {
		w.write(file)
		want = map[bool]string{false: "second", true: "first"}[r.committed]
	}
	for range 2 { // what it comes up with stays
		w.start("")
		for _, listener := range []string{"left", "right"} {
			if to := w.routed(listener); to != want {
				w.Errorf("%s routes to %s, not %s\n%s", listener, to, want, w.broker.Log())
			}
		}
		w.isReloaded(r)
		w.broker.Kill()
	}
}

func (w *world) write(file []byte) {
	w.Helper()
	if err := os.WriteFile(w.config, file, 0o600); err != nil {
		w.Fatal(err)
	}
}

// isReloaded looks at what is said of the change that the reload was.
func (w *world) isReloaded(r *reloading) {
	w.Helper()
	list, err := w.client.Changes(w.Context())
	if err != nil || len(list) != 2 {
		w.Fatalf("%d changes, %v", len(list), err)
	}
	c, ends := list[0], map[bool]string{false: rolledBack, true: "done"}[r.committed]
	why := fmt.Sprintf("the broker ended in state %s: the configuration that it starts with",
		r.state)
	if c.By != "configuration" || c.State != ends || !strings.HasPrefix(c.Why, why) {
		w.Errorf("%s by %s is %s, not %s: %s", c.ID, c.By, c.State, ends, c.Why)
	}
}
