package rollout

import (
	"cmp"
	"strings"
)

// version is one of semantic versioning 2.0.0, without its build.
type version struct {
	core [3]string // digits, of any number
	pre  []string
}

func parseVersion(s string) (v version, ok bool) {
	s, _, _ = strings.Cut(s, "+")
	s, pre, hasPre := strings.Cut(s, "-")
	parts := strings.Split(s, ".")
	if len(parts) != len(v.core) {
		return v, false
	}
	for i, p := range parts {
		if !isNumber(p) {
			return v, false
		}
		v.core[i] = p
	}
	if hasPre {
		v.pre = strings.Split(pre, ".")
	}
	return v, true
}

// compare is the precedence of clause 11.
func (v version) compare(w version) int {
	for i := range v.core {
		if c := compareNumbers(v.core[i], w.core[i]); c != 0 {
			return c
		}
	}
	switch {
	case len(v.pre) == 0 || len(w.pre) == 0:
		return cmp.Compare(len(w.pre), len(v.pre)) // a release is above what came before it
	}
	for i := range min(len(v.pre), len(w.pre)) {
		if c := compareIdentifiers(v.pre[i], w.pre[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(v.pre), len(w.pre))
}

func compareIdentifiers(a, b string) int {
	switch {
	case isNumber(a) && isNumber(b):
		return compareNumbers(a, b)
	case isNumber(a):
		return -1 // numbers are below words
	case isNumber(b):
		return 1
	}
	return cmp.Compare(a, b)
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// compareNumbers compares numbers that may be larger than any integer.
func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// below says that a is an older version than b. What is not of semantic versioning is not compared.
func below(a, b string) bool {
	v, okV := parseVersion(a)
	w, okW := parseVersion(b)
	return okV && okW && v.compare(w) < 0
}
