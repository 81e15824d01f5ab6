package topic

// Names holds a value for each of many topic names and finds those that a filter matches, as
// retained messages need. The zero value is empty and ready. Names must be valid, see ValidName.
type Names[V any] struct {
	top   children[named[V]]
	count int
}

// named is a value with the name it stands under, so that visiting need not put the name together.
type named[V any] struct {
	name  string
	value V
}

// Len is the number of names.
func (n *Names[V]) Len() int { return n.count }

// Get is the value of name.
func (n *Names[V]) Get(name string) (V, bool) {
	c := &n.top
	for c != nil {
		level, rest, more := cut(name)
		at := c.findString(level)
		if at == nil {
			break
		}
		if !more {
			return at.value.value, at.has
		}
		c, name = at.kids, rest
	}
	var none V
	return none, false
}

// Put sets the value of name, replacing the one it had [MQTT-3.3.1-5]. The string is kept.
func (n *Names[V]) Put(name string, v V) {
	c, tail := &n.top, name
	for {
		level, rest, more := cut(tail)
		at := c.findString(level)
		if at == nil {
			at = c.add(level)
		}
		if more {
			c, tail = at.below(), rest
			continue
		}
		if !at.has {
			n.count++
		}
		at.value, at.has = named[V]{name, v}, true
		return
	}
}

// Delete removes name and says whether it was there.
func (n *Names[V]) Delete(name string) bool {
	// A name has no wildcards, so the way of filters is its way too.
	if !n.top.deletePicked(name) {
		return false
	}
	n.count--
	return true
}

// Match calls visit for every name that filter, valid and without $share, matches, until it answers
// false. Names on one level come in the order the levels came in, with the last in the place of one
// removed; a name comes before those below it. A filter that starts with a wildcard does not match
// names that start with '$' [MQTT-4.7.2-1]. visit must not change n.
func (n *Names[V]) Match(filter string, visit func(name string, v V) bool) {
	matchNames(&n.top, filter, true, visit)
}

// matchNames visits what filter matches below c, which are the first levels if top. False stops.
func matchNames[V any](c *children[named[V]], filter string, top bool,
	visit func(string, V) bool) bool {
	if c == nil {
		return true
	}
	level, rest, more := cut(filter)
	if level != "+" && level != "#" {
		at := c.findString(level)
		return at == nil || matchNode(at, rest, more, visit)
	}
	for _, at := range c.list {
		if top && at.label != "" && at.label[0] == '$' {
			continue
		}
		goOn := false
		if level == "#" {
			goOn = allNames(at, visit)
		} else {
			goOn = matchNode(at, rest, more, visit)
		}
		if !goOn {
			return false
		}
	}
	return true
}

// matchNode goes on at a node whose level is matched.
func matchNode[V any](at *node[named[V]], rest string, more bool, visit func(string, V) bool) bool {
	// "#" matches its parent level too (section 4.7.1.2).
	if (!more || rest == "#") && at.has && !visit(at.value.name, at.value.value) {
		return false
	}
	return !more || matchNames(at.kids, rest, false, visit)
}

// allNames visits at and all below it.
func allNames[V any](at *node[named[V]], visit func(string, V) bool) bool {
	if at.has && !visit(at.value.name, at.value.value) {
		return false
	}
	if at.kids == nil {
		return true
	}
	for _, k := range at.kids.list {
		if !allNames(k, visit) {
			return false
		}
	}
	return true
}
