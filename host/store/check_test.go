package store

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// What writes leave behind is whole; what is broken on purpose is found.
func TestCheck(t *testing.T) {
	c := diskConfig(t)
	k := openDisk(t, c)
	large := bytes.Repeat([]byte("x"), 3000)
	k.write(
		broker.Op{Kind: broker.OpPutSession, Num: 1, Key: "one"},
		broker.Op{Kind: broker.OpPutSession, Num: 2, Key: "two"},
		broker.Op{Kind: broker.OpPush, Num: 1, Seq: 1, Body: large},
		broker.Op{Kind: broker.OpPush, Num: 2, Seq: 1, Body: large},
		push(1, 2, "small"), seqOp(broker.OpReceived, 2, 7),
		retain("a", "1", 1<<50), retain("b", "2", 0),
	)
	rep, err := k.disk.Check()
	if err != nil || rep.FaultsFound != 0 || rep.Sessions != 2 || rep.Queued != 3 ||
		rep.Shared != 1 || rep.Retained != 2 || rep.Received != 1 {
		t.Fatalf("%+v, %v", rep, err)
	}
	b := k.disk.db.NewBatch()
	for _, key := range [][]byte{
		sharedKey(nil, kindSharers, k.disk.payload), sessionKey(nil, 2), retainedKey(nil, "b"),
	} {
		if err := b.Delete(key, nil); err != nil {
			t.Fatal(err)
		}
	}
	bad := seqKey(nil, 1, partEntry, 2)
	if err := errors.Join(b.Set(bad, []byte{0xFF}, nil), b.Commit(pebble.NoSync)); err != nil {
		t.Fatal(err)
	}
	if err := k.disk.Close(); err != nil {
		t.Fatal(err)
	}
	rep, err = CheckDir(c.Dir)
	all := strings.Join(rep.Faults, "\n")
	for _, want := range []string{
		"session 2 is not there", "damaged record", "2 entries have it", "retained: 1 of",
	} {
		if !strings.Contains(all, want) || !errors.Is(err, ErrFaults) {
			t.Errorf("%q is not found in:\n%s\n%v", want, all, err)
		}
	}
	k.again()
}

// A write that meets a damaged record is refused alone: those beside it and behind it are kept,
// whether anybody waits for it or not.
func TestADamagedRecordRefusesOneWrite(t *testing.T) {
	k := openDisk(t, diskConfig(t))
	large := bytes.Repeat([]byte("x"), 3000)
	k.write(
		broker.Op{Kind: broker.OpPush, Num: 1, Seq: 1, Body: large},
		broker.Op{Kind: broker.OpPush, Num: 2, Seq: 1, Body: large},
	)
	count := sharedKey(nil, kindSharers, k.disk.payload)
	if err := k.disk.db.Delete(count, pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	k.view.Write(0, &broker.Batch{Ops: []broker.Op{pop(1, 1)}}) // nobody waits
	asked := []broker.Token{
		k.ask(broker.Batch{Ops: []broker.Op{push(3, 1, "before")}}),
		k.ask(broker.Batch{Ops: []broker.Op{pop(2, 1)}}),
		k.ask(broker.Batch{Ops: []broker.Op{push(3, 2, "after")}}),
	}
	for i, token := range asked {
		if err := k.wait(token); (i == 1) != errors.Is(err, ErrDamaged) || i != 1 && err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
	k.write(push(3, 3, "later"))
	k.want(broker.Query{Num: 3}, "push 1 +before, push 2 +after, push 3 +later")
	if st := k.disk.Stats(); st.Failing || st.Damaged != 1 ||
		!strings.Contains(st.DamagedFirst, "count of payload") {
		t.Errorf("%+v", st)
	}
	if n := len(k.find(broker.Query{Num: 2, Max: 10, BytesMax: 1 << 20})); n != 1 {
		t.Errorf("%d messages of what was refused", n)
	}
}

// TestCheckWholeReadsWhatAKernelWill: each record that a kernel would drop is a fault.
func TestCheckWholeReadsWhatAKernelWill(t *testing.T) {
	c := diskConfig(t)
	k := openDisk(t, c)
	message := func(topic string) []byte {
		m := broker.StoredMessage{Message: broker.Message{Topic: []byte(topic)}}
		return m.Append(nil)
	}
	state := func(v mqtt.Version, filter string) []byte {
		s := broker.StoredSession{Who: broker.Identity{Version: v}}
		s.Subscriptions = []broker.StoredSubscription{{Filter: filter}}
		return s.Append(nil)
	}
	put := func(num uint32, id string, value []byte) broker.Op {
		return broker.Op{Kind: broker.OpPutSession, Num: num, Key: id, Value: value}
	}
	keep := func(topic string, value []byte) broker.Op {
		return broker.Op{Kind: broker.OpRetain, Key: topic, Value: value}
	}
	head := (&broker.StoredHead{QoS: 1}).Append(nil)
	k.write(put(1, "fine", state(mqtt.V5, "$share/g/a/#")), keep("fine", message("fine")),
		broker.Op{Kind: broker.OpPush, Num: 1, Seq: 1, Value: head, Body: message("$SYS/fine")})
	k.disk.Close()
	if rep, err := CheckWhole(c.Dir); err != nil || rep.FaultsFound > 0 {
		t.Fatalf("%+v, %v", rep, err)
	}
	k.again()
	k.write(put(2, "v7", state(7, "a")), put(3, "filter", state(4, "a#")),
		put(4, "state", []byte{9}),
		keep("a/#", message("a/#")), keep("n\x00", message("n\x00")), keep("other", message("x")),
		keep("body", []byte{9}),
		broker.Op{Kind: broker.OpPush, Num: 1, Seq: 2, Value: []byte{9}, Body: message("a")},
		broker.Op{Kind: broker.OpPush, Num: 1, Seq: 3, Value: head, Body: message("a/+")})
	k.disk.Close()
	rep, err := CheckWhole(c.Dir)
	if !errors.Is(err, ErrFaults) || rep.FaultsFound != 9 {
		t.Errorf("%d faults, %v: %s", rep.FaultsFound, err, strings.Join(rep.Faults, "\n"))
	}
	k.again()
}
