package fuel

import "unicode/utf8"

// reader reads a section. The first error stays and makes every later read return zero, so callers
// check once per item; loops must check, or they would run for as long as a count says.
type reader struct {
	section string
	b       []byte
	at      int
	err     error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.b)
}

func (r *reader) malformed(text string) { r.fail(malformed(r.section, r.at, text)) }

func (r *reader) more() bool { return r.err == nil && r.at < len(r.b) }

func (r *reader) byte() byte {
	if r.at >= len(r.b) {
		r.malformed("unexpected end")
		return 0
	}
	c := r.b[r.at]
	r.at++
	return c
}

func (r *reader) u32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0f {
			break
		}
		v |= uint32(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.malformed("number is not a u32")
	return 0
}

// signed reads a signed number of up to bits bits.
func (r *reader) signed(bits int) int64 {
	var v int64
	for shift := 0; shift < bits; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c < 0x80 {
			if shift+7 < 64 {
				v = v << (57 - shift) >> (57 - shift)
			}
			return v
		}
	}
	r.malformed("number is too long")
	return 0
}

// count reads the length of a vector whose items have at least itemBytes bytes.
func (r *reader) count(what string, limit uint32, itemBytes int) int {
	n := r.u32()
	if n > limit {
		r.fail(tooMany(what, uint64(n), uint64(limit)))
		return 0
	}
	if int64(n)*int64(itemBytes) > int64(len(r.b)-r.at) {
		r.malformed("more " + what + " than bytes")
		return 0
	}
	return int(n)
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)-r.at) {
		r.malformed("unexpected end")
		return nil
	}
	v := r.b[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return v
}

func (r *reader) name(limit uint32) string {
	n := r.u32()
	if n > limit {
		r.fail(tooMany("bytes in a name", uint64(n), uint64(limit)))
		return ""
	}
	b := r.bytes(n)
	if !utf8.Valid(b) {
		r.malformed("name is not UTF-8")
		return ""
	}
	return string(b)
}

// end fails unless everything was read.
func (r *reader) end() error {
	if r.err == nil && r.at != len(r.b) {
		r.malformed("bytes left over")
	}
	return r.err
}

// In line, as the compiler would have it, the appending of numbers takes 37 KB of hpmq-lite.
//
//go:noinline
func appendU32(dst []byte, v uint32) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

//go:noinline
func appendSigned(dst []byte, v int64) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(dst, c)
		}
		dst = append(dst, c|0x80)
	}
}

func appendName(dst []byte, s string) []byte {
	return append(appendU32(dst, uint32(len(s))), s...)
}
