package kv

import (
	"math"
	"slices"
)

// How a key is changed.
const (
	set uint8 = iota
	counted
	gone
	// mended is no change: the Keeper is told what there is.
	mended
)

// open is what is known of the changes of a shard.
type open struct {
	changes uint64
	past    map[string]*past // of the keys with changes whose fate is not known
	was     state            // of the key at work, before it is changed
}

func (sh *shard) opened() *open {
	o, ok := sh.open.(*open)
	if !ok {
		o = &open{past: map[string]*past{}}
		sh.open = o
	}
	return o
}

// change is one change of a key.
type change struct {
	number uint64
	how    uint8
	by     int64 // of what is counted
	fate   any   // nil if it stays
	// was is what it replaced; set is the number of the last change before it that was no count,
	// and under that of the last of all: 0 for one that nobody takes back any more.
	was        state
	under, set uint64
}

// state is what is under a key. value never changes in place.
type state struct {
	there, counter bool
	n              int64
	value          []byte
	expire         int64
	ttl            uint64
}

func (i *item) state() state {
	if i == nil {
		return state{}
	}
	return state{true, i.counter, i.n, i.value, i.expire, i.ttl}
}

// past is the changes of a key whose fate is not known, oldest first. They keep what was there
// before them: no more than what is there and what is noted and not kept.
type past struct {
	open []change
	// top is the number of the change that made what is there; set that of the last that was no
	// count.
	top, set uint64
	// mended says that the Keeper was given what is there beside the changes.
	mended bool
}

// last is the fate that what is there depends on, nil for none. One is enough: who changed what has
// a fate saw that, or replaced it.
func (p *past) last() any {
	if p == nil || len(p.open) == 0 {
		return nil
	}
	if c := &p.open[len(p.open)-1]; c.number >= p.set {
		return c.fate
	}
	return nil
}

// remember takes c into the past of key, if there is one or c begins it.
func (o *open) remember(key string, c change) {
	p := o.past[key]
	if c.how == mended || p == nil && c.fate == nil {
		return
	}
	if p == nil {
		p = &past{}
		o.past[key] = p
	}
	c.under, c.set = p.top, p.set
	p.top = c.number
	if c.how != counted {
		p.set = c.number
	}
	if c.fate != nil {
		p.open = append(p.open, c)
	}
}

// Settle brings the fate of a change that had one, by its Space, Key and Change. One that is not
// kept is taken back: what was there before it is there again, unless another change came later,
// which stays. Of a counter what was added goes, whatever was added later.
func (s *Store) Settle(n Note, kept bool) {
	a := s.area(n.Space)
	sh := a.shard([]byte(n.Key))
	sh.mu.Lock()
	defer sh.mu.Unlock()
	past := sh.opened().past
	p := past[n.Key]
	if p == nil {
		return
	}
	i := slices.IndexFunc(p.open, func(c change) bool { return c.number == n.Change })
	if i < 0 {
		return
	}
	c := p.open[i]
	if i == 0 {
		p.open[0] = change{}
		p.open = p.open[1:] // as it mostly is; many may wait for a counter
	} else {
		p.open = slices.Delete(p.open, i, i+1)
	}
	if !kept {
		a.takeBack(sh, n.Key, &c)
	}
	if len(p.open) == 0 {
		delete(past, n.Key)
	}
}

// takeBack undoes c, which is out of the past of key.
func (s *area) takeBack(sh *shard, key string, c *change) {
	p := sh.opened().past[key]
	switch {
	case p.top == c.number:
		s.restore(sh, key, c.was)
		p.top, p.set = c.under, c.set
	case c.how == counted && c.number > p.set:
		it := sh.items[key]
		it.n = less(it.n, c.by)
		if d := s.dirty.Load(); d != nil {
			d.mark(key)
		}
		p.mended = true // the Keeper may have a later sum, which is too high
	}
	if p.mended {
		s.mend(sh, key)
	}
	for i := range p.open {
		later := &p.open[i]
		switch {
		case later.number < c.number:
		case later.under == c.number:
			later.was, later.under, later.set = c.was, c.under, c.set
		case c.how == counted && later.set < c.number:
			later.was.n = less(later.was.n, c.by)
		}
	}
}

func (s *area) restore(sh *shard, key string, was state) {
	if d := s.dirty.Load(); d != nil {
		d.mark(key)
	}
	if was.there {
		s.bring(sh, key, was)
	} else if it := sh.items[key]; it != nil {
		s.remove(sh, it)
	}
}

// mend gives the Keeper what is under key.
func (s *area) mend(sh *shard, key string) {
	it := sh.items[key]
	if it == nil {
		it = &item{key: key}
	}
	s.note(NoLoop, it, mended)
}

// less is n - by within the range.
func less(n, by int64) int64 {
	d := n - by
	switch {
	case by > 0 && d > n:
		return math.MinInt64
	case by < 0 && d < n:
		return math.MaxInt64
	}
	return d
}
