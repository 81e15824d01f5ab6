package link

import (
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
)

func TestSelectors(t *testing.T) {
	far := device
	far.Tenant = "far"
	for _, c := range []struct {
		s            Selector
		who          *broker.Identity
		topic        string
		subscription bool
		want         bool
	}{
		{Selector{Clients: []string{"dev1"}}, &device, "a", false, true},
		{Selector{Clients: []string{"dev2"}}, &device, "a", false, false},
		{Selector{Tenants: []string{"far"}}, &far, "a", false, true},
		{Selector{Tenants: []string{"far"}}, &device, "a", false, false},
		{Selector{Filters: []string{"a/+"}}, &device, "a/b", false, true},
		{Selector{Filters: []string{"a/+"}}, &device, "b", false, false},
		{Selector{Filters: []string{"a/+"}}, &device, "#", true, true},
		{Selector{Filters: []string{"a/+"}}, &device, "$share/g/a/b", true, true},
		{Selector{Filters: []string{"a/+"}}, &device, "b/#", true, false},
		{Selector{Tenants: []string{"x"}, Filters: []string{"a"}}, &far, "a", false, true},
		{Selector{Tenants: []string{"far"}, Filters: []string{"a"}}, &far, "b", false, true},
		{Selector{Tenants: []string{"far"}, Filters: []string{"a"}, All: true}, &far, "b", false,
			false},
		{Selector{Tenants: []string{"far"}, Filters: []string{"a"}, All: true}, &far, "a", false,
			true},
		{Selector{Percent: 100, Clients: []string{"dev2"}, All: true}, &device, "a", false, false},
	} {
		s, err := c.s.ready("p")
		if err != nil {
			t.Fatal(err)
		}
		if got := s.has(c.who, []byte(c.topic), c.subscription); got != c.want {
			t.Errorf("%v: %s about %s: %v", &c.s, c.who.ClientID, c.topic, got)
		}
	}
	for _, bad := range []Selector{
		{}, {Percent: -1}, {Percent: 101}, {Percent: 0.001}, {Filters: []string{"a#"}},
		{Clients: make([]string, NamesMax+1)},
	} {
		if _, err := bad.ready("p"); err == nil {
			t.Errorf("%v is taken", &bad)
		}
	}
}

func TestWhichSelectorIsWider(t *testing.T) {
	ab, a := []string{"a", "b"}, []string{"a"}
	for _, c := range []struct {
		wide, narrow Selector
		want         bool
	}{
		{Selector{Percent: 10}, Selector{Percent: 5}, true},
		{Selector{Percent: 5}, Selector{Percent: 10}, false},
		{Selector{Percent: 100}, Selector{Clients: a}, true},
		{Selector{Percent: 99}, Selector{Clients: a}, false},
		{Selector{Percent: 5, Clients: a}, Selector{Clients: a}, true},
		{Selector{Percent: 5, Clients: a, All: true}, Selector{Clients: a}, false},
		{Selector{Clients: a}, Selector{Percent: 5, Clients: a, All: true}, true},
		{Selector{Clients: ab}, Selector{Clients: a}, true},
		{Selector{Clients: a}, Selector{Clients: ab}, false},
		{Selector{Tenants: ab}, Selector{Tenants: a, Clients: a}, false},
		{Selector{Tenants: ab, Clients: a, All: true}, Selector{Tenants: a, Clients: a, All: true},
			true},
		{Selector{Tenants: ab, Clients: a}, Selector{Tenants: a, Clients: a, All: true}, false},
		{Selector{Filters: []string{"a/#"}}, Selector{Filters: []string{"a/+/b", "a"}}, true},
		{Selector{Filters: []string{"a/+"}}, Selector{Filters: []string{"a/#"}}, false},
		{Selector{Filters: []string{"+/b"}}, Selector{Filters: []string{"a/b"}}, true},
		{Selector{Filters: []string{"+/b"}}, Selector{Filters: []string{"$a/b"}}, false},
		{Selector{Filters: []string{"a"}}, Selector{Filters: []string{"a/b"}}, false},
	} {
		if got := c.wide.covers(&c.narrow); got != c.want {
			t.Errorf("%v covers %v: %v", &c.wide, &c.narrow, got)
		}
	}
}
