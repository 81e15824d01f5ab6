package gate

// Sizes of the buffers a loop lends to its connections.
const (
	bufferBytes     = 4 << 10   // of a new one
	bufferBytesKept = 256 << 10 // a larger one is left to the garbage collector
)

// buffers is the free list of one loop: no lock, and at most keep bytes are free.
type buffers struct {
	free [][]byte
	size int
	keep int
}

// get answers an empty buffer with some capacity.
func (b *buffers) get() []byte {
	n := len(b.free) - 1
	if n < 0 {
		return make([]byte, 0, bufferBytes)
	}
	p := b.free[n]
	b.free[n] = nil
	b.free = b.free[:n]
	b.size -= cap(p)
	return p[:0]
}

// put takes a buffer back; nil and foreign ones are fine.
func (b *buffers) put(p []byte) {
	if cap(p) < bufferBytes || cap(p) > bufferBytesKept || b.size+cap(p) > b.keep {
		return
	}
	b.size += cap(p)
	b.free = append(b.free, p)
}
