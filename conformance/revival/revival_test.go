package revival

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/conformance/process"
	"github.com/hpmq/hpmq/sdk/client"
)

var (
	built = flag.String("bin", "", "folder of hpmq and hpmq-faults; empty builds them")
	only  = flag.String("round", "", "of all, the one of that name")
)

// binaries are the broker that users have, and the one that ends at points.
func binaries(t *testing.T) (plain, faulty string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the real binary")
	}
	if *built != "" {
		return filepath.Join(*built, "hpmq"), filepath.Join(*built, "hpmq-faults")
	}
	plain, err := process.BuildWith(t.Context(), "", t.TempDir())
	if err == nil {
		faulty, err = process.BuildWith(t.Context(), "faults", t.TempDir())
	}
	if err != nil {
		t.Fatal(err)
	}
	return plain, faulty
}

// A broker that is killed while components are being changed comes up with the old version or the
// new one, on both listeners, and what it routes, what it says is linked, what becomes of the
// change and its log agree.
func TestKilledInEachState(t *testing.T) {
	plain, faulty := binaries(t)
	w := newWorld(t, plain, faulty)
	for _, r := range rounds() {
		if *only != "" && *only != r.name {
			continue
		}
		began := time.Now()
		w.live(&r)
		if t.Failed() {
			t.Fatalf("%s: see above\n%s", r.name, w.broker.Log())
		}
		t.Logf("%-22s %4d ms  %-11s %s", r.name, time.Since(began).Milliseconds(), r.ends,
			map[bool]string{true: "the new version", false: "the old version"}[r.linked])
	}
}

// live makes a change, ends the broker in it, starts it and looks.
func (w *world) live(r *round) {
	w.Helper()
	faults := ""
	if r.point != "" {
		faults = "change." + r.point + ":1:kill"
	}
	if faults != w.faults {
		w.kill(faults)
	}
	n := w.exchange(r.name)
	if r.change != nil {
		r.change(&n)
	}
	_, _ = w.client.Submit(w.Context(), n) // the broker may end before it answers
	if r.at != "" && !w.follow(n.ID, r.at, r.step) {
		w.Fatalf("%s: the broker ended before", r.name)
	}
	switch r.act {
	case "cancel":
		_, _ = w.client.Cancel(w.Context(), n.ID, "")
	case "rollback":
		_, _ = w.client.RollbackChange(w.Context(), n.ID, "")
	}
	if r.point != "" {
		select {
		case <-w.broker.Done():
		case <-time.After(patience):
			w.Fatalf("%s: the point was not passed\n%s", r.name, w.broker.Log())
		}
	}
	w.kill("")
	if r.linked {
		w.linked, w.other, w.by = w.other, w.linked, n.ID
	}
	w.isLinked()
	w.isTold(r, &n)
	w.again(r, &n)
}

// isLinked looks at both listeners: messages, the API and the log say the same.
func (w *world) isLinked() {
	w.Helper()
	all, err := w.client.Link(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(l client.Linked) bool { return l.Role != "router" })
	if len(all) != 2 {
		w.Fatalf("%d routers are linked", len(all))
	}
	for _, l := range all {
		if l.Digest != w.linked.digest {
			w.Errorf("%s is linked to %s as it says, not %s", l.Digest, l.Listener, w.linked.digest)
		}
		if to := w.routed(l.Listener); to != w.linked.to {
			w.Errorf("%s routes to %s, not %s", l.Listener, to, w.linked.to)
		}
		line := fmt.Sprintf("listener=%s change=%s ", l.Listener, w.by)
		if w.by != "" && !strings.Contains(w.broker.Log(), line) {
			w.Errorf("the log does not say %q", line)
		}
	}
}

// isTold looks at what is said of the change, and that asking again changes nothing.
func (w *world) isTold(r *round, n *client.NewChange) {
	w.Helper()
	c, err := w.client.Change(w.Context(), n.ID)
	if r.ends == "" {
		if e := (*client.Error)(nil); !errors.As(err, &e) || e.Status != 404 {
			w.Errorf("%s is known: %+v, %v", n.ID, c, err)
		}
		return
	}
	if err != nil {
		w.Fatal(err)
	}
	if c.State != r.ends || !c.Ended {
		w.Errorf("%s is %s, not %s (%s)", n.ID, c.State, r.ends, c.Why)
	}
	if r.in != "" {
		why := fmt.Sprintf("the broker ended in state %s: the %s version is linked", r.in,
			map[bool]string{true: "new", false: "old"}[r.linked])
		if c.Why != why {
			w.Errorf("%s: it says %q, not %q", n.ID, c.Why, why)
		}
		if line := fmt.Sprintf("change=%s state=", n.ID); !strings.Contains(w.broker.Log(), line) ||
			!strings.Contains(w.broker.Log(), why) {
			w.Errorf("the log does not say %q, %q", line, why)
		}
	}
	twice, err := w.client.Submit(w.Context(), *n)
	if err != nil || twice.State != c.State || len(twice.Marks) != len(c.Marks) {
		w.Errorf("asked again: %v, %s, was %s", err, twice.State, c.State)
	}
	seen := w.seen
	if r.in != "" && (!w.follow(n.ID, c.State, c.Step) || w.seen <= seen) {
		w.Errorf("no event says that %s is %s", n.ID, c.State)
	}
}

// again makes a change that nothing disturbs. What nobody has heard of is asked for once more.
func (w *world) again(r *round, n *client.NewChange) {
	w.Helper()
	next := w.exchange("after-" + r.name)
	if r.ends == "" {
		next = *n
	}
	if _, err := w.client.Submit(w.Context(), next); err != nil {
		w.Fatal(err)
	}
	if !w.follow(next.ID, "done", 0) {
		w.Fatalf("%s is not done", next.ID)
	}
	w.linked, w.other, w.by = w.other, w.linked, next.ID
	for _, listener := range []string{"left", "right"} {
		if to := w.routed(listener); to != w.linked.to {
			w.Errorf("%s routes to %s, not %s, after %s", listener, to, w.linked.to, next.ID)
		}
	}
}
