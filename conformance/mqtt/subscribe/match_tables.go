package subscribe

import "strings"

// matchLevels are filters without wildcards.
func matchLevels() []match {
	deep := "@" + strings.Repeat("/x", 40)
	long := "@/" + strings.Repeat("long", 500)
	return []match{
		{name: "exact", filter: "@/a/b", yes: []string{"@/a/b"}, no: []string{"@/a", "@/a/b/c",
			"@/a/b/", "/@/a/b", "@/a//b", "@/a/bc", "@/a/", "@/b", "@/ab", "@//a/b"}},
		{name: "base", filter: "@", yes: []string{"@"}, no: []string{"@/", "/@", "@/a"}},
		{name: "prefix-of-name", filter: "@/ab", yes: []string{"@/ab"},
			no: []string{"@/a", "@/abc", "@/ab/c", "@/b"}},
		{name: "case", filter: "@/Case/A", yes: []string{"@/Case/A"},
			no: []string{"@/case/a", "@/CASE/A", "@/Case/a", "@/case/A"}},
		{name: "leading-separator", filter: "/@/a", yes: []string{"/@/a"},
			no: []string{"@/a", "//@/a", "/@/a/"}},
		{name: "trailing-separator", filter: "@/a/", yes: []string{"@/a/"},
			no: []string{"@/a", "@/a//", "@/a/b"}},
		{name: "empty-level", filter: "@//b", yes: []string{"@//b"},
			no: []string{"@/b", "@/a/b", "@///b", "@//b/"}},
		{name: "two-empty-levels", filter: "@///", yes: []string{"@///"},
			no: []string{"@", "@/", "@//", "@////"}},
		{name: "deep", filter: deep, yes: []string{deep},
			no: []string{deep + "/x", deep + "/", strings.TrimSuffix(deep, "/x")}},
		{name: "long-level", filter: long, yes: []string{long},
			no: []string{long + "g", long[:len(long)-1]}},
		{name: "dollar-in-the-middle", filter: "@/$a/b", yes: []string{"@/$a/b"},
			no: []string{"@/a/b"}},
		{name: "digits", filter: "@/01", yes: []string{"@/01"},
			no: []string{"@/1", "@/001", "@/1.0"}},
	}
}

// matchWildcards are filters with wildcards.
func matchWildcards() []match {
	return []match{
		{name: "hash", filter: "@/a/#",
			yes: []string{"@/a", "@/a/", "@/a//", "@/a/b", "@/a/b/c", "@/a/$b", "@/a/b/c/d/e/f/g"},
			no:  []string{"@/ab", "@/b", "@", "@/A/b", "/@/a", "@//a"}},
		{name: "hash-behind-base", filter: "@/#",
			yes: []string{"@", "@/", "@/a", "@//", "@/$a/b"}, no: []string{"/@/a", "@x", "@x/a"}},
		{name: "hash-alone", filter: "#", yes: []string{"@", "/@", "@/a", "@//", "@/$a"}},
		{name: "hash-behind-separator", filter: "/#", yes: []string{"/@", "/@/a", "//@/a"},
			no: []string{"@", "@/a"}},
		{name: "hash-behind-empty-level", filter: "@//#", yes: []string{"@/", "@//", "@//a"},
			no: []string{"@", "@/a", "@/a/b"}},
		{name: "plus-last", filter: "@/+", yes: []string{"@/a", "@/", "@/$a", "@/a b"},
			no: []string{"@", "@/a/b", "@/a/", "/@/a", "@//", "@//a"}},
		{name: "plus-between", filter: "@/a/+/c", yes: []string{"@/a/b/c", "@/a//c", "@/a/$b/c"},
			no: []string{"@/a/c", "@/a/b/b/c", "@/a/b/c/", "@/a/b/C", "@/a/b", "@/b/a/c"}},
		{name: "plus-first", filter: "+/~/a", yes: []string{"@/a", "hpmq-other/~/a", "/~/a"},
			no: []string{"/@/a", "@/b", "hpmq-other/x/~/a", "@/a/b"}},
		{name: "plus-behind-separator", filter: "/+/~/a", yes: []string{"/@/a", "//~/a"},
			no: []string{"@/a", "///~/a", "/~/a"}},
		{name: "plus-plus", filter: "@/+/+", yes: []string{"@/a/b", "@//", "@//b", "@/a/"},
			no: []string{"@", "@/a", "@/a/b/c", "@/a/b/"}},
		{name: "plus-text-plus", filter: "@/+/b/+", yes: []string{"@/a/b/c", "@//b/", "@/b/b/b"},
			no: []string{"@/a/b", "@/a/c/b", "@/b/c", "@/a/b/c/d", "@/a/B/c"}},
		{name: "plus-empty-plus", filter: "@/+//+", yes: []string{"@/a//b", "@///"},
			no: []string{"@/a/b", "@/a/x/b", "@/a//b/c"}},
		{name: "plus-hash", filter: "@/+/#", yes: []string{"@/a", "@/", "@/a/b", "@//a", "@/a/b/c"},
			no: []string{"@", "/@/a"}},
		{name: "text-plus-hash", filter: "@/a/+/#", yes: []string{"@/a/b", "@/a/", "@/a/b/c/d"},
			no: []string{"@/a", "@/b/a", "@/ab/c"}},
		{name: "plus-text-hash", filter: "@/+/b/#", yes: []string{"@/a/b", "@/a/b/c", "@//b"},
			no: []string{"@/b", "@/b/a", "@/a/a/b"}},
		{name: "many-plus", filter: "@/+/+/+/+/+/+/+/+", yes: []string{"@/1/2/3/4/5/6/7/8",
			"@////////"}, no: []string{"@/1/2/3/4/5/6/7", "@/1/2/3/4/5/6/7/8/9"}},
	}
}

