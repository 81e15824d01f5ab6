package link

import (
	"strconv"
	"testing"

	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"#", "a/b", true}, {"+", "a/b", false},
		{"a/#", "a", true}, {"a/+", "a", false}, {"a/+/c", "a/b/+", true}, {"+/b", "a/+", true},
		{"a/b/c", "a/#", true}, {"a/b", "a/b/c", false}, {"#", "$SYS/a", false},
		{"+/a", "$SYS/#", false}, {"$SYS/#", "$SYS/a", true}, {"#", "#", true},
		{"a//b", "a/+/b", true},
	} {
		if got := overlap(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
		if got := overlap(c.b, c.a); got != c.want {
			t.Errorf("%s and %s: %v", c.b, c.a, got)
		}
	}
}

// FuzzOverlap checks that a name both filters match is never missed.
func FuzzOverlap(f *testing.F) {
	f.Add("a/#", "+/b", "a/b")
	f.Add("#", "$SYS/#", "$SYS/a")
	f.Fuzz(func(t *testing.T, a, b, name string) {
		if !topic.ValidFilter([]byte(a)) || !topic.ValidFilter([]byte(b)) ||
			!topic.ValidName([]byte(name)) {
			return
		}
		if topic.Match(a, []byte(name)) && topic.Match(b, []byte(name)) && !overlap(a, b) {
			t.Errorf("%q and %q share %q", a, b, name)
		}
	})
}

func TestInterestIsTheSumOfItsFilters(t *testing.T) {
	in, err := newInterest([]string{"a/+", "b/#", "a/+"}, 3)
	if err != nil || len(in.filters) != 2 {
		t.Fatalf("%v, %v", in.filters, err)
	}
	for name, want := range map[string]bool{"a/x": true, "b": true, "c": false, "$b": false} {
		if in.has([]byte(name)) != want {
			t.Errorf("%s: want %v", name, want)
		}
	}
	var none interest
	if none.has([]byte("a")) || none.overlaps([]byte("#")) {
		t.Error("nothing wants something")
	}
	if _, err := newInterest([]string{"a", "b"}, 1); err == nil {
		t.Error("too many are taken")
	}
}

func TestDecisionsAreBounded(t *testing.T) {
	d := decisions{max: 100}
	d.of(&chain{})
	ask := func(i int) question {
		return question{now: 1, who: &device, topic: []byte(strconv.Itoa(i))}
	}
	first := ask(0)
	for i := range 10_000 {
		q := ask(i)
		d.put(0, &q, scopeTopic<<scopeShift)
		if _, ok := d.get(0, &first); !ok {
			t.Fatalf("what is in use is forgotten after %d", i)
		}
		if n := len(d.young) + len(d.old); n > 100 {
			t.Fatalf("%d are held", n)
		}
	}
}

func TestDecisionsTellClientsApart(t *testing.T) {
	d := decisions{max: 100}
	d.of(&chain{})
	q := question{now: 1, who: &device, action: broker.ActionPublish, topic: []byte("a")}
	d.put(0, &q, scopeAction<<scopeShift)
	if _, ok := d.get(0, &q); !ok {
		t.Fatal("forgotten")
	}
	for name, change := range map[string]func(*question, *broker.Identity){
		"client":   func(_ *question, w *broker.Identity) { w.ClientID = "x" },
		"username": func(_ *question, w *broker.Identity) { w.Username = "x" },
		"address":  func(_ *question, w *broker.Identity) { w.Address = "x" },
		"tenant":   func(_ *question, w *broker.Identity) { w.Tenant = "x" },
		"action":   func(q *question, _ *broker.Identity) { q.action = broker.ActionWill },
	} {
		who, other := device, q
		change(&other, &who)
		other.who = &who
		if _, ok := d.get(0, &other); ok {
			t.Errorf("another %s is answered for", name)
		}
	}
	if _, ok := d.get(1, &q); ok {
		t.Error("another component is answered for")
	}
}

func TestDenialsFitTheirPackets(t *testing.T) {
	r := mqtt.TopicFilterInvalid
	if got := denial(broker.ActionSubscribe, r); got != r {
		t.Errorf("SUBACK: %v", got)
	}
	if got := denial(broker.ActionPublish, r); got != mqtt.NotAuthorized {
		t.Errorf("PUBACK: %v", got)
	}
}

// A component that asks for "#" guards every topic: what starts with $ must not pass by it.
func TestAllMeansAll(t *testing.T) {
	all, err := newInterest([]string{"#"}, 8)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range []string{"a", "a/b", "$SYS/x", "$foo", "$"} {
		if !all.has([]byte(topic)) {
			t.Errorf("# does not have the topic %s", topic)
		}
	}
	for _, filter := range []string{"#", "+", "a/#", "$SYS/#", "$foo/+", "$foo"} {
		if !all.overlaps([]byte(filter)) {
			t.Errorf("# does not overlap the filter %s", filter)
		}
	}
	some, err := newInterest([]string{"+/x", "$SYS/#"}, 8)
	if err != nil {
		t.Fatal(err)
	}
	if some.has([]byte("$foo/x")) || !some.has([]byte("$SYS/y")) || !some.has([]byte("a/x")) {
		t.Error("a leading wildcard matches topics that start with $, or does not match others")
	}
}
