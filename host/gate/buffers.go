package gate

// Sizes of the buffers a loop lends to its connections.
const (
	bufferBytes     = 4 << 10   // of a new one
	bufferBytesKept = 256 << 10 // a larger one is left to the garbage collector
)

// buffer is bytes on their way in or out of one connection.
type buffer struct {
	b []byte

	// Of the start of a packet, see unfinished.
	since   int64 // when it came
	place   int
	counted int // of cap(b)
}

// buffers is the free list of one loop: no lock, and at most keep bytes are free.
type buffers struct {
	free []*buffer
	size int
	keep int
}

// get answers an empty buffer with some capacity.
func (s *buffers) get() *buffer {
	n := len(s.free) - 1
	if n < 0 {
		return &buffer{b: make([]byte, 0, bufferBytes)}
	}
	p := s.free[n]
	s.free[n] = nil
	s.free = s.free[:n]
	s.size -= cap(p.b)
	return p
}

// put takes a buffer back; nil is fine.
func (s *buffers) put(p *buffer) {
	if p == nil || cap(p.b) > bufferBytesKept || s.size+cap(p.b) > s.keep {
		return
	}
	p.b = p.b[:0]
	s.size += cap(p.b)
	s.free = append(s.free, p)
}
