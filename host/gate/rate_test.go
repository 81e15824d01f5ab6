package gate

import (
	"testing"

	"github.com/hpmq/hpmq/sdk/mqtt"
)

// What passes in each simulated second is the rate, to the packet, after a burst of one second.
func TestTabIsExact(t *testing.T) {
	for _, rate := range []int{1, 3, 7, 10, 999, 1000, 20_000} {
		var tab tab
		now := int64(1_700_000_000_000)
		pass := func() (n int) {
			for p := price(1, rate); tab.wait(now*milli, p) == 0; n++ {
				tab.pay(now*milli, p)
			}
			return n
		}
		if n := pass(); n != rate {
			t.Errorf("rate %d: a burst of %d", rate, n)
		}
		for s := range 20 {
			n := 0
			for range 8 {
				now += 125
				n += pass()
			}
			if n != rate {
				t.Errorf("rate %d: %d in second %d", rate, n, s)
			}
		}
		now += 100_000
		if n := pass(); n != rate {
			t.Errorf("rate %d: %d after a rest", rate, n)
		}
	}
}

// What is larger than a burst passes alone and is paid for after.
func TestTabGoesIntoDebt(t *testing.T) {
	var tab tab
	now, p := int64(1e18), price(10_000, 1000)
	if w := tab.wait(now, p); w != 0 {
		t.Fatalf("the first waits %d", w)
	}
	tab.pay(now, p)
	if w := tab.wait(now, p); w != 10*second {
		t.Errorf("the next waits %d", w)
	}
	if w := tab.wait(now, price(1, 1000)); w != 9*second+milli {
		t.Errorf("a small one waits %d", w)
	}
}

// Who books stands behind those who did, and gets what is there at once if nobody does.
func TestTotalIsALine(t *testing.T) {
	var tot total
	now, p := int64(1e18), price(1, 100)
	for i := range 100 {
		if at, got := tot.book(now, p, sliceTime); at != now || got != p {
			t.Fatalf("%d: %d, %d", i, at-now, got)
		}
	}
	for i := range int64(10) {
		at, got := tot.book(now, p/2, sliceTime)
		if at != now+(i+1)*sliceTime || got != sliceTime {
			t.Errorf("%d: %d, %d", i, at-now, got)
		}
	}
	tot.refund(10 * sliceTime)
	if at, _ := tot.book(now+sliceTime, p, sliceTime); at != now+sliceTime {
		t.Errorf("after a refund: %d", at-now)
	}
}

func TestRatesAreChecked(t *testing.T) {
	for _, bad := range []Rates{
		{ConnectsPerSecond: -1}, {MessagesInPerSecond: -1}, {BytesInPerSecond: RateMax + 1},
		{MessagesOutPerSecond: -5}, {BytesOutPerSecond: -5}, {ListenerMessagesInPerSecond: -1},
		{ListenerBytesInPerSecond: -1},
	} {
		l := DefaultLimits()
		if l.Rates = bad; l.Validate() == nil {
			t.Errorf("%+v is valid", bad)
		}
	}
	if (&Rates{ConnectsPerSecond: 5}).measures() != nil {
		t.Error("a rate of connects costs a meter for each connection")
	}
}

func TestWeigh(t *testing.T) {
	ping := mqtt.Ping{Type: mqtt.PINGREQ}
	if n := weigh(ping.Append(nil, mqtt.V5)); n != (amount{0, 2}) {
		t.Errorf("ping: %v", n)
	}
	if n := weigh(publish(10, 'x')); n != (amount{1, 12}) {
		t.Errorf("publish: %v", n)
	}
}
