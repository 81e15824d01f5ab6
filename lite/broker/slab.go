package broker

// slab keeps values under tokens that are never mistaken for one another: a token carries the
// generation of its place, so that a late or double answer finds nothing.
type slab[V any] struct {
	places []place[V]
	free   []uint32
}

type place[V any] struct {
	val V
	gen uint32
	in  bool
}

func (s *slab[V]) put(v V) Token {
	var i uint32
	if n := len(s.free); n > 0 {
		i = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		i = uint32(len(s.places))
		s.places = append(s.places, place[V]{})
	}
	p := &s.places[i]
	p.gen++
	p.val, p.in = v, true
	return Token(p.gen)<<32 | Token(i)
}

// take removes and answers the value of t, false if there is none.
func (s *slab[V]) take(t Token) (V, bool) {
	var zero V
	i := uint32(t)
	if int(i) >= len(s.places) {
		return zero, false
	}
	p := &s.places[i]
	if !p.in || p.gen != uint32(t>>32) {
		return zero, false
	}
	v := p.val
	p.val, p.in = zero, false
	s.free = append(s.free, i)
	return v, true
}

func (s *slab[V]) len() int { return len(s.places) - len(s.free) }
