package topic

import (
	"fmt"
	"testing"
)

func BenchmarkAppendMatches(b *testing.B) {
	for _, c := range []struct {
		name    string
		filters func(t *Tree[int])
		topic   string
	}{
		{"exact-of-1", func(t *Tree[int]) { t.Put("site/7/line/3/press/temp", 1) },
			"site/7/line/3/press/temp"},
		{"exact-of-100000", func(t *Tree[int]) {
			for i := range 100000 {
				t.Put(fmt.Sprintf("device/%d/cmd", i), i)
			}
		}, "device/77777/cmd"},
		{"wild-of-1000", func(t *Tree[int]) {
			for i := range 100 {
				t.Put(fmt.Sprintf("site/%d/#", i), i)
				t.Put(fmt.Sprintf("site/%d/line/+/press/temp", i), i)
				t.Put(fmt.Sprintf("+/%d/line/3/+/temp", i), i)
			}
		}, "site/7/line/3/press/temp"},
		{"none", func(t *Tree[int]) { t.Put("other/#", 1) }, "site/7/line/3/press/temp"},
	} {
		b.Run(c.name, func(b *testing.B) {
			var tree Tree[int]
			c.filters(&tree)
			name, dst := []byte(c.topic), make([]int, 0, 16)
			b.ReportAllocs()
			b.SetBytes(int64(len(name)))
			for b.Loop() {
				dst = tree.AppendMatches(dst[:0], name)
			}
		})
	}
}

func BenchmarkPutDelete(b *testing.B) {
	var tree Tree[int]
	for i := range 1000 {
		tree.Put(fmt.Sprintf("device/%d/cmd", i), i)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len("device/new/cmd")))
	for b.Loop() {
		tree.Put("device/new/cmd", 1)
		tree.Delete("device/new/cmd")
	}
}

func BenchmarkNamesMatch(b *testing.B) {
	var names Names[int]
	for i := range 1000 {
		names.Put(fmt.Sprintf("device/%d/state", i), i)
	}
	b.ReportAllocs()
	b.SetBytes(1000)
	for b.Loop() {
		n := 0
		names.Match("device/+/state", func(string, int) bool { n++; return true })
		if n != 1000 {
			b.Fatal(n)
		}
	}
}
