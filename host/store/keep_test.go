package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hpmq/hpmq/host/journal"
	"github.com/hpmq/hpmq/lite/broker"
)

// TestKeepIsOneWrite on the device when it returns, with all that was noted before it, which does
// not come back behind it.
func TestKeepIsOneWrite(t *testing.T) {
	k := openDisk(t, still(t))
	k.view.Note(setKey("a", "old"))
	k.view.Note(setKey("b", "old"))
	schema := SchemaNote("c", 2)
	err := k.disk.Keep([]Note{*setKey("a", "new"), {
		Kind: NoteKV, Space: "c", Key: "b", Gone: true,
	}, *setKey("d", "new"), schema})
	if err != nil {
		t.Fatal(err)
	}
	const want = "c/a=new c/d=new c\x00schema/=#2"
	k.wantNotes(want)
	k.kill()
	k.again()
	k.wantNotes(want)
	if component, n, ok := schema.Schema(); component != "c" || n != 2 || !ok {
		t.Error(component, n, ok)
	}
	list, err := k.disk.NoteSpaces()
	if err != nil || len(list) != 1 || list[0].Schema != 2 || list[0].Entries != 2 {
		t.Errorf("%v, %+v", err, list)
	}
	k.write(push(1, 1, "m"))
	if err := k.disk.Keep(nil); err != nil {
		t.Error(err)
	}
}

// TestKeepOfADeviceThatRefuses changes nothing, now or later.
func TestKeepOfADeviceThatRefuses(t *testing.T) {
	c := still(t)
	var bad flaky
	c.Create = func(path string) (journal.File, error) {
		f, err := os.Create(filepath.Clean(path))
		return brokenFile{f, &bad}, err
	}
	k := openDisk(t, c)
	k.view.Note(setKey("a", "old"))
	k.write(push(1, 1, "m"))
	for i, fault := range [][2]bool{{true, false}, {false, true}} {
		bad.set(fault[0], fault[1])
		err := k.disk.Keep([]Note{*setKey("a", "new"), SchemaNote("c", 2)})
		if !errors.Is(err, errDevice) {
			t.Fatal(err)
		}
		bad.set(false, false)
		k.write(push(1, uint64(i+2), "m"))
		k.wantNotes("c/a=old")
	}
	k.kill()
	k.again()
	k.wantNotes("c/a=old")
}

// TestKeepDoesNotWaitForLoops: a write of which a part has yet to come stands in its way.
func TestKeepDoesNotWaitForLoops(t *testing.T) {
	k := openDisk(t, still(t))
	k.ask(broker.Batch{
		Group: 7, Share: broker.GroupWhole / 2, Ops: []broker.Op{push(1, 1, "half")},
	})
	if err := k.disk.Keep(nil); !errors.Is(err, ErrGroup) {
		t.Error(err)
	}
}
