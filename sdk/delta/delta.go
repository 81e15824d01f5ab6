// Package delta writes a file as its difference from another: the default components are built by
// one compiler, so that most of each stands in the others too. It knows no format of what it is
// given.
//
// A difference is pieces, each a length and that many new bytes, then a length and a distance: so
// many bytes from so far back in what is there by now, the base file counting as what came first.
// Numbers are unsigned varints. The last piece has no copy.
package delta

import (
	"encoding/binary"
	"errors"
)

// shortest is the shortest copy that is worth its two numbers.
const shortest = 16

// ErrDamaged is the error of Apply.
var ErrDamaged = errors.New("delta: the difference is damaged")

// Append appends the difference of file from base to dst. It takes memory of some 20 times both.
func Append(dst, base, file []byte) []byte {
	all := append(append([]byte(nil), base...), file...)
	seen := map[string]int{}
	known, done := 0, len(base)
	for i := len(base); i+shortest <= len(all); {
		for ; known+shortest <= i; known++ {
			seen[string(all[known:known+shortest])] = known
		}
		from, ok := seen[string(all[i:i+shortest])]
		if !ok {
			i++
			continue
		}
		n := shortest
		for i+n < len(all) && all[from+n] == all[i+n] {
			n++
		}
		dst = appendNew(dst, all[done:i])
		dst = binary.AppendUvarint(dst, uint64(n))
		dst = binary.AppendUvarint(dst, uint64(i-from))
		i += n
		done = i
	}
	return appendNew(dst, all[done:])
}

func appendNew(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// Apply makes the file of its difference from base; it may have bytesMax.
func Apply(base, diff []byte, bytesMax int) ([]byte, error) {
	out := append(make([]byte, 0, 2*len(base)), base...)
	limit := uint64(len(base) + bytesMax)
	for {
		n, ok := number(&diff)
		if !ok || n > uint64(len(diff)) || uint64(len(out))+n > limit {
			return nil, ErrDamaged
		}
		out, diff = append(out, diff[:n]...), diff[n:]
		if len(diff) == 0 {
			return out[len(base):], nil
		}
		n, ok = number(&diff)
		back, known := number(&diff)
		if !ok || !known || back == 0 || back > uint64(len(out)) || n > limit-uint64(len(out)) {
			return nil, ErrDamaged
		}
		for range n { // a copy may reach into itself
			out = append(out, out[uint64(len(out))-back])
		}
	}
}

// number takes a varint from the front of b.
func number(b *[]byte) (uint64, bool) {
	v, n := binary.Uvarint(*b)
	if n <= 0 {
		return 0, false
	}
	*b = (*b)[n:]
	return v, true
}
