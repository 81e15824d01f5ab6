package topic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

func TestTreeMatches(t *testing.T) {
	for _, m := range matches {
		if m.filter == "$+" {
			continue // not valid
		}
		var tree Tree[int]
		tree.Put(m.filter, 1)
		if got := len(tree.AppendMatches(nil, []byte(m.name))) == 1; got != m.want {
			t.Errorf("%q and %q: %v", m.filter, m.name, got)
		}
	}
}

func TestNamesMatch(t *testing.T) {
	for _, m := range matches {
		if m.filter == "$+" {
			continue
		}
		var names Names[int]
		names.Put(m.name, 1)
		got := false
		names.Match(m.filter, func(name string, _ int) bool { got = name == m.name; return true })
		if got != m.want {
			t.Errorf("%q and %q: %v", m.filter, m.name, got)
		}
	}
}

func TestTreePutGetDelete(t *testing.T) {
	var tree Tree[string]
	if _, ok := tree.Get("a"); ok || tree.Delete("a") || tree.Len() != 0 {
		t.Error("the zero tree is not empty")
	}
	filters := []string{"a", "a/b", "a/#", "a/+", "#", "+", "/", "a/+/c", "a//c", "$SYS/#"}
	for i, f := range filters {
		tree.Put(f, "old")
		tree.Put(f, f)
		if v, ok := tree.Get(f); v != f || !ok || tree.Len() != i+1 {
			t.Errorf("%q: %q, %v, %d filters", f, v, ok, tree.Len())
		}
	}
	for _, f := range []string{"", "b", "a/b/c", "a/", "+/+", "a//", "$SYS"} {
		if _, ok := tree.Get(f); ok || tree.Delete(f) {
			t.Errorf("%q is there", f)
		}
	}
	for i, f := range filters {
		if !tree.Delete(f) || tree.Delete(f) {
			t.Errorf("%q is not deleted once", f)
		}
		if _, ok := tree.Get(f); ok || tree.Len() != len(filters)-i-1 {
			t.Errorf("%q is there still", f)
		}
	}
	if !tree.top.empty() {
		t.Error("nodes are left in an empty tree")
	}
}

// TestDeletePrunes holds that a filter takes with it just the nodes that were its own.
func TestDeletePrunes(t *testing.T) {
	var tree Tree[int]
	tree.Put("a/b", 1)
	before := countNodes(&tree.top)
	for _, f := range []string{"a/b/c/d", "a/+/#", "a/b/#", "x/y/z", "a", "+/+"} {
		tree.Put(f, 2)
		tree.Delete(f)
		if got := countNodes(&tree.top); got != before {
			t.Errorf("%q leaves %d nodes", f, got-before)
		}
	}
	if v, ok := tree.Get("a/b"); v != 1 || !ok {
		t.Error("what stayed is gone")
	}
}

// TestIndexGoesWithItsChildren holds that a level that was wide once takes no more memory than
// needed.
func TestIndexGoesWithItsChildren(t *testing.T) {
	var tree Tree[int]
	for i := range 1000 {
		tree.Put(fmt.Sprint(i), i)
	}
	if tree.top.index == nil {
		t.Fatal("no index over 1000 children")
	}
	for i := range 998 {
		tree.Delete(fmt.Sprint(i))
	}
	if tree.top.index != nil || cap(tree.top.list) > 8*indexMin {
		t.Errorf("2 children, index %v, list of %d", tree.top.index, cap(tree.top.list))
	}
	for _, i := range []int{998, 999} {
		if v, ok := tree.Get(fmt.Sprint(i)); v != i || !ok {
			t.Errorf("%d is %d, %v", i, v, ok)
		}
	}
}

// TestInvalidFiltersDoNotMatch holds that what should not be there does no harm.
func TestInvalidFiltersDoNotMatch(t *testing.T) {
	for _, f := range []string{"#/a", "a/#/b"} {
		var tree Tree[int]
		tree.Put(f, 1)
		for _, name := range []string{"a", "a/b", "b/a"} {
			if got := tree.AppendMatches(nil, []byte(name)); len(got) != 0 {
				t.Errorf("%q matches %q", f, name)
			}
		}
		if tree.Delete(f); !tree.top.empty() {
			t.Errorf("%q leaves nodes", f)
		}
	}
}

func countNodes[V any](c *children[V]) int {
	if c == nil {
		return 0
	}
	n := 0
	for _, k := range append([]*node[V]{c.plus, c.hash}, c.list...) {
		if k != nil {
			n += 1 + countNodes(k.kids)
		}
	}
	return n
}

func TestOrder(t *testing.T) {
	var tree Tree[string]
	for _, f := range []string{"a/b", "a/+", "+/b", "a/#", "#", "+/#", "a/b/#", "+/+"} {
		tree.Put(f, f)
	}
	got := strings.Join(tree.AppendMatches(nil, []byte("a/b")), " ")
	if want := "# +/# +/+ +/b a/# a/+ a/b/# a/b"; got != want {
		t.Errorf("matches %s, want %s", got, want)
	}
	var each []string
	tree.Each(func(f, v string) bool {
		if f != v {
			t.Errorf("filter %q has %q", f, v)
		}
		each = append(each, f)
		return len(each) < 6
	})
	if got, want := strings.Join(each, " "), "# +/# +/+ +/b a/# a/+"; got != want {
		t.Errorf("each %s, want %s", got, want)
	}
	var names Names[int]
	for i, n := range []string{"c", "a/x", "b", "a", "$SYS"} {
		names.Put(n, i)
	}
	names.Delete("c")
	if got, want := visited(&names, "#", 9), "a a/x b"; got != want {
		t.Errorf("names %s, want %s", got, want)
	}
	if got, want := visited(&names, "#", 2), "a a/x"; got != want {
		t.Errorf("two names %s, want %s", got, want)
	}
}

