package topic

import "strings"

// indexMin is the number of children from which on an index is kept: below it, comparing one by one
// is as fast and takes no memory.
const indexMin = 9

// node is one level of a name or filter. Nodes that hold no value and lead to none are removed at
// once.
type node[V any] struct {
	label string
	kids  *children[V]
	value V
	at    int32 // where it stands in the list of its parent
	has   bool  // a value ends here
}

// children are the nodes below another. Their order is the order they came in, but that the last
// takes the place of one removed: it depends on nothing but the calls made.
type children[V any] struct {
	list       []*node[V]
	index      map[string]*node[V] // nil below indexMin
	plus, hash *node[V]            // the wildcards, not in list
}

func (c *children[V]) empty() bool { return len(c.list) == 0 && c.plus == nil && c.hash == nil }

// find is the child with a literal label, nil if there is none.
func (c *children[V]) find(label []byte) *node[V] {
	if c.index != nil {
		return c.index[string(label)]
	}
	for _, n := range c.list {
		if n.label == string(label) {
			return n
		}
	}
	return nil
}

// findString is find for a string.
func (c *children[V]) findString(label string) *node[V] {
	if c.index != nil {
		return c.index[label]
	}
	for _, n := range c.list {
		if n.label == label {
			return n
		}
	}
	return nil
}

// add appends a child that is not there yet. The label is copied, for it may be part of a long
// filter that must not live as long as this node.
func (c *children[V]) add(label string) *node[V] {
	n := &node[V]{label: strings.Clone(label), at: int32(len(c.list))}
	c.list = append(c.list, n)
	switch {
	case c.index != nil:
		c.index[n.label] = n
	case len(c.list) >= indexMin:
		c.index = make(map[string]*node[V], 2*indexMin)
		for _, k := range c.list {
			c.index[k.label] = k
		}
	}
	return n
}

// remove takes a child out of list and index. The index goes once half as many are left as brought
// it.
func (c *children[V]) remove(n *node[V]) {
	last := len(c.list) - 1
	moved := c.list[last]
	c.list[n.at], moved.at = moved, n.at
	c.list[last] = nil
	c.list = c.list[:last]
	if cap(c.list) > 4*indexMin && last < cap(c.list)/4 {
		c.list = append(make([]*node[V], 0, 2*last), c.list...)
	}
	if c.index == nil {
		return
	}
	delete(c.index, n.label)
	if last < indexMin/2 {
		c.index = nil
	}
}

// below is n.kids, made if there are none.
func (n *node[V]) below() *children[V] {
	if n.kids == nil {
		n.kids = &children[V]{}
	}
	return n.kids
}

// prune drops what is below n if it is empty, then says whether n itself is of no use.
func (n *node[V]) prune() bool {
	if n.kids != nil && n.kids.empty() {
		n.kids = nil
	}
	return !n.has && n.kids == nil
}

// clear takes the value out of n and says whether there was one.
func (n *node[V]) clear() bool {
	had := n.has
	var none V
	n.value, n.has = none, false
	return had
}

// cut splits the first level off text.
func cut(text string) (level, rest string, more bool) { return strings.Cut(text, "/") }
