//go:build wasip1

package main

import (
	"bytes"
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

// text is b as a string, not copied.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isObject(b []byte) bool {
	b = trim(b)
	return len(b) >= 2 && b[0] == '{' && b[len(b)-1] == '}'
}

func appendEscaped(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendPairs writes "key=value;key=value" as a JSON object.
func appendPairs(dst, payload []byte) []byte {
	dst = append(dst, '{')
	more := false
	for part := range bytes.SplitSeq(payload, []byte{';'}) {
		if len(part) == 0 {
			continue
		}
		if more {
			dst = append(dst, ',')
		}
		more = true
		key, value, _ := bytes.Cut(part, []byte{'='})
		dst = append(appendEscaped(append(dst, '"'), text(key)), '"', ':')
		if isNumber(value) {
			dst = append(dst, value...)
			continue
		}
		dst = append(appendEscaped(append(dst, '"'), text(value)), '"')
	}
	return append(dst, '}')
}

// isNumber says whether all of b is a number of RFC 8259.
func isNumber(b []byte) bool {
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	whole := digits(b)
	if whole == 0 || b[0] == '0' && whole > 1 {
		return false
	}
	b = b[whole:]
	if len(b) > 0 && b[0] == '.' {
		n := digits(b[1:])
		if n == 0 {
			return false
		}
		b = b[1+n:]
	}
	if len(b) == 0 || b[0]|0x20 != 'e' {
		return len(b) == 0
	}
	b = b[1:]
	if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
		b = b[1:]
	}
	return len(b) > 0 && digits(b) == len(b)
}

// digits is how many b begins with.
func digits(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

// endOfString is the index of the quote that ends the string which begins at from, or -1.
func endOfString(b []byte, from int) int {
	for i := from + 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// batch makes one message of each part of a list.
func batch(m *guest.Message, topic string, out *[]guest.Message) transformer.Outcome {
	b := trim(m.Payload)
	if len(b) < 2 || b[0] != '[' || b[len(b)-1] != ']' {
		return transformer.Keep
	}
	b = b[1 : len(b)-1]
	if len(trim(b)) == 0 {
		return transformer.Drop
	}
	for more := true; more; {
		end := endOfPart(b)
		if end < 0 {
			return transformer.Keep
		}
		part := trim(b[:end])
		if len(part) == 0 {
			return transformer.Keep
		}
		*out = append(*out, guest.Message{Topic: topic, Payload: part, QoS: m.QoS})
		if more = end < len(b); more {
			b = b[end+1:]
		}
	}
	return transformer.Replace
}

// endOfPart is where the first comma outside strings at depth 0 is, or the length of b when there
// is none; -1 is for what is malformed.
func endOfPart(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = endOfString(b, i); i < 0 {
				return -1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return -1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	if depth != 0 {
		return -1
	}
	return len(b)
}

// temp is where the name of the field "temp" of an object begins, or -1.
func temp(b []byte) int {
	if !isObject(b) {
		return -1
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := endOfString(b, i)
			if end < 0 {
				return -1
			}
			if depth == 1 && text(b[i+1:end]) == "temp" && isKey(b[end+1:]) {
				return i + 1
			}
			i = end
		}
	}
	return -1
}

// isKey says whether after, which follows a string, makes it the name of a field.
func isKey(after []byte) bool {
	for len(after) > 0 && isSpace(after[0]) {
		after = after[1:]
	}
	return len(after) > 0 && after[0] == ':'
}
