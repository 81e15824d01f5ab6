package topic

import (
	"encoding/binary"
	"math/bits"
)

// Tree holds a value for each of many topic filters and finds those that match a name. The zero
// value is empty and ready. Filters must be valid, see ValidFilter. Looking up allocates nothing;
// memory is one small node for each distinct level, freed with the last filter that has it.
type Tree[V any] struct {
	top   children[V]
	count int
}

// Len is the number of filters.
func (t *Tree[V]) Len() int { return t.count }

// Get is the value of exactly this filter [MQTT-3.10.4-1].
func (t *Tree[V]) Get(filter string) (V, bool) {
	c := &t.top
	for c != nil {
		level, rest, more := cut(filter)
		n := c.pick(level)
		if n == nil {
			break
		}
		if !more {
			return n.value, n.has
		}
		c, filter = n.kids, rest
	}
	var none V
	return none, false
}

// Put sets the value of filter, replacing the one it had [MQTT-3.8.4-3].
func (t *Tree[V]) Put(filter string, v V) { *t.Place(filter) = v }

// Place answers where the value of filter is; it is zero if the filter is new. What it answers
// holds until the filter is deleted.
func (t *Tree[V]) Place(filter string) *V {
	c := &t.top
	for {
		level, rest, more := cut(filter)
		n := c.pickOrAdd(level)
		if more {
			c, filter = n.below(), rest
			continue
		}
		if !n.has {
			t.count++
		}
		n.has = true
		return &n.value
	}
}

// Delete removes exactly this filter and says whether it was there.
func (t *Tree[V]) Delete(filter string) bool {
	if !t.top.deletePicked(filter) {
		return false
	}
	t.count--
	return true
}

// AppendMatches appends the values of all filters that match name. At each level the order is '#',
// then what goes on by '+', then what goes on literally. Filters that start with a wildcard do not
// match names that start with '$' [MQTT-4.7.2-1]. name is borrowed until return.
func (t *Tree[V]) AppendMatches(dst []V, name []byte) []V {
	if len(name) == 0 || name[0] != '$' {
		return t.top.appendMatches(dst, name)
	}
	end := levelEnd(name)
	if n := t.top.find(name[:end]); n != nil {
		return n.appendMatches(dst, name[end:])
	}
	return dst
}

// Each calls visit for every filter until it answers false. At each level the order is '#', '+',
// then the order the levels came in, with the last in the place of one removed. visit must not
// change t.
func (t *Tree[V]) Each(visit func(filter string, v V) bool) { t.top.each(nil, visit) }

// pick is the child with this label, wildcards included.
func (c *children[V]) pick(label string) *node[V] {
	switch label {
	case "+":
		return c.plus
	case "#":
		return c.hash
	}
	return c.findString(label)
}

func (c *children[V]) pickOrAdd(label string) *node[V] {
	if n := c.pick(label); n != nil {
		return n
	}
	switch label {
	case "+":
		c.plus = &node[V]{label: "+"}
		return c.plus
	case "#":
		c.hash = &node[V]{label: "#"}
		return c.hash
	}
	return c.add(label)
}

// unpick removes a child, wildcards included.
func (c *children[V]) unpick(n *node[V]) {
	switch n {
	case c.plus:
		c.plus = nil
	case c.hash:
		c.hash = nil
	default:
		c.remove(n)
	}
}

// deletePicked removes filter below c and, on the way back, every node it leaves useless.
func (c *children[V]) deletePicked(filter string) bool {
	if c == nil {
		return false
	}
	level, rest, more := cut(filter)
	n := c.pick(level)
	if n == nil {
		return false
	}
	var had bool
	if more {
		had = n.kids.deletePicked(rest)
	} else {
		had = n.clear()
	}
	if n.prune() {
		c.unpick(n)
	}
	return had
}

// appendMatches goes down the literal levels of name in a loop, and into '+' by calling itself. The
// calls are at most one for each node of the tree, whatever the name.
func (c *children[V]) appendMatches(dst []V, name []byte) []V {
	for {
		end := levelEnd(name)
		if n := c.hash; n != nil && n.has {
			dst = append(dst, n.value)
		}
		if n := c.plus; n != nil {
			dst = n.appendMatches(dst, name[end:])
		}
		n := c.find(name[:end])
		if n == nil {
			return dst
		}
		if end == len(name) {
			return n.appendEnd(dst)
		}
		if c = n.kids; c == nil {
			return dst
		}
		name = name[end+1:]
	}
}

// appendMatches goes on below n, whose level is matched. tail is what is left of the name from the
// '/' on, empty at its end.
func (n *node[V]) appendMatches(dst []V, tail []byte) []V {
	if len(tail) == 0 {
		return n.appendEnd(dst)
	}
	if n.kids == nil {
		return dst
	}
	return n.kids.appendMatches(dst, tail[1:])
}

// appendEnd appends what matches a name that ends at n: n, and "#" below it, which matches its
// parent level too (section 4.7.1.2).
func (n *node[V]) appendEnd(dst []V) []V {
	if n.kids != nil && n.kids.hash != nil && n.kids.hash.has {
		dst = append(dst, n.kids.hash.value)
	}
	if n.has {
		dst = append(dst, n.value)
	}
	return dst
}

// each visits what is below c; prefix is the filter so far, with its '/'. False stops.
func (c *children[V]) each(prefix []byte, visit func(string, V) bool) bool {
	if c == nil {
		return true
	}
	if !c.hash.each(prefix, visit) || !c.plus.each(prefix, visit) {
		return false
	}
	for _, n := range c.list {
		if !n.each(prefix, visit) {
			return false
		}
	}
	return true
}

func (n *node[V]) each(prefix []byte, visit func(string, V) bool) bool {
	if n == nil {
		return true
	}
	prefix = append(prefix, n.label...)
	if n.has && !visit(string(prefix), n.value) {
		return false
	}
	return n.kids.each(append(prefix, '/'), visit)
}

// levelEnd is where the first level of name ends, at a '/' or with the name. Levels are short, so
// eight bytes in a word find most ends at once; bytes.IndexByte takes longer to begin.
func levelEnd(name []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	at := 0
	for ; at+8 <= len(name); at += 8 {
		x := binary.LittleEndian.Uint64(name[at:]) ^ '/'*ones
		if zero := (x - ones) &^ x & highs; zero != 0 {
			return at + bits.TrailingZeros64(zero)>>3
		}
	}
	for at < len(name) && name[at] != '/' {
		at++
	}
	return at
}
