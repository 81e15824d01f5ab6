package msglog

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// walk goes over the blocks of a segment, heads alone.
type walk struct {
	f   io.ReaderAt
	end int64 // of what is written
	err error

	at      int64 // of the block
	head    blockHeader
	summary []byte
	ahead   int64
	buf     []byte // what was read at once, and where
	bufAt   int64
	read    int64 // bytes in all
	body    []byte
}

// walkBytes is read at once: small blocks come many at a time.
const walkBytes = 64 << 10

func newWalk(f io.ReaderAt, number uint64, end int64) (*walk, error) {
	w := &walk{f: f, end: end, ahead: segmentHeaderBytes}
	b, err := w.bytes(0, segmentHeaderBytes)
	if err != nil {
		return nil, err
	}
	return w, checkSegmentHeader(b, number)
}

// bytes answers n bytes at a place, which hold until the next call.
func (w *walk) bytes(at int64, n int) ([]byte, error) {
	if at+int64(n) > w.end {
		return nil, fmt.Errorf("%w: the end is torn", ErrDamaged)
	}
	if at >= w.bufAt && at+int64(n) <= w.bufAt+int64(len(w.buf)) {
		return w.buf[at-w.bufAt:][:n], nil
	}
	size := int(min(int64(max(n, walkBytes)), w.end-at))
	if cap(w.buf) < size {
		w.buf = make([]byte, size)
	}
	w.buf = w.buf[:size]
	got, err := w.f.ReadAt(w.buf, at)
	w.bufAt, w.buf = at, w.buf[:got]
	w.read += int64(got)
	if got < n {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: the file is shorter than it was", ErrDamaged)
		}
		return nil, err
	}
	return w.buf[:n], nil
}

// next goes to the next block; false at the end or with an error.
func (w *walk) next() bool {
	if w.err != nil || w.ahead >= w.end {
		return false
	}
	w.at = w.ahead
	b, err := w.bytes(w.at, blockHeaderBytes)
	if err == nil {
		w.head, err = readBlockHeader(b)
	}
	if err == nil {
		b, err = w.bytes(w.at, blockHeaderBytes+w.head.summary)
	}
	if err == nil && !whole(b[:blockHeaderBytes], b[blockHeaderBytes:]) {
		err = fmt.Errorf("%w: the head of a block", ErrDamaged)
	}
	if err == nil && w.at+w.head.size() > w.end {
		err = fmt.Errorf("%w: the end is torn", ErrDamaged)
	}
	if err != nil {
		w.err = err
		return false
	}
	w.summary = b[blockHeaderBytes:]
	w.ahead = w.at + w.head.size()
	return true
}

// bodyOf reads the body of a block, checked; it holds until the next call.
func (w *walk) bodyOf(at int64, h *blockHeader) ([]byte, error) {
	if cap(w.body) < h.body {
		w.body = make([]byte, h.body)
	}
	w.body = w.body[:h.body]
	n, err := w.f.ReadAt(w.body, at+int64(blockHeaderBytes+h.summary))
	w.read += int64(n)
	if n < h.body {
		return nil, fmt.Errorf("%w: the body of a block: %w", ErrDamaged, err)
	}
	if crc32.Checksum(w.body, castagnoli) != h.bodySum {
		return nil, fmt.Errorf("%w: the body of a block", ErrDamaged)
	}
	return w.body, nil
}

// sound checks the body of the block at hand.
func (w *walk) sound() bool {
	_, err := w.bodyOf(w.at, &w.head)
	return err == nil
}