// visited are the first most names that filter matches.
func visited(names *Names[int], filter string, most int) string {
	var out []string
	names.Match(filter, func(name string, _ int) bool {
		out = append(out, name)
		return len(out) < most
	})
	return strings.Join(out, " ")
}

// model is the plain way: a list of filters or names, each looked at.
type model map[string]int

func (m model) matches(name string) []int {
	var out []int
	for f, v := range m {
		if Match(f, []byte(name)) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

// randomly calls run with few labels, so that filters are deep and met again, and with many, where
// the index of children comes and goes. A failure names what reproduces it.
func randomly(t *testing.T, run func(t *testing.T, r *rand.Rand, labels int)) {
	for _, labels := range []int{3, 60} {
		for seed := range uint64(5) {
			t.Run(fmt.Sprintf("labels=%d/seed=%d", labels, seed), func(t *testing.T) {
				run(t, rand.New(rand.NewPCG(seed, uint64(labels))), labels)
			})
		}
	}
}

// shrinks says whether step deletes: by turns of 500 steps the collection grows and shrinks.
func shrinks(r *rand.Rand, step int) bool { return r.IntN(10) < 3+4*(step/500%2) }

// TestTreeIsTheModel compares the tree with the naive Match after random changes.
func TestTreeIsTheModel(t *testing.T) {
	randomly(t, func(t *testing.T, r *rand.Rand, labels int) {
		tree, want := Tree[int]{}, model{}
		for step := range 2000 {
			f := randomText(r, labels, true)
			if shrinks(r, step) {
				_, had := want[f]
				delete(want, f)
				if tree.Delete(f) != had {
					t.Fatalf("delete %q", f)
				}
			} else {
				tree.Put(f, step)
				want[f] = step
			}
			name := randomText(r, labels, false)
			got := tree.AppendMatches(nil, []byte(name))
			slices.Sort(got)
			if !slices.Equal(got, want.matches(name)) || tree.Len() != len(want) {
				t.Fatalf("%q: %v, want %v", name, got, want.matches(name))
			}
		}
		for f := range want {
			tree.Delete(f)
		}
		if !tree.top.empty() || tree.Len() != 0 {
			t.Fatal("nodes are left")
		}
	})
}

// TestNamesIsTheModel is the same the other way round.
func TestNamesIsTheModel(t *testing.T) {
	randomly(t, func(t *testing.T, r *rand.Rand, labels int) {
		names, want := Names[int]{}, map[string]int{}
		for step := range 1000 {
			n := randomText(r, labels, false)
			if shrinks(r, step) {
				_, had := want[n]
				delete(want, n)
				if names.Delete(n) != had {
					t.Fatalf("delete %q", n)
				}
			} else {
				names.Put(n, step)
				want[n] = step
			}
			compareNames(t, &names, want, randomText(r, labels, true))
		}
	})
}

func compareNames(t *testing.T, names *Names[int], want map[string]int, filter string) {
	t.Helper()
	got := map[string]int{}
	names.Match(filter, func(name string, v int) bool {
		if _, twice := got[name]; twice {
			t.Fatalf("%q: %q twice", filter, name)
		}
		got[name] = v
		return true
	})
	for name, v := range want {
		if w, ok := names.Get(name); w != v || !ok {
			t.Fatalf("get %q: %d, %v", name, w, ok)
		}
		if w, ok := got[name]; ok != Match(filter, []byte(name)) || ok && w != v {
			t.Fatalf("%q: %q %v", filter, name, ok)
		}
		delete(got, name)
	}
	if len(got) != 0 || names.Len() != len(want) {
		t.Fatalf("%q: too many: %v", filter, got)
	}
}

// randomText is a name, or a filter if wild, of one to four levels.
func randomText(r *rand.Rand, labels int, wild bool) string {
	var parts []string
	for n := 1 + r.IntN(4); n > 0; n-- {
		part := ""
		switch k := r.IntN(10); {
		case k == 0 && wild && n == 1:
			part = "#"
		case k < 3 && wild:
			part = "+"
		case k == 3:
			part = "$x"
		case k > 4:
			part = fmt.Sprint(r.IntN(labels))
		}
		parts = append(parts, part)
	}
	if text := strings.Join(parts, "/"); text != "" {
		return text
	}
	return "/"
}

func TestMatchingAllocatesNothing(t *testing.T) {
	var tree Tree[int]
	for i := range 100 {
		tree.Put(fmt.Sprintf("site/%d/line/+/temp", i), i)
	}
	tree.Put("site/#", -1)
	tree.Put("+/7/line/3/temp", -2)
	dst, name := make([]int, 0, 8), []byte("site/7/line/3/temp")
	n := testing.AllocsPerRun(100, func() {
		if dst = tree.AppendMatches(dst[:0], name); len(dst) != 3 {
			t.Fatal(dst)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestLabelsAreCopied holds that a node does not keep the filter alive it came with.
func TestLabelsAreCopied(t *testing.T) {
	long := "a/" + strings.Repeat("x", 1000)
	var tree Tree[int]
	tree.Put(long, 1)
	tree.Put("a/b", 2)
	tree.Delete(long)
	label := tree.top.list[0].label
	if label != "a" || unsafe.StringData(label) == unsafe.StringData(long) {
		t.Errorf("label %q is part of the filter that is gone", label)
	}
}
