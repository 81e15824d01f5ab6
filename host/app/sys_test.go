package app

import "testing"

// The numbers of the node can be read as topics, and no wildcard of a client finds them by chance.
func TestNumbersBelowSYS(t *testing.T) {
	a := open(t, testConfig("a"))
	everything := dial(t, address(t, a, "a"), "everything")
	everything.subscribe("#")
	sub := dial(t, address(t, a, "a"), "sub")
	sub.subscribe("$SYS/broker/version")
	if topic, payload := sub.receive(); topic != "$SYS/broker/version" ||
		payload != "hpmq "+Version() {
		t.Errorf("got %s %q", topic, payload)
	}
	sub.publish("$SYS/broker/version", "forged")
	sub.publish("x", "y")
	if topic, _ := everything.receive(); topic != "x" {
		t.Errorf("# got %s", topic)
	}
	c, err := a.counts(t.Context())
	if err != nil || c.ClientsConnected != 2 || c.Subscriptions != 2 || c.HeapBytes == 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestNoNumbersWithoutAnInterval(t *testing.T) {
	cfg := testConfig("a")
	cfg.SysInterval = 0
	a := open(t, cfg)
	sub := dial(t, address(t, a, "a"), "sub")
	sub.subscribe("$SYS/#")
	if !sub.alive() {
		t.Error("got something else than PINGRESP")
	}
	if n := a.loops.memory.Stats().Retained; n != 0 {
		t.Errorf("%d retained", n)
	}
}
