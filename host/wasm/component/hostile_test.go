package component

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// section writes a section.
func section(id byte, body ...[]byte) []byte {
	b := bytes.Join(body, nil)
	return append(binary.AppendUvarint([]byte{id}, uint64(len(b))), b...)
}

func uleb(n int) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// typeIndex writes a type index: a signed LEB128 that is not negative, of up to two bytes.
func typeIndex(n int) []byte {
	if n < 64 {
		return []byte{byte(n)}
	}
	return []byte{byte(n) | 0x80, byte(n >> 7)}
}

// nest puts a component n deep into others.
func nest(n int) []byte {
	code := []byte(head)
	for range n {
		code = append([]byte(head), section(sectionComponent, code)...)
	}
	return code
}

// tower makes a component of n definitions that each hold the one before twice: what is small in
// the binary is a tree of 2^n leaves.
func tower(id byte, n int, first []byte, next func(i int) []byte) []byte {
	defs := append(uleb(n+1), first...)
	for i := range n {
		defs = append(defs, next(i)...)
	}
	return append([]byte(head), section(id, defs)...)
}

// tuples are of the tuple before, twice.
func tuples(n int) []byte {
	return tower(sectionType, n, []byte{opBool}, func(i int) []byte {
		return append(append([]byte{opTuple, 2}, typeIndex(i)...), typeIndex(i)...)
	})
}

// lists are of the list before.
func lists(n int) []byte {
	return tower(sectionType, n, []byte{opBool}, func(i int) []byte {
		return append([]byte{opList}, typeIndex(i)...)
	})
}

// instanceTypes export an instance of the type before twice; the first exports a resource.
func instanceTypes(n int) []byte {
	first := []byte{opInstance, 1, declExport, 0, 1, 'r', 3, 1}
	return tower(sectionType, n, first, func(i int) []byte {
		alias := append([]byte{declAlias, 3, 2, 1}, uleb(i)...)
		return bytes.Join([][]byte{{opInstance, 3}, alias,
			{declExport, 0, 1, 'a', 5, 0}, {declExport, 0, 1, 'b', 5, 0}}, nil)
	})
}

// instances instantiate the component before twice and export both; the first defines a resource.
func instances(n int) []byte {
	code := append([]byte(head), section(sectionComponent, []byte(head),
		section(sectionType, []byte{1, opResource, 0x7f, 0}),
		section(sectionExport, []byte{1, 0, 1, 'r', 3, 0, 0}))...)
	for i := range n {
		outer := append([]byte{1, 4, 2, 1}, uleb(i)...)
		code = append(code, section(sectionComponent, []byte(head),
			section(sectionAlias, outer),
			section(sectionInstance, []byte{2, 0, 0, 0, 0, 0, 0}),
			section(sectionExport, []byte{2, 0, 1, 'a', 5, 0, 0, 0, 1, 'b', 5, 1, 0}))...)
	}
	return code
}

func TestHostile(t *testing.T) {
	small := DefaultLimits()
	small.BytesMax, small.ItemsMax, small.NameBytesMax = 100, 10, 3
	long := append([]byte(head), section(sectionImport, []byte{1, 0}, uleb(200),
		bytes.Repeat([]byte("a"), 200))...)
	for _, c := range []struct {
		name, want string
		code       []byte
		limits     Limits
	}{
		{"nesting", "", nest(50), DefaultLimits()},
		{"deep nesting", "more than 50 components in each other", nest(51), DefaultLimits()},
		{"nesting without end", "more than 50 components", nest(5000), DefaultLimits()},
		{"tuples", "", tuples(14), DefaultLimits()},
		{"tuples of tuples", "more than 100000 parts", tuples(40), DefaultLimits()},
		{"lists", "", lists(99), DefaultLimits()},
		{"lists of lists", "more than 100 value types in each other", lists(100), DefaultLimits()},
		{"instance types", "", instanceTypes(10), DefaultLimits()},
		{"many instance types", "too many steps", instanceTypes(49), DefaultLimits()},
		{"instances", "", instances(10), DefaultLimits()},
		{"many instances", "too many steps", instances(49), DefaultLimits()},
		{"bytes", "bytes, at most 100", make([]byte, 101), small},
		{"items", "more than 10 definitions", lists(10), small},
		{"name", "a name of 200 bytes, at most 10000", long, DefaultLimits()},
	} {
		if c.name == "name" {
			c.limits.NameBytesMax = 10
			c.want = "a name of 200 bytes, at most 10 "
		}
		_, err := Decode(c.code, c.limits)
		switch {
		case err == nil && c.want != "":
			t.Errorf("%s: accepted; want %q", c.name, c.want)
		case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}
