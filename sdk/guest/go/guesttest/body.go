package guesttest

import "hash/fnv"

// Body is a payload as a guest.Body, for tests of handlers. Its fingerprint is another than the
// host's.
type Body []byte

// LentAbove is the size from which on the host lends a payload to who takes it so.
const LentAbove = 16 << 10

// Size is body.size.
func (b Body) Size() uint64 { return uint64(len(b)) }

// Read is body.read.
func (b Body) Read(offset uint64, count uint32) []byte {
	rest := b[min(offset, uint64(len(b))):]
	return rest[:min(uint64(count), 64<<10, uint64(len(rest)))]
}

// Fingerprint is body.fingerprint.
func (b Body) Fingerprint() uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}
