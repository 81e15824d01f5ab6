package msglog

import (
	"bytes"
	"math/bits"
	"strings"
)

// A summary says which topics and clients may be in a block: a Bloom filter of the topics, of how
// they begin, level by level, and of the client ids. An empty one says nothing.

const (
	summaryBytesMin = 8
	summaryBytesMax = 32 << 10
	summaryKeysMax  = summaryBytesMax * 8 / bitsPerKey
	bitsPerKey      = 10 // one block in a hundred is read in vain
	probes          = 7
)

// What a key is made of.
const (
	keyTopic  = 't'
	keyPrefix = 'p'
	keyClient = 'c'
)

// hash is FNV-1a of kind and text, mixed: its halves are taken apart.
func hash[T string | []byte](kind byte, text T) uint64 {
	h := (uint64(14695981039346656037) ^ uint64(kind)) * 1099511628211
	for i := 0; i < len(text); i++ {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	return h ^ h>>29
}

// keys are those of the block at work.
type keys struct {
	set  map[uint64]struct{}
	over bool // too many: no summary
}

func (k *keys) reset() {
	if k.set == nil || k.over {
		k.set = make(map[uint64]struct{})
	}
	clear(k.set)
	k.over = false
}

func (k *keys) add(h uint64) {
	if len(k.set) >= summaryKeysMax {
		k.over = true
		return
	}
	k.set[h] = struct{}{}
}

func (k *keys) topic(name []byte) {
	whole := hash(keyTopic, name)
	if _, known := k.set[whole]; known {
		return
	}
	k.add(whole)
	for at := 0; ; {
		n := bytes.IndexByte(name[at:], '/')
		if n < 0 {
			break
		}
		at += n
		k.add(hash(keyPrefix, name[:at]))
		at++
	}
	k.add(hash(keyPrefix, name)) // "a/#" is "a" too
}

func (k *keys) record(r *Record) {
	k.topic(r.Topic)
	for i := range r.Became {
		k.topic(r.Became[i].Topic)
	}
	k.add(hash(keyClient, r.Client))
}

// appendSummary is the filter of the keys.
func (k *keys) appendSummary(dst []byte) []byte {
	if k.over {
		return dst
	}
	n := max(summaryBytesMin, len(k.set)*bitsPerKey/8)
	n = min(summaryBytesMax, 1<<bits.Len(uint(n-1)))
	at := len(dst)
	dst = append(dst, make([]byte, n)...)
	for h := range k.set {
		each(h, n, func(i uint64, bit byte) bool {
			dst[uint64(at)+i] |= bit
			return true
		})
	}
	return dst
}

// each visits the bits of h in a summary of n bytes, a power of two.
func each(h uint64, n int, visit func(i uint64, bit byte) bool) bool {
	step := h>>32 | 1
	for range probes {
		at := h & uint64(n*8-1)
		if !visit(at>>3, 1<<(at&7)) {
			return false
		}
		h += step
	}
	return true
}

// may is false if the key is not in the block of the summary.
func may(summary []byte, h uint64) bool {
	n := len(summary)
	if n == 0 || n&(n-1) != 0 {
		return true
	}
	return each(h, n, func(i uint64, bit byte) bool { return summary[i]&bit != 0 })
}

// filterKey is the key that a block with a topic of filter has; false if any block may have one.
func filterKey(filter string) (uint64, bool) {
	at := strings.IndexAny(filter, "+#")
	switch {
	case at < 0:
		return hash(keyTopic, filter), true
	case at == 0:
		return 0, false
	}
	return hash(keyPrefix, filter[:at-1]), true
}
