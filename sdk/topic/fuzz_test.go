package topic

import (
	"slices"
	"strings"
	"testing"
)

// FuzzTree puts the valid filters among lines into a tree and compares it with the naive Match for
// name, before and after every second one is deleted.
func FuzzTree(f *testing.F) {
	for _, m := range matches {
		f.Add(m.filter+"\n#\n+/#\na/b", m.name)
	}
	f.Add("a\na/b\na/b/c\n+\n+/+\n+/+/+\n#\na/#\na/b/#", "a/b/c")
	f.Fuzz(func(t *testing.T, lines, name string) {
		filters := strings.Split(lines, "\n")
		filters = slices.DeleteFunc(filters, func(s string) bool { return !ValidFilter([]byte(s)) })
		if !ValidName([]byte(name)) {
			return
		}
		var tree Tree[string]
		want := model{}
		for i, s := range filters {
			tree.Put(s, s)
			want[s] = i
		}
		compare(t, &tree, want, name)
		for i := 0; i < len(filters); i += 2 {
			tree.Delete(filters[i])
			delete(want, filters[i])
		}
		compare(t, &tree, want, name)
		for s := range want {
			tree.Delete(s)
		}
		if tree.Len() != 0 || !tree.top.empty() {
			t.Fatalf("nodes are left of %q", filters)
		}
	})
}

func compare(t *testing.T, tree *Tree[string], want model, name string) {
	t.Helper()
	got := tree.AppendMatches(nil, []byte(name))
	if len(got) != len(want.matches(name)) || tree.Len() != len(want) {
		t.Fatalf("%q matches %q of %v", name, got, want)
	}
	for _, s := range got {
		if !Match(s, []byte(name)) {
			t.Fatalf("%q does not match %q", s, name)
		}
	}
	seen := 0
	tree.Each(func(s, v string) bool {
		if _, ok := want[s]; !ok || s != v {
			t.Fatalf("%q, %q is not of %v", s, v, want)
		}
		seen++
		return true
	})
	if seen != len(want) {
		t.Fatalf("each visits %d of %v", seen, want)
	}
}

// FuzzNames puts the valid names among lines into a Names and compares it with the naive Match.
func FuzzNames(f *testing.F) {
	for _, m := range matches {
		f.Add(m.name+"\na\na/b\n/\n$SYS", m.filter)
	}
	f.Fuzz(func(t *testing.T, lines, filter string) {
		if !ValidFilter([]byte(filter)) {
			return
		}
		var names Names[int]
		want := map[string]int{}
		for i, s := range strings.Split(lines, "\n") {
			if !ValidName([]byte(s)) {
				continue
			}
			if i%3 == 2 {
				names.Delete(s)
				delete(want, s)
				continue
			}
			names.Put(s, i)
			want[s] = i
		}
		compareNames(t, &names, want, filter)
	})
}

// FuzzFilter compares the checks of filters and shares with their definitions level by level.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"a/+/#", "$share/g/a", "#/a", "a+", "/", "$share//", "+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := ValidFilter([]byte(s)), plainValid(s); got != want {
			t.Fatalf("%q: %v", s, got)
		}
		group, rest, shared, ok := SplitShare(s)
		if shared && ok && (s != "$share/"+group+"/"+rest || !plainValid(rest) ||
			group == "" || strings.ContainsAny(group, "/+#")) {
			t.Fatalf("%q: %q, %q", s, group, rest)
		}
		if shared != strings.HasPrefix(s, "$share/") || !shared && rest != s {
			t.Fatalf("%q: %v", s, shared)
		}
	})
}

// plainValid is ValidFilter by the words of the standard.
func plainValid(s string) bool {
	levels := strings.Split(s, "/")
	for i, level := range levels {
		if strings.Contains(level, "#") && (level != "#" || i != len(levels)-1) {
			return false
		}
		if strings.Contains(level, "+") && level != "+" {
			return false
		}
	}
	return s != "" && len(s) <= BytesMax && !strings.Contains(s, "\x00")
}
