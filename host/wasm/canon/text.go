package canon

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// utf16Tag marks, in the length of a latin1+utf16 string, that it is in UTF-16.
const utf16Tag = 1 << 31

// text reads a string. units is its length in code units, tagged if latin1+utf16.
func (l *lifter) text(at, units uint32) (Value, error) {
	width, align := uint32(1), uint32(2)
	switch {
	case l.side.Encoding == component.UTF8:
		align = 1
	case l.side.Encoding == component.UTF16:
		width = 2
	case units&utf16Tag != 0:
		width, units = 2, units&^utf16Tag
	}
	bytes := uint64(units) * uint64(width)
	if err := inBounds(l.mem, at, bytes, align); err != nil {
		return Value{}, fmt.Errorf("canon: string content: %w", err)
	}
	if err := l.call.spend(0, bytes); err != nil {
		return Value{}, err
	}
	b := l.mem[at : uint64(at)+bytes]
	switch {
	case width == 2:
		return fromUTF16(b)
	case align == 2:
		return fromLatin1(b), nil
	case !utf8.Valid(b):
		return Value{}, errors.New("canon: string is not valid utf-8")
	}
	return Value{Text: string(b)}, nil
}

func fromLatin1(b []byte) Value {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return Value{Text: string(out)}
}

func fromUTF16(b []byte) (Value, error) {
	out := make([]byte, 0, len(b))
	for ; len(b) >= 2; b = b[2:] {
		r := rune(binary.LittleEndian.Uint16(b))
		if r>>11 == 0xd800>>11 {
			if r >= 0xdc00 || len(b) < 4 {
				return Value{}, errSurrogate
			}
			low := rune(binary.LittleEndian.Uint16(b[2:]))
			if low>>10 != 0xdc00>>10 {
				return Value{}, errSurrogate
			}
			r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
			b = b[2:]
		}
		out = utf8.AppendRune(out, r)
	}
	return Value{Text: string(out)}, nil
}

var errSurrogate = errors.New("canon: string is not valid utf-16: a surrogate stands alone")

// text writes a string into new memory. The exact size is taken at once: the steps of growth that
// the specification has for unlike encodings are seen by no value.
func (w *lowerer) text(s string) (at, units uint32, err error) {
	if !utf8.ValidString(s) {
		return 0, 0, errors.New("canon: string is not valid utf-8")
	}
	if w.side.Encoding == component.UTF8 {
		at, err = w.put(1, s)
		return at, uint32(len(s)), err
	}
	latin1 := w.side.Encoding == component.Latin1UTF16
	n := uint64(0)
	for _, r := range s {
		latin1 = latin1 && r <= 0xff
		n++
		if r > 0xffff {
			n++
		}
	}
	if err := w.call.spend(0, 2*n); err != nil {
		return 0, 0, err
	}
	if latin1 {
		at, err = w.put(2, string(toLatin1(s, int(n))))
		return at, uint32(n), err
	}
	at, err = w.put(2, string(toUTF16(s, int(n))))
	if w.side.Encoding == component.Latin1UTF16 {
		return at, uint32(n) | utf16Tag, err
	}
	return at, uint32(n), err
}

func toLatin1(s string, n int) []byte {
	out := make([]byte, 0, n)
	for _, r := range s {
		out = append(out, byte(r))
	}
	return out
}

func toUTF16(s string, n int) []byte {
	out := make([]byte, 0, 2*n)
	for _, r := range s {
		if r > 0xffff {
			r -= 0x10000
			out = binary.LittleEndian.AppendUint16(out, uint16(0xd800+r>>10))
			r = 0xdc00 + r&0x3ff
		}
		out = binary.LittleEndian.AppendUint16(out, uint16(r))
	}
	return out
}
