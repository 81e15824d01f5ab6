package link

import "testing"

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
