package port

import "sync"

// bufBytes is how large a pooled buffer is: some packets of telemetry. A larger one is made for the
// packet that needs it and dropped after it.
const bufBytes = 2 << 10

// buffers lends buffers to connections that are at work.
type buffers struct{ pool sync.Pool }

// get answers an empty buffer.
func (b *buffers) get() []byte {
	if a, ok := b.pool.Get().(*[bufBytes]byte); ok {
		return a[:0]
	}
	return make([]byte, 0, bufBytes)
}

// put takes a buffer back; nobody uses it any more. nil is let pass.
func (b *buffers) put(buf []byte) {
	if cap(buf) == bufBytes {
		b.pool.Put((*[bufBytes]byte)(buf[:bufBytes]))
	}
}

// scribble ruins bytes that were lent, so that whoever kept them is found.
func scribble(b []byte) {
	for i := range b {
		b[i] = 0xDB
	}
}
