package store

import (
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hpmq/hpmq/lite/broker"
)

// A store goes through all steps it has missed, one after the other, once; a newer one is refused.
func TestMigrations(t *testing.T) {
	c := diskConfig(t)
	c.steps = nil
	k := openDisk(t, c)
	k.write(retain("a", "1", 0))
	if err := k.disk.Close(); err != nil {
		t.Fatal(err)
	}
	var ran []int
	step := func(n int) migration {
		return func(db *pebble.DB, b *pebble.Batch) error {
			ran = append(ran, n)
			r := retained{value: []byte{'0' + byte(n)}}
			return b.Set(retainedKey(nil, "a"), appendRetained(nil, r), nil)
		}
	}
	broken := errors.New("half way")
	fails := func(*pebble.DB, *pebble.Batch) error { return broken }
	k.disk.cfg.steps = []migration{step(2), fails}
	if _, _, err := OpenDisk(k.disk.cfg); !errors.Is(err, broken) {
		t.Fatalf("err %v", err)
	}
	k.disk.cfg.steps = []migration{step(2), step(3), step(4)}
	k.again()
	k.want(broker.Query{Filter: "a"}, "retain a 4")
	if len(ran) != 3 || ran[0] != 2 || ran[2] != 4 {
		t.Errorf("ran %v", ran)
	}
	if err := k.disk.Close(); err != nil {
		t.Fatal(err)
	}
	old := k.disk.cfg
	old.steps = nil
	if _, _, err := OpenDisk(old); !errors.Is(err, ErrVersion) {
		t.Errorf("an older program: err %v", err)
	}
	k.again()
}