// matchCharacters are names of which a server might think that they are the same.
func matchCharacters() []match {
	return []match{
		{name: "space", filter: "@/a b", yes: []string{"@/a b"},
			no: []string{"@/ab", "@/a  b", "@/a b ", "@/ a b", "@/a%20b", "@/a\u00a0b"}},
		{name: "space-alone", filter: "@/ ", yes: []string{"@/ "}, no: []string{"@/", "@", "@/  "}},
		{name: "dot", filter: "@/a.b", yes: []string{"@/a.b"}, no: []string{"@/a/b", "@/axb"}},
		{name: "separator-is-no-dot", filter: "@/a/b", yes: []string{"@/a/b"},
			no: []string{"@/a.b", "@.a.b"}},
		{name: "dot-dot", filter: "@/a/../b", yes: []string{"@/a/../b"},
			no: []string{"@/b", "@/a/./b", "@/a/b"}},
		{name: "star", filter: "@/*", yes: []string{"@/*"}, no: []string{"@/a", "@/", "@/**"}},
		{name: "greater", filter: "@/>", yes: []string{"@/>"}, no: []string{"@/a", "@/a/b"}},
		{name: "pattern", filter: "@/[ab]?.*", yes: []string{"@/[ab]?.*"},
			no: []string{"@/a", "@/ax", "@/ab.txt"}},
		{name: "percent", filter: "@/a%2Fb", yes: []string{"@/a%2Fb"},
			no: []string{"@/a/b", "@/a%2fb", "@/a%b"}},
		{name: "backslash", filter: `@/a\b`, yes: []string{`@/a\b`},
			no: []string{"@/a/b", "@/ab", `@/a\\b`}},
		{name: "quotes", filter: `@/'a"`, yes: []string{`@/'a"`}, no: []string{"@/a", `@/"a'`}},
		{name: "composed", filter: "@/\u00e9", yes: []string{"@/\u00e9"},
			no: []string{"@/e\u0301", "@/e", "@/\u00c9"}, plain: true},
		{name: "decomposed", filter: "@/e\u0301", yes: []string{"@/e\u0301"},
			no: []string{"@/\u00e9", "@/e", "@/\u0301e"}, plain: true},
		{name: "angstrom", filter: "@/\u212b", yes: []string{"@/\u212b"},
			no: []string{"@/\u00c5", "@/A\u030a", "@/\u00e5"}, plain: true},
		{name: "ligature", filter: "@/\ufb01", yes: []string{"@/\ufb01"}, no: []string{"@/fi"},
			plain: true},
		{name: "full-width", filter: "@/\uff41\uff0f\uff42", yes: []string{"@/\uff41\uff0f\uff42"},
			no: []string{"@/a/b", "@/\uff41/\uff42"}, plain: true},
		{name: "sharp-s", filter: "@/stra\u00dfe", yes: []string{"@/stra\u00dfe"},
			no: []string{"@/strasse", "@/STRASSE", "@/stra\u1e9ee"}, plain: true},
		{name: "turkish-i", filter: "@/\u0130i", yes: []string{"@/\u0130i"},
			no: []string{"@/ii", "@/i\u0307i", "@/\u0130I", "@/\u0131i"}, plain: true},
		{name: "zero-width-no-break-space", filter: "@/\ufeffa", yes: []string{"@/\ufeffa"},
			no: []string{"@/a", "@/a\ufeff"}, plain: true},
		{name: "zero-width-joiner", filter: "@/a\u200db", yes: []string{"@/a\u200db"},
			no: []string{"@/ab", "@/a\u00adb", "@/a\u200cb"}, plain: true},
		{name: "beyond-the-first-plane", filter: "@/\U0001f600", yes: []string{"@/\U0001f600"},
			no: []string{"@/\ufffd", "@/?", "@/\uf600", "@/\U0001f601"}, plain: true},
		{name: "right-to-left", filter: "@/\u05d0\u05d1/a", yes: []string{"@/\u05d0\u05d1/a"},
			no: []string{"@/\u05d1\u05d0/a", "@/a/\u05d0\u05d1"}, plain: true},
	}
}
