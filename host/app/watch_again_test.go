//go:build unix

package app

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/client"
)

// watching is a node that watches a folder, with a bundle of a key named ours that is called name.
// begin starts it, also again.
func watching(t *testing.T, name string, first []byte, set func(*configs.Config)) *dropping {
	t.Helper()
	cfg := keeping(t, t.TempDir(), "l", "other")
	k := key(t, "ours")
	cfg.Trust.Keys = []configs.TrustedKey{
		{Name: "ours", Key: k.Public().Text(), Names: []string{name}}}
	at := filepath.Join(t.TempDir(), "first.tar")
	if err := os.WriteFile(at, first, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Listeners[0].Link.Deduplicator = []configs.Component{{Use: at, Grants: []string{"kv"}}}
	cfg.Bundles.Watch = t.TempDir()
	if set != nil {
		set(&cfg)
	}
	d := &dropping{&stage{t: t, cfg: cfg}, cfg.Bundles.Watch}
	d.begin()
	return d
}

func (d *dropping) begin() {
	d.t.Helper()
	d.clock = newHandClock()
	d.App = start(d.t, d.cfg, Options{clock: d.clock})
	d.client = ask(d.t, d.App)
}

// TestABundleOfAStrangerIsNotReadInTheFolder: who vouches for it is asked first, and what is wrong
// with its schema is told of a change.
func TestABundleOfAStrangerIsNotReadInTheFolder(t *testing.T) {
	p := newParcel(t)
	d := watching(t, "acme-*", p.copied().tar(), nil)
	bad := p.copied()
	bad.manifest["version"] = "2.0.0"
	bad.fill("schema.json", []byte(`{"type": "object"`))
	strange := bad.copied()
	strange.keys = []string{"foreign"}
	d.drop("a.tar", strange.tar())
	c := d.reaches(newest(t, d.App).ID, "refused")
	if c.Of != "verified" || strings.Contains(c.Why, "schema") {
		t.Errorf("of a stranger: %s at %s: %s", c.ID, c.Of, c.Why)
	}
	d.drop("a.tar", bad.tar())
	own := d.reaches(newest(t, d.App).ID, "refused")
	if own.ID == c.ID || own.Of != "verified" || !strings.Contains(own.Why, "schema") {
		t.Errorf("of our own: %s at %s: %s", own.ID, own.Of, own.Why)
	}
}

// TestABundleThatIsPutThereAgain is tried again, the very same file too.
func TestABundleThatIsPutThereAgain(t *testing.T) {
	k, foreign := key(t, "ours"), key(t, "foreign")
	d := watching(t, "dedup*", versioned(t, &k, "1.0.0"), nil)
	d.drop("dedup.tar", versioned(t, &foreign, "2.0.0"))
	id := newest(t, d.App).ID
	d.reaches(id, "refused")
	at, away := filepath.Join(d.dir, "dedup.tar"), filepath.Join(d.dir, ".away")
	if err := os.Rename(at, away); err != nil {
		t.Fatal(err)
	}
	if d.looks(); newest(t, d.App).ID != id {
		t.Errorf("it is gone, and change %s is there", newest(t, d.App).ID)
	}
	if err := os.Rename(away, at); err != nil {
		t.Fatal(err)
	}
	d.looks()
	again := newest(t, d.App).ID
	if again != id+"-2" {
		t.Fatalf("put there again: %s", again)
	}
	d.reaches(again, "refused")
	stopped(t, d.App)
	d.begin()
	if d.looks(); newest(t, d.App).ID != again {
		t.Errorf("after a restart: %s", newest(t, d.App).ID)
	}
}

// TestTheEndOfTheBrokerIsNoReasonAgainstABundle: what only that ended is tried at the next start.
func TestTheEndOfTheBrokerIsNoReasonAgainstABundle(t *testing.T) {
	k := key(t, "ours")
	d := watching(t, "dedup*", versioned(t, &k, "1.0.0"), func(c *configs.Config) {
		c.Bundles.Canary, c.Bundles.Dwell = "50", configs.Duration(time.Hour)
	})
	d.drop("dedup.tar", versioned(t, &k, "2.0.0"))
	id := newest(t, d.App).ID
	for n := 1; n < startsMax; n++ {
		d.reaches(newest(t, d.App).ID, "canary")
		was := newest(t, d.App).ID
		stopped(t, d.App)
		d.begin()
		if c := d.get(was); c.State != "rolled back" {
			t.Errorf("stopped: %s is %s", was, c.State)
		}
		if d.looks(); newest(t, d.App).ID == was {
			t.Fatalf("after start %d it is not tried", n)
		}
	}
	d.reaches(newest(t, d.App).ID, "canary")
	if got := newest(t, d.App).ID; got != id+"-5" {
		t.Errorf("it is %s", got)
	}
	stopped(t, d.App)
	d.begin()
	if d.looks(); newest(t, d.App).ID != id+"-5" {
		t.Errorf("it is tried at each start: %s", newest(t, d.App).ID)
	}
}

// TestACanaryFromTheFolder goes its steps by itself; the next file is another canary.
func TestACanaryFromTheFolder(t *testing.T) {
	k := key(t, "ours")
	d := watching(t, "dedup*", versioned(t, &k, "1.0.0"), func(c *configs.Config) {
		c.Bundles.Canary, c.Bundles.Dwell = "5,50", configs.Duration(10*time.Second)
	})
	d.drop("dedup.tar", versioned(t, &k, "2.0.0"))
	id := newest(t, d.App).ID
	if c := d.reaches(id, "canary"); c.Step != 1 || len(d.changes.machine.Linked()) != 0 {
		t.Errorf("step %d; linked over the configuration: %v", c.Step, d.changes.machine.Linked())
	}
	until(t, "the canary to end", func() bool {
		d.clock.pass(time.Second)
		return d.get(id).Ended
	})
	c := d.reaches(id, "done")
	if got := statesOf(c); strings.Count(got, "canary") != 2 {
		t.Errorf("%s", got)
	}
	if d.looks(); newest(t, d.App).ID != id {
		t.Errorf("it is asked for again: %s", newest(t, d.App).ID)
	}
}

// TestAFolderInTheFolder is a bundle as a tar is: there when it is renamed, and again when a file
// of it is another.
func TestAFolderInTheFolder(t *testing.T) {
	k := key(t, "ours")
	d := watching(t, "dedup*", versioned(t, &k, "1.0.0"), nil)
	for _, version := range []string{"2.0.0", "3.0.0"} {
		hidden, shown := filepath.Join(d.dir, ".dedup"), filepath.Join(d.dir, "dedup")
		l := layout(t, versioned(t, &k, version))
		inFolder(t, l, hidden)
		if err := os.RemoveAll(shown); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(hidden, shown); err != nil {
			t.Fatal(err)
		}
		d.looks()
		c := d.reaches(newest(t, d.App).ID, "done")
		if c.Places[0].New.Version != version {
			t.Errorf("%s: %+v", version, c.Places[0].New)
		}
	}
	broken := filepath.Join(d.dir, "dedup", "index.json")
	if err := os.WriteFile(broken, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.looks()
	if c := newest(t, d.App); c.State != "refused" || c.Of != "read" {
		t.Errorf("broken: %s is %s at %s: %s", c.ID, c.State, c.Of, c.Why)
	}
}

func layout(t *testing.T, tar []byte) *oci.Layout {
	t.Helper()
	l, err := oci.ReadTar(bytes.NewReader(tar))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestJunkInTheFolderIsOnRecordOnce: as much of one look as is kept, beside what people did, and
// not again at a start.
func TestJunkInTheFolderIsOnRecordOnce(t *testing.T) {
	k := key(t, "ours")
	d := watching(t, "dedup*", versioned(t, &k, "1.0.0"), nil)
	d.drop("good.tar", versioned(t, &k, "2.0.0"))
	good := d.reaches(newest(t, d.App).ID, "done")
	const most = 16
	for i := range 2 * most {
		if err := os.WriteFile(filepath.Join(d.dir, fmt.Sprintf("j%02d.tar", i)), []byte("junk"),
			0o600); err != nil {
			t.Fatal(err)
		}
	}
	d.looks()
	had := d.changes.machine.Changes()
	if len(had) != most+1 || had[most].ID != good.ID ||
		!strings.HasPrefix(had[0].ID, "folder-j15") {
		t.Errorf("%d are kept, the last %s, the first %s", len(had), had[0].ID, had[len(had)-1].ID)
	}
	stopped(t, d.App)
	d.begin()
	d.looks()
	now := d.changes.machine.Changes()
	if len(now) != len(had) || now[0].Marks[1].Seq != had[0].Marks[1].Seq {
		t.Errorf("a start notes them again: %d are kept, the last %s", len(now), now[0].ID)
	}
}

// TestWhatStaysMustSuitTheNewVersion: what is configured in the place is held against the schema
// of the version that comes, and the refusal says whose it is.
func TestWhatStaysMustSuitTheNewVersion(t *testing.T) {
	p := newParcel(t)
	d := watching(t, "acme-*", p.copied().tar(), func(c *configs.Config) {
		c.Listeners[0].Link.Deduplicator[0].Config = configs.Document{
			"words": "window=1000;window=2000;"}
	})
	next := p.copied()
	next.manifest["version"] = "2.0.0"
	next.fill("schema.json", []byte(strings.Replace(goodSchema, `"type": "string"`,
		`"type": "string", "maxLength": 20`, 1)))
	d.drop("a.tar", next.tar())
	c := d.reaches(newest(t, d.App).ID, "refused")
	if c.Of != "verified" || !strings.Contains(c.Why, "what it is configured with stays, and "+
		"acme-dedup 2.0.0 does not take that") {
		t.Errorf("at %s: %s", c.Of, c.Why)
	}
}

// linkedAs is the version of the bundle that serves l as deduplicator.
func (d *dropping) linkedAs() string {
	d.t.Helper()
	linked, err := d.client.Link(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	for _, l := range linked {
		if l.Role == "deduplicator" && l.Listener == "l" {
			return l.BundleVersion
		}
	}
	return ""
}

// floods ends so many other changes that the first are not kept any more.
func (d *dropping) floods() {
	d.t.Helper()
	m := d.changes.machine
	for i := range rollout.Default().HistoryMax + 1 {
		q := rollout.Request{ID: fmt.Sprint("n", i), By: "ann", Items: []rollout.Item{
			{Listener: "l", Role: "authorizer", Source: "nothing"}}}
		if _, err := m.Submit(q); err != nil {
			d.t.Fatal(err)
		}
		if c, err := m.Wait(d.t.Context(), q.ID); err != nil || c.State != rollout.Refused {
			d.t.Fatal(c.State, err)
		}
	}
}

// TestAFileIsDealtWithForLongerThanItsChangeIsKept: what somebody went away from is not linked
// again by a start. That is noted when the change ends, or at the first start after it.
func TestAFileIsDealtWithForLongerThanItsChangeIsKept(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		k := key(t, "ours")
		d := watching(t, "dedup*", versioned(t, &k, "1.0.0"), nil)
		d.drop("dedup.tar", versioned(t, &k, "2.0.0"))
		d.reaches(newest(t, d.App).ID, "done")
		if _, err := d.client.Rollback(t.Context(),
			client.Rollback{Listener: "l", Role: "deduplicator"}); err != nil {
			t.Fatal(err)
		}
		if restarts {
			stopped(t, d.App)
			d.begin()
			d.looks()
		}
		l, b, err := (&watcher{}).read(filepath.Join(d.dir, "dedup.tar"))
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		until(t, "a note", func() bool { return d.changes.machine.WasDealt(dealt(b)) })
		d.floods()
		stopped(t, d.App)
		d.begin()
		d.looks()
		d.looks()
		if got := d.linkedAs(); got != "1.0.0" {
			t.Errorf("restarts %v: %s is linked", restarts, got)
		}
	}
}

// TestAFileThatIsLinkedAlreadyIsDealtWith: what lies in the folder, and was linked by hand or by
// the configuration, is not linked again by a start after somebody went away from it.
func TestAFileThatIsLinkedAlreadyIsDealtWith(t *testing.T) {
	k := key(t, "ours")
	older, newer := versioned(t, &k, "1.0.0"), versioned(t, &k, "2.0.0")
	for about, c := range map[string]struct {
		configured, byHand []byte
		first              bool // it is linked by hand before the file comes
	}{
		"by hand":              {older, newer, true},
		"by the configuration": {newer, older, false},
	} {
		t.Run(about, func(t *testing.T) {
			d := watching(t, "dedup*", c.configured, nil)
			up, err := d.client.Upload(t.Context(), "x.tar", c.byHand)
			if err != nil {
				t.Fatal(err)
			}
			n := client.NewChange{ID: "hand", Force: true, Items: []client.ChangeItem{{
				Listener: "l", Role: "deduplicator", Source: up.Source, Grants: []string{"kv"}}}}
			if c.first {
				d.submit(n)
				d.reaches("hand", "done")
			}
			if d.drop("dedup.tar", newer); d.linkedAs() != "2.0.0" {
				t.Fatalf("%s is linked", d.linkedAs())
			}
			if c.first {
				_, err = d.client.Rollback(t.Context(),
					client.Rollback{Listener: "l", Role: "deduplicator"})
			} else {
				d.submit(n)
				d.reaches("hand", "done")
			}
			if err != nil || d.linkedAs() != "1.0.0" {
				t.Fatalf("%s is linked: %v", d.linkedAs(), err)
			}
			stopped(t, d.App)
			d.begin()
			if d.looks(); d.linkedAs() != "1.0.0" || newest(t, d.App).By == watchedBy {
				t.Errorf("%s is linked, %s was asked for", d.linkedAs(), newest(t, d.App).ID)
			}
		})
	}
}

// TestWhatLiesInTheFolderStaysDealtWith, however many other files come, and whatever passes its
// golden cases: the note of it is renewed when the folder is looked at.
func TestWhatLiesInTheFolderStaysDealtWith(t *testing.T) {
	k := key(t, "ours")
	d := watching(t, "dedup*", versioned(t, &k, "1.0.0"), nil)
	d.drop("dedup.tar", versioned(t, &k, "2.0.0"))
	d.reaches(newest(t, d.App).ID, "done")
	if _, err := d.client.Rollback(t.Context(),
		client.Rollback{Listener: "l", Role: "deduplicator"}); err != nil {
		t.Fatal(err)
	}
	d.floods()
	for i := range rollout.Default().TestedMax + 1 {
		if err := d.changes.machine.Passed(fmt.Sprint("a golden case ", i)); err != nil {
			t.Fatal(err)
		}
	}
	again := func() {
		t.Helper()
		stopped(t, d.App)
		d.begin()
		if d.looks(); d.linkedAs() != "1.0.0" || newest(t, d.App).By == watchedBy {
			t.Fatalf("%s is linked, %s was asked for", d.linkedAs(), newest(t, d.App).ID)
		}
	}
	again()
	for n := range 4 {
		for i := range rollout.Default().DealtMax/2 + 1 {
			if err := d.changes.machine.Dealt(fmt.Sprint("another file ", n, " ", i)); err != nil {
				t.Fatal(err)
			}
		}
		if n%2 == 0 {
			d.drop(fmt.Sprint(n, ".tar"), versioned(t, &k, "1.0.0"))
			continue
		}
		again()
	}
}

// TestAFileWithALongNameIsOnRecord: a name has fewer letters than bytes.
func TestAFileWithALongNameIsOnRecord(t *testing.T) {
	k := key(t, "ours")
	d := watching(t, "dedup*", versioned(t, &k, "1.0.0"), nil)
	d.drop("a"+strings.Repeat("я", 100)+".tar", []byte("no bundle"))
	if c := newest(t, d.App); c.State != "refused" || !strings.HasPrefix(c.ID, "folder-aяя") {
		t.Errorf("%+v", c)
	}
}
