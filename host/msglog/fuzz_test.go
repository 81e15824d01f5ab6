package msglog

import (
	"bytes"
	"testing"

	"github.com/hpmq/hpmq/host/zstd"
)

// FuzzSegment reads hostile files: nothing but errors, and no more memory than the limits say.
func FuzzSegment(f *testing.F) {
	codec, err := zstd.NewBlocks(1, rawBytesMax)
	if err != nil {
		f.Fatal(err)
	}
	r := Record{ID: 1, Time: 2, Client: []byte("c"), Part: Part{Topic: []byte("a/b"), Outcome: 1}}
	var k keys
	var at span
	k.reset()
	k.record(&r)
	at.add(&r)
	raw := appendBytes(nil, appendRecord(nil, &r))
	file := appendBlock(appendSegmentHeader(nil, 1), &at, len(raw), k.appendSummary(nil),
		codec.Compress(nil, raw))
	f.Add(file)
	f.Add(file[:len(file)-3])
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := newWalk(bytes.NewReader(b), 1, int64(len(b)))
		if err != nil {
			return
		}
		for w.next() {
			body, err := w.bodyOf(w.at, &w.head)
			if err != nil {
				continue
			}
			if raw, err := codec.Restore(nil, body, w.head.raw); err == nil {
				decodeAll(t, raw)
			}
		}
	})
}

// FuzzRecord reads hostile records.
func FuzzRecord(f *testing.F) {
	r := Record{ID: 1, Time: 2, Part: Part{Topic: []byte("a/b"), Outcome: 1},
		Became: []Part{{Topic: []byte("x"), Outcome: 2, Why: []byte("repeated")}}}
	f.Add(appendBytes(nil, appendRecord(nil, &r)))
	r.Replayed, r.Expiry, r.Properties = true, 60, []byte{1, 1}
	f.Add(appendBytes(nil, appendRecord(nil, &r)))
	f.Fuzz(func(t *testing.T, raw []byte) { decodeAll(t, raw) })
}

func decodeAll(t *testing.T, raw []byte) {
	offsets, err := appendOffsets(nil, raw)
	if err != nil {
		return
	}
	for i := 0; i < len(offsets); i += 2 {
		var r, again Record
		if r.decode(raw[offsets[i]:offsets[i+1]]) != nil {
			continue
		}
		b := appendRecord(nil, &r)
		if err := again.decode(b); err != nil || !bytes.Equal(appendRecord(nil, &again), b) {
			t.Errorf("%v: %+v is not %+v", err, again, r)
		}
	}
}
