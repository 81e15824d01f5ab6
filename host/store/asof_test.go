package store

import (
	"fmt"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

// hold keeps all that is asked in the line until the answer is called: a group waits for its part.
func (k *desktop) hold() (release func()) {
	part := func(share uint64) broker.Batch {
		return broker.Batch{Group: 77, Share: share, Ops: []broker.Op{push(9, 1, "x")}}
	}
	first := k.ask(part(1))
	return func() {
		k.t.Helper()
		last := k.ask(part(broker.GroupWhole - 1))
		if err := k.wait(first); err != nil {
			k.t.Fatal(err)
		}
		if err := k.wait(last); err != nil {
			k.t.Fatal(err)
		}
	}
}

// await answers what a question brought.
func (k *desktop) await(t broker.Token) []broker.Record {
	k.t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		if recs, ok := k.read[t]; ok {
			if err := k.errs[t]; err != nil {
				k.t.Fatal(err)
			}
			return recs
		}
		k.news.Wait()
	}
}

// Who subscribes is sent what was retained before; what comes later comes as it is published. Also
// if all is one group commit, and on later pages.
func TestRetainedAsOfTheQuestion(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	k.write(retain("a/1", "old", 0), retain("a/4", "old", 0))
	release := k.hold()
	k.ask(broker.Batch{Ops: []broker.Op{retain("a/2", "before", 0)}})
	k.token++
	question := k.token
	k.view.Read(question, broker.Query{Filter: "a/#", Max: 2, BytesMax: 1 << 20}, nil)
	k.ask(broker.Batch{Ops: []broker.Op{retain("a/3", "after", 0), retain("a/1", "new", 0)}})
	release()
	recs := k.await(question)
	if got := words(recs); got != "retain a/2 before, retain a/4 old" {
		t.Errorf("first page: %s", got)
	}
	k.write(retain("a/5", "late", 0))
	if got := len(k.find(broker.Query{Filter: "a/#"})); got != 5 {
		t.Errorf("later: %d messages, want 5", got)
	}
}

// Pages are as of the first.
func TestPagesAreAsOfTheFirst(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	for i := range 4 {
		k.write(retain(fmt.Sprint("a/", i), "x", 0))
	}
	page := k.find(broker.Query{Filter: "a/#", Max: 2})
	more := page[len(page)-1]
	if more.Kind != broker.OpMore || more.Key != "a/1" || more.Seq == 0 {
		t.Fatalf("first page: %s", words(page))
	}
	k.write(retain("a/2", "y", 0), retain("a/9", "y", 0))
	got := words(k.find(broker.Query{Filter: "a/#", After: more.Key, AsOf: more.Seq}))
	if got != "retain a/3 x" {
		t.Errorf("second page: %s", got)
	}
}
