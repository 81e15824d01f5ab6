package mqtt

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Eight bytes are looked at in one word. With no high bit set in x, x-ones sets a high bit exactly
// if a byte of x is zero; x^c has a zero byte where x has c. What is left over is looked at in the
// last eight bytes, of which some for the second time, or filled up with bytes that pass.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// checkText says whether b is well-formed UTF-8 [MQTT-1.5.4-1] without U+0000 [MQTT-1.5.4-2]. Text
// in ASCII, nearly all there is, takes one look at each word.
func checkText(b []byte) *Error {
	x := lastWord(b)
	odd := x | (x - ones)
	for rest := b; len(rest) > 8; rest = rest[8:] {
		x = binary.LittleEndian.Uint64(rest)
		odd |= x | (x - ones)
	}
	if odd&highs != 0 {
		return checkTextSlow(b)
	}
	return nil
}

// checkName is checkText for a topic name, which has no wildcards either [MQTT-3.3.2-2].
func checkName(b []byte) *Error {
	x := lastWord(b)
	odd := x | (x - ones) | ((x ^ '+'*ones) - ones) | ((x ^ '#'*ones) - ones)
	for rest := b; len(rest) > 8; rest = rest[8:] {
		x = binary.LittleEndian.Uint64(rest)
		odd |= x | (x - ones) | ((x ^ '+'*ones) - ones) | ((x ^ '#'*ones) - ones)
	}
	if odd&highs != 0 {
		return checkNameSlow(b)
	}
	return nil
}

// lastWord is the last eight bytes of b, or all of a shorter b with bytes of 1 in front.
func lastWord(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b[len(b)-8:])
	}
	x := uint64(ones)
	for _, c := range b {
		x = x<<8 | uint64(c)
	}
	return x
}

func checkTextSlow(b []byte) *Error {
	if !utf8.Valid(b) {
		return errTextUTF8
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return errTextNull
	}
	return nil
}

func checkNameSlow(b []byte) *Error {
	if err := checkTextSlow(b); err != nil {
		return err
	}
	if hasWildcard(b) {
		return errWildcard
	}
	return nil
}

func hasWildcard(b []byte) bool {
	return bytes.IndexByte(b, '+') >= 0 || bytes.IndexByte(b, '#') >= 0
}
