package broker

import "testing"

// TestFiltersOfPeersShareAnAudience holds that filters wanted by the same peers and by nobody here
// take one audience, that a member here gets one of its own, and that the last takes the filter
// with it.
func TestFiltersOfPeersShareAnAudience(t *testing.T) {
	c := Default()
	c.Peers = 3
	k := New(c, nil, near{all: &[2]nearBox{}})
	k.far("a", 2, 0)
	k.far("b", 2, 0)
	k.far("b", 4, 0)
	k.far("c", 6, 0)
	at := func(filter string) *audience {
		a, _ := k.subs.Get(filter)
		return a
	}
	if at("a") == at("b") || at("b") != at("c") || at("a").peers != 2 || at("b").peers != 6 {
		t.Error(at("a"), at("b"), at("c"))
	}
	a := k.audience("b")
	if a == at("c") || at("b") != a || a.filter != "b" || a.peers != 6 {
		t.Error(a)
	}
	k.far("b", 0, 4)
	k.far("c", 0, 4)
	if at("b") != a || a.peers != 2 || at("c") != at("a") {
		t.Error(at("b"), at("c"))
	}
	for _, filter := range []string{"a", "b", "c", "d"} {
		k.far(filter, 0, 2)
		k.far(filter, 0, 2)
	}
	if k.subs.Len() != 0 {
		t.Error(k.subs.Len(), "filters are left")
	}
}
