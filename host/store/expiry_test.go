package store

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/hpmq/hpmq/lite/broker"
)

// clock is a time that the test owns.
type clock struct{ now atomic.Int64 }

func (c *clock) Now() broker.Time { return broker.Time(c.now.Load()) }

// openTimed opens a store whose time is that of the test, an hour after the epoch.
func openTimed(t *testing.T) (*desktop, *clock) {
	at := &clock{}
	at.now.Store(hour)
	c := diskConfig(t)
	c.Now = at.Now
	return openDisk(t, c), at
}

// hour in ms.
const hour = 3_600_000

func pushUntil(num uint32, seq uint64, body []byte, at broker.Time) broker.Op {
	return broker.Op{Kind: broker.OpPush, Num: num, Seq: seq, Body: body, Expire: at}
}

func putSession(num uint32, id string) broker.Op {
	return broker.Op{Kind: broker.OpPutSession, Num: num, Key: id}
}

// endings are the messages in the index of those that expire.
func endings(t *testing.T, d *Disk) (list []ending) {
	t.Helper()
	err := d.each([]byte{kindEnding}, func(key, _ []byte) error {
		x, ok := readEnding(key)
		if !ok {
			t.Errorf("key %x", key)
		}
		list = append(list, x)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// whole wants a store without a fault that holds so many messages, and so many of them, or of
// those that went, in the index.
func (k *desktop) whole(queued, shared, indexed int) {
	k.t.Helper()
	rep, err := k.disk.Check()
	if err != nil || rep.FaultsFound > 0 || rep.Queued != queued || rep.Shared != shared {
		k.t.Errorf("want %d messages and %d payloads: %+v, %v", queued, shared, rep, err)
	}
	n := 0
	err = k.disk.each([]byte{kindEnding}, func(_, _ []byte) error { n++; return nil })
	if err != nil || n != indexed {
		k.t.Errorf("%d messages in the index, want %d; %v", n, indexed, err)
	}
}

// swept waits until so many messages expired since the store was opened.
func (k *desktop) swept(n int) {
	k.t.Helper()
	waitFor(k.t, func() bool { return k.disk.Stats().Expired == uint64(n) })
}

// What expired leaves the queues of sessions that are away, and nothing else does: payloads that
// several share stay for the others, and what is on its way to its client stays. The kernels are
// told.
func TestQueuesAreSwept(t *testing.T) {
	k, at := openTimed(t)
	large := bytes.Repeat([]byte("x"), 3000)
	k.write(
		putSession(1, "one"), putSession(2, "two"),
		pushUntil(1, 1, large, 2*hour), pushUntil(2, 1, large, 3*hour),
		pushUntil(1, 2, []byte("soon"), 2*hour), pushUntil(2, 2, []byte("sent"), 2*hour),
		push(1, 3, "stays"),
		broker.Op{Kind: broker.OpFlight, Num: 2, Seq: 2, Value: []byte{0, 0, 7}},
		retain("a", "1", 2*hour), retain("b", "2", 0),
	)
	k.whole(5, 1, 4)
	at.now.Store(2*hour + sweepGrace - 1)
	waitFor(t, func() bool { return k.disk.Stats().Retained == 1 }) // without grace
	k.whole(5, 1, 4)
	at.now.Add(sweepEvery)
	k.swept(2)
	k.whole(3, 1, 1)
	k.want(broker.Query{Num: 1}, "push 3 +stays")
	k.mu.Lock()
	told := len(k.expired) == 2 && k.expired[0].Key == "one" && k.expired[0].Seq == 1 &&
		k.expired[0].Bytes == 3000 && k.expired[1].Seq == 2 && k.expired[1].Num == 1
	k.mu.Unlock()
	if !told {
		t.Errorf("told of %+v", k.expired)
	}
	at.now.Store(4 * hour)
	k.swept(3)
	k.whole(2, 0, 0)
	k.write(seqOp(broker.OpPop, 2, 2), broker.Op{Kind: broker.OpFlight, Num: 2, Seq: 2})
	k.whole(1, 0, 0)
}

// Whatever way a message leaves its queue it leaves the index too, whether it came with the same
// write, before, or before the broker was killed.
func TestTheIndexFollowsTheQueue(t *testing.T) {
	for name, between := range map[string]func(k *desktop){
		"at once":      func(*desktop) {},
		"after a kill": func(k *desktop) { k.kill(); k.again() },
		"after a stop": func(k *desktop) {
			if err := k.disk.Close(); err != nil {
				k.t.Fatal(err)
			}
			k.again()
		},
	} {
		t.Run(name, func(t *testing.T) {
			k, _ := openTimed(t)
			k.write(putSession(1, "one"), putSession(2, "two"))
			var ops []broker.Op
			for seq := range uint64(3 * runMin) {
				ops = append(ops, pushUntil(1, seq+1, []byte("m"), 2*hour),
					pushUntil(2, seq+1, []byte("m"), 2*hour))
			}
			k.write(ops...)
			between(k)
			k.whole(6*runMin, 0, 6*runMin)
			ops = ops[:0]
			for seq := range uint64(2 * runMin) {
				ops = append(ops, seqOp(broker.OpPop, 1, seq+1))
			}
			k.write(append(ops, pushUntil(1, 1000, nil, 2*hour), seqOp(broker.OpPop, 1, 1000))...)
			k.whole(4*runMin, 0, 4*runMin)
			between(k)
			k.write(
				pushUntil(2, 1000, nil, 2*hour),
				broker.Op{Kind: broker.OpDropSession, Num: 2, Seq: 1},
				// The number is another's.
				putSession(2, "three"), pushUntil(2, 1, []byte("m"), 3*hour),
			)
			k.whole(runMin+1, 0, runMin+1)
			between(k)
			k.write(
				seqOp(broker.OpPop, 2, 1), broker.Op{Kind: broker.OpDropSession, Num: 1, Seq: 1},
			)
			k.whole(0, 0, 0)
		})
	}
}

// A sweep removes a bounded part; what it leaves goes with the next ones, and a kill between two of
// them loses and doubles nothing.
func TestSweepsAreBounded(t *testing.T) {
	k, at := openTimed(t)
	const sessions, each = 50, 3 * sweepMax / 50
	var ops []broker.Op
	for num := range uint32(sessions) {
		ops = append(ops, putSession(num+1, string(rune('a'+num))))
		for seq := range uint64(each) {
			ops = append(ops, pushUntil(num+1, seq+1, []byte("m"), 2*hour))
		}
		ops = append(ops, push(num+1, each+1, "stays"))
	}
	k.write(ops...)
	step := func(want bool) {
		t.Helper()
		var more bool
		var err error
		berr := k.disk.between(func() { more, err = k.disk.sweepQueues(2 * hour) })
		if err != nil || berr != nil || more != want {
			t.Errorf("more %t, %v, %v", more, err, berr)
		}
	}
	step(true)
	k.swept(sweepMax)
	k.whole(sessions*(each+1)-sweepMax, 0, sessions*each-sweepMax)
	k.kill()
	k.again()
	step(true)
	k.whole(sessions*(each+1)-2*sweepMax, 0, sessions*each-2*sweepMax)
	k.kill()
	k.again()
	at.now.Store(3 * hour) // and by itself
	k.swept(sweepMax)
	k.whole(sessions, 0, 0)
	if rep, err := checkOther(k); err != nil || rep.Queued != sessions {
		t.Errorf("%+v, %v", rep, err)
	}
}

// checkOther checks the store as a program beside the broker does.
func checkOther(k *desktop) (CheckReport, error) {
	if err := k.disk.Close(); err != nil {
		k.t.Fatal(err)
	}
	defer k.again()
	return CheckDir(k.disk.cfg.Dir)
}

// A message that expires and is not in the index is found by a check.
func TestCheckFindsWhatIsNotSwept(t *testing.T) {
	k, _ := openTimed(t)
	k.write(putSession(1, "one"), pushUntil(1, 1, nil, 2*hour))
	if err := k.disk.db.Delete(endingKey(nil, 2*hour, 1, 1), pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	if rep, err := k.disk.Check(); err != nil || rep.FaultsFound != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}

func TestMarks(t *testing.T) {
	m := marks{}
	m.set(64, true)
	m.set(65, false)
	for num, want := range map[uint32][2]bool{
		64: {true, true}, 65: {false, true}, 0: {false, false}, 66: {false, false},
	} {
		if has, known := m.get(num); has != want[0] || known != want[1] {
			t.Errorf("%d: %t, known %t", num, has, known)
		}
	}
	if m.set(64, false); len(m) != 1 || m[1].has != 0 {
		t.Errorf("%v", m)
	}
}

// What expired makes room at once, not when the sweep comes to it; also more of it than one sweep
// removes.
func TestWhatExpiredIsNotInTheWayOfNewRetained(t *testing.T) {
	const n = 2*sweepMax + 500
	at := &clock{}
	at.now.Store(hour)
	c := diskConfig(t)
	c.Now, c.RetainedMax = at.Now, n
	k := openDisk(t, c)
	fill := func(prefix string, ends broker.Time) []broker.Op {
		ops := make([]broker.Op, n)
		for i := range ops {
			ops[i] = retain(fmt.Sprint(prefix, i), "x", ends)
		}
		return ops
	}
	k.write(fill("old", hour+sweepEvery/2)...)
	at.now.Store(hour + sweepEvery/2) // long before the next sweep
	k.write(fill("new", 0)...)
	if err := k.wait(k.ask(broker.Batch{Ops: []broker.Op{retain("more", "x", 0)}})); !errors.Is(
		err, ErrFull) {
		t.Errorf("err %v", err)
	}
	rep, err := k.disk.Check()
	if err != nil || rep.FaultsFound > 0 || k.disk.Stats().Retained != n {
		t.Errorf("%+v, %+v, %v", rep, k.disk.Stats(), err)
	}
}
