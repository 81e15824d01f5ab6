package gate

import (
	"fmt"
	"sync/atomic"
	"time"
)

// RateMax is the highest rate: a unit of it costs a nanosecond.
const RateMax = 1_000_000_000

const (
	second = int64(time.Second)
	milli  = int64(time.Millisecond)
)

// Rates bound what passes in a second; 0 is no bound. A burst of one second's worth passes at once,
// and a packet larger than that passes alone, after a rest. What is above a rate waits, input in
// the peer as far as TCP can push back, see Conn.hold.
//
// Messages are PUBLISH packets; bytes are those of all MQTT packets, without what TLS and WebSocket
// add.
//
// Update changes them for connections that are there too.
type Rates struct {
	// ConnectsPerSecond is how many connections the listener accepts; the others wait in the
	// backlog of the system.
	ConnectsPerSecond int
	// MessagesInPerSecond and BytesInPerSecond are what one connection may send.
	MessagesInPerSecond int
	BytesInPerSecond    int
	// MessagesOutPerSecond and BytesOutPerSecond are what is sent to one connection. Conn.Room is 0
	// above; what is written regardless goes out and is paid for later.
	MessagesOutPerSecond int
	BytesOutPerSecond    int
	// ListenerMessagesInPerSecond and ListenerBytesInPerSecond are what all connections of the
	// listener together may send. Those that want more take turns.
	ListenerMessagesInPerSecond int
	ListenerBytesInPerSecond    int
}

// Validate says what is wrong with r.
func (r *Rates) Validate() error {
	for _, f := range []struct {
		name string
		rate int
	}{
		{"connects", r.ConnectsPerSecond},
		{"messages in", r.MessagesInPerSecond}, {"bytes in", r.BytesInPerSecond},
		{"messages out", r.MessagesOutPerSecond}, {"bytes out", r.BytesOutPerSecond},
		{"listener messages in", r.ListenerMessagesInPerSecond},
		{"listener bytes in", r.ListenerBytesInPerSecond},
	} {
		if f.rate < 0 || f.rate > RateMax {
			return fmt.Errorf("gate: %s per second: 0 (no limit) to %d", f.name, RateMax)
		}
	}
	return nil
}

// amount is messages and bytes.
type amount [2]int

// rates is Rates as connections are measured by.
type rates struct{ in, out, total amount }

// measures answers what of r connections are measured by, nil if nothing.
func (r *Rates) measures() *rates {
	m := rates{
		in:    amount{r.MessagesInPerSecond, r.BytesInPerSecond},
		out:   amount{r.MessagesOutPerSecond, r.BytesOutPerSecond},
		total: amount{r.ListenerMessagesInPerSecond, r.ListenerBytesInPerSecond},
	}
	if m == (rates{}) {
		return nil
	}
	return &m
}

// price is what n cost at a rate above 0, in nanoseconds.
func price(n, rate int) int64 { return int64(n) * second / int64(rate) }

// tab is a token bucket in one number: the time, in nanoseconds of Config.Now, at which all that
// passed is paid for. The zero value is a full bucket. What lies more than a second back is
// forgotten: that second is the burst.
type tab int64

// wait is how long until a price can be paid, 0 for now. More than a full bucket there never is:
// who costs more waits for that and leaves a debt.
func (t tab) wait(now, price int64) int64 {
	return max(0, max(int64(t), now-second)+min(price, second)-now)
}

// pay takes a price, whether it is there or not.
func (t *tab) pay(now, price int64) { *t = tab(max(int64(*t), now-second) + price) }

// total is the tab of all connections of a listener. Loops share it without a lock.
type total struct{ tab atomic.Int64 }

// book takes price if it is there: the answer is now and price. Else it takes at least slice, and
// answers from when on that may be used: who books stands in a line with those that did before, on
// whatever loop, and is not asked to book again for each packet.
func (t *total) book(now, price, slice int64) (at, got int64) {
	for {
		old := t.tab.Load()
		base := max(old, now-second)
		at, got = base+min(price, second), price
		if at <= now {
			at = now
		} else {
			got = max(price, slice)
			at = base + min(got, second)
		}
		if t.tab.CompareAndSwap(old, base+got) {
			return at, got
		}
	}
}

// refund gives back what was booked and not used.
func (t *total) refund(got int64) { t.tab.Add(-got) }
