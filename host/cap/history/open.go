package history

import "slices"

// latest is what was delivered last. A payload never changes in place: a note may have it.
type latest struct {
	payload      []byte
	known, noted bool
}

func (i *item) latest() latest { return latest{i.payload, i.known, i.noted} }

// change is one of a topic whose fate is not known.
type change struct {
	number, under uint64 // of itself and of the change below it
	was           latest // what it replaced
}

// open is the changes of a topic whose fate is not known.
type open struct {
	was  latest // before the change at work
	top  uint64 // number of the change that made what there is
	list []change
}

func (i *item) opened() *open {
	o, ok := i.open.(*open)
	if !ok {
		o = new(open)
		i.open = o
	}
	return o
}

// changed notes that a change of that number is made.
func (o *open) changed(number uint64, stays bool) {
	if !stays {
		o.list = append(o.list, change{number, o.top, o.was})
	}
	o.top, o.was = number, latest{}
}

// Settle brings the fate of a change that does not stay by itself, by its Listener, Topic and
// Change. What is not kept is taken back: what was there before is there again, unless there is
// something later, which stays.
func (s *Store) Settle(n Note, kept bool) {
	b := (*s.books.Load())[n.Listener]
	if b == nil {
		return
	}
	sh := s.shard(b, []byte(n.Topic))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	it := sh.items[n.Topic]
	if it == nil {
		return // it went meanwhile, and with it what was there before
	}
	o := it.opened()
	i := slices.IndexFunc(o.list, func(c change) bool { return c.number == n.Change })
	if i < 0 {
		return
	}
	c := o.list[i]
	o.list = slices.Delete(o.list, i, i+1)
	if kept {
		return
	}
	if o.top == c.number {
		before := it.size()
		it.payload, it.known, it.noted = c.was.payload, c.was.known, c.was.noted
		o.top = c.under
		sh.grow(s, it.size()-before)
	}
	for j := range o.list {
		if o.list[j].under == c.number {
			o.list[j].was, o.list[j].under = c.was, c.under
		}
	}
}
