package canon

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// utf16Tag marks, in the length of a latin1+utf16 string, that it is in UTF-16.
const utf16Tag = 1 << 31

// TextAlign is how the content of a string is aligned.
func TextAlign(e component.Encoding) uint32 {
	if e == component.UTF8 {
		return 1
	}
	return 2
}

// TextBytes is the size of a string whose length in its memory is units: code units, tagged if
// latin1+utf16.
func TextBytes(e component.Encoding, units uint32) uint64 {
	switch {
	case e == component.UTF16:
		return 2 * uint64(units)
	case e == component.Latin1UTF16 && units&utf16Tag != 0:
		return 2 * uint64(units&^utf16Tag)
	}
	return uint64(units)
}

// AppendText appends the string b, as it stands in a memory with that length, to dst in UTF-8.
func AppendText(dst, b []byte, e component.Encoding, units uint32) ([]byte, error) {
	switch {
	case e == component.UTF8:
		if !utf8.Valid(b) {
			return dst, errors.New("canon: string is not valid utf-8")
		}
		return append(dst, b...), nil
	case e == component.Latin1UTF16 && units&utf16Tag == 0:
		for _, c := range b {
			dst = utf8.AppendRune(dst, rune(c))
		}
		return dst, nil
	}
	return appendUTF16(dst, b)
}

func appendUTF16(dst, b []byte) ([]byte, error) {
	for ; len(b) >= 2; b = b[2:] {
		r := rune(binary.LittleEndian.Uint16(b))
		if r>>11 == 0xd800>>11 {
			if r >= 0xdc00 || len(b) < 4 {
				return dst, errSurrogate
			}
			low := rune(binary.LittleEndian.Uint16(b[2:]))
			if low>>10 != 0xdc00>>10 {
				return dst, errSurrogate
			}
			r = 0x10000 + (r-0xd800)<<10 + (low - 0xdc00)
			b = b[2:]
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, nil
}

var errSurrogate = errors.New("canon: string is not valid utf-16: a surrogate stands alone")

// TextSize is what s, which is UTF-8, takes in a memory: bytes, and its length there. The exact
// size is taken at once: the steps of growth that the specification has for unlike encodings are
// seen by no value.
func TextSize[T string | []byte](e component.Encoding, s T) (bytes uint64, units uint32) {
	if e == component.UTF8 {
		return uint64(len(s)), uint32(len(s))
	}
	n, latin1 := uint64(0), e == component.Latin1UTF16
	for i := 0; i < len(s); {
		r, size := runeAt(s, i)
		latin1 = latin1 && r <= 0xff
		n++
		if r > 0xffff {
			n++
		}
		i += size
	}
	switch {
	case latin1:
		return n, uint32(n)
	case e == component.Latin1UTF16:
		return 2 * n, uint32(n) | utf16Tag
	}
	return 2 * n, uint32(n)
}

// PutText writes s to dst, which is of the size that TextSize said, as it said.
func PutText[T string | []byte](dst []byte, e component.Encoding, units uint32, s T) {
	if e == component.UTF8 {
		copy(dst, s)
		return
	}
	wide := e == component.UTF16 || units&utf16Tag != 0
	at := 0
	for i := 0; i < len(s); {
		r, size := runeAt(s, i)
		i += size
		if !wide {
			dst[at] = byte(r)
			at++
			continue
		}
		if r > 0xffff {
			binary.LittleEndian.PutUint16(dst[at:], uint16(0xd800+(r-0x10000)>>10))
			at += 2
			r = 0xdc00 + r&0x3ff
		}
		binary.LittleEndian.PutUint16(dst[at:], uint16(r))
		at += 2
	}
}

// runeAt is the character at s[i]; what is not UTF-8 counts as U+FFFD of one byte.
func runeAt[T string | []byte](s T, i int) (rune, int) {
	if c := s[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	var b [utf8.UTFMax]byte
	n := copy(b[:], s[i:])
	return utf8.DecodeRune(b[:n])
}
