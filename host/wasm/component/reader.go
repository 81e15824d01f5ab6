package component

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

var errEnd = errors.New("unexpected end")

// budget is what all readers of one decoding share.
type budget struct {
	limits Limits
	items  int
}

// reader reads a piece of the binary. The first error stays: later reads give zeros.
type reader struct {
	code []byte
	pos  int
	base int // where code begins in the file, for messages
	err  error
	*budget
}

func (r *reader) fail(format string, args ...any) {
	r.failWith(fmt.Errorf(format, args...))
}

func (r *reader) failWith(err error) {
	if r.err == nil {
		r.err = fmt.Errorf("at byte %d: %w", r.base+r.pos, err)
	}
}

func (r *reader) more() bool { return r.err == nil && r.pos < len(r.code) }

func (r *reader) byte() byte {
	if r.err == nil && r.pos >= len(r.code) {
		r.failWith(errEnd)
	}
	if r.err != nil {
		return 0
	}
	b := r.code[r.pos]
	r.pos++
	return b
}

// peek is the next byte, 0 at the end.
func (r *reader) peek() byte {
	if !r.more() {
		return 0
	}
	return r.code[r.pos]
}

// want reads the byte b.
func (r *reader) want(b byte, what string) {
	if got := r.byte(); got != b {
		r.fail("%s: 0x%02x where 0x%02x is due", what, got, b)
	}
}

// bytes reads n bytes. They alias the input.
func (r *reader) bytes(n int) []byte {
	if r.err == nil && n > len(r.code)-r.pos {
		r.failWith(errEnd)
	}
	if r.err != nil {
		return nil
	}
	b := r.code[r.pos : r.pos+n : r.pos+n]
	r.pos += n
	return b
}

// u32 reads an unsigned LEB128 of at most 5 bytes.
func (r *reader) u32() uint32 {
	v := r.leb(32)
	return uint32(v)
}

func (r *reader) leb(width int) uint64 {
	var v uint64
	for shift := 0; ; shift += 7 {
		b := r.byte()
		if r.err != nil {
			return 0
		}
		rest := width - shift
		if rest < 7 && (b>>rest) != 0 {
			r.fail("integer does not fit %d bits", width)
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b&0x80 == 0 {
			return v
		}
	}
}

// index reads a type index that stands where an opcode could: a signed LEB128 of 33 bits.
func (r *reader) index() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte()
		v |= uint64(b&0x7f) << shift
		if b&0x80 != 0 {
			continue
		}
		if b&0x40 != 0 || v > 1<<32-1 {
			r.fail("type index out of range")
		}
		return uint32(v)
	}
	r.fail("integer does not fit 33 bits")
	return 0
}

// flag reads a byte that is 0 or 1.
func (r *reader) flag(what string) bool {
	b := r.byte()
	if b > 1 {
		r.fail("%s: 0x%02x is neither 0 nor 1", what, b)
	}
	return b == 1
}

// name reads a string of UTF-8.
func (r *reader) name() string {
	n := r.u32()
	if int64(n) > int64(r.limits.NameBytesMax) && r.err == nil && int64(n) <= int64(len(r.code)) {
		r.fail("a name of %d bytes, at most %d are served", n, r.limits.NameBytesMax)
	}
	b := r.bytes(int(n))
	if !utf8.Valid(b) {
		r.fail("a name is not valid UTF-8")
		return ""
	}
	return string(b)
}

// sub takes the next n bytes as a reader of their own.
func (r *reader) sub(n uint32) *reader {
	at := r.base + r.pos
	return &reader{code: r.bytes(int(n)), base: at, err: r.err, budget: r.budget}
}

// done ends a sub reader: its error is ours, and all of it must be read.
func (r *reader) done(s *reader, what string) {
	if s.err == nil && s.pos < len(s.code) {
		s.fail("%s has %d bytes too many", what, len(s.code)-s.pos)
	}
	if r.err == nil {
		r.err = s.err
	}
}

// count reads the length of a vector; each element takes a byte or more.
func (r *reader) count() int {
	n := r.u32()
	if r.err == nil && int64(n) > int64(len(r.code)-r.pos) {
		r.failWith(errEnd)
	}
	if r.err != nil {
		return 0
	}
	r.items += int(n)
	if r.items > r.limits.ItemsMax {
		r.fail("more than %d definitions, arguments and labels", r.limits.ItemsMax)
		return 0
	}
	return int(n)
}

// vec reads a vector.
func vec[T any](r *reader, read func(*reader) T) []T {
	var list []T
	for n := r.count(); n > 0 && r.err == nil; n-- {
		list = append(list, read(r))
	}
	return list
}

var (
	magic     = []byte("\x00asm")
	layer1    = []byte{0x0d, 0, 1, 0}
	coreLayer = []byte{1, 0, 0, 0}
)

// IsComponent tells a component from a core module by the first 8 bytes: it is one of layer 1, of
// whatever version.
func IsComponent(code []byte) bool {
	return len(code) >= 8 && bytes.Equal(code[:4], magic) && code[6] == 1 && code[7] == 0
}

func (r *reader) preamble(version []byte, what string) {
	if !bytes.Equal(r.bytes(4), magic) {
		r.fail("%s does not begin with \\0asm", what)
	}
	if got := r.bytes(4); !bytes.Equal(got, version) {
		r.fail("%s of version % x, only % x is known", what, got, version)
	}
}
