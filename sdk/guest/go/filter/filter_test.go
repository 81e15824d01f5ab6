package filter

import "testing"

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		filter, name string
		want         bool
	}{
		{"a/b", "a/b", true}, {"a/b", "a/bc", false}, {"a/bc", "a/b", false}, {"a", "a/b", false},
		{"+", "a", true}, {"+", "", true}, {"+", "a/b", false}, {"+/+", "/a", true}, {"/+", "/a",
			true},
		{"a/+/c", "a/b/c", true}, {"a/+/c", "a//c", true}, {"a/+/c", "a/b/d", false}, {"a/+",
			"a", false},
		{"#", "a/b/c", true}, {"a/#", "a", true}, {"a/#", "a/", true}, {"a/#", "ab", false},
		{"a/#", "b", false}, {"+/#", "a", true}, {"a/+/#", "a/b", true}, {"a/+/#", "a", false},
		{"#", "$SYS/a", false}, {"+/a", "$SYS/a", false}, {"$SYS/#", "$SYS/a", true}, {"a/$x",
			"a/$x", true},
		{"a//b", "a//b", true}, {"a/b/#", "a", false},
	} {
		if got := Match(c.filter, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.filter, c.name, got)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	const name = "dev/7/up"
	b.ReportAllocs()
	b.SetBytes(int64(len(name)))
	for b.Loop() {
		Match("dev/+/up", name)
	}
}
