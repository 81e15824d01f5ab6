package msglog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	segmentMagic = "HPMQMLOG"
	blockMagic   = "HLB1"
	// Version is that of the files. A record of version 1 has no extra; all else is the same.
	Version = 2

	segmentHeaderBytes = 24
	blockHeaderBytes   = 68
)

// errNewer says that a file is of a version that this program does not know.
var errNewer = errors.New("msglog: written by a newer version")

// castagnoli is CRC-32C, for which processors have instructions.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendSegmentHeader(dst []byte, number uint64) []byte {
	at := len(dst)
	dst = append(dst, segmentMagic...)
	dst = binary.BigEndian.AppendUint32(dst, Version)
	dst = binary.BigEndian.AppendUint64(dst, number)
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

func checkSegmentHeader(b []byte, number uint64) error {
	switch {
	case len(b) < segmentHeaderBytes || string(b[:8]) != segmentMagic ||
		binary.BigEndian.Uint32(b[20:]) != crc32.Checksum(b[:20], castagnoli):
		return fmt.Errorf("%w: the head of a segment", ErrDamaged)
	case binary.BigEndian.Uint32(b[8:]) > Version:
		return fmt.Errorf("%w: version %d, this program reads up to %d", errNewer,
			binary.BigEndian.Uint32(b[8:]), Version)
	case binary.BigEndian.Uint64(b[12:]) != number:
		return fmt.Errorf("%w: the number of a segment", ErrDamaged)
	}
	return nil
}

// span is what a block or a segment holds.
type span struct {
	firstID, lastID uint64
	first, last     int64 // times
	records         uint64
	missed          uint64
	outcomes        uint8 // a bit for each
}

func (s *span) add(r *Record) {
	if s.records == 0 {
		s.firstID, s.first, s.last = r.ID, r.Time, r.Time
	}
	s.lastID = r.ID
	s.first, s.last = min(s.first, r.Time), max(s.last, r.Time)
	s.records++
	s.outcomes |= 1 << r.Outcome
	for i := range r.Became {
		s.outcomes |= 1 << r.Became[i].Outcome
	}
}

func (s *span) merge(o *span) {
	if o.records == 0 {
		s.missed += o.missed
		return
	}
	if s.records == 0 {
		s.firstID, s.first, s.last = o.firstID, o.first, o.last
	}
	s.lastID = o.lastID
	s.first, s.last = min(s.first, o.first), max(s.last, o.last)
	s.records += o.records
	s.missed += o.missed
	s.outcomes |= o.outcomes
}

// blockHeader is the fixed part of a block.
type blockHeader struct {
	span
	body, raw, summary int // bytes
	bodySum            uint32
}

// size is that of the whole block.
func (h *blockHeader) size() int64 { return int64(blockHeaderBytes + h.summary + h.body) }

// appendBlock writes header, summary and body, which is compressed already.
func appendBlock(dst []byte, s *span, raw int, summary, body []byte) []byte {
	at := len(dst)
	dst = append(dst, blockMagic...)
	for _, v := range [...]int{len(body), raw, int(s.records)} {
		dst = binary.BigEndian.AppendUint32(dst, uint32(v))
	}
	for _, v := range [...]uint64{s.firstID, s.lastID, uint64(s.first), uint64(s.last)} {
		dst = binary.BigEndian.AppendUint64(dst, v)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(min(s.missed, 1<<32-1)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(summary)))
	dst = append(dst, s.outcomes, 0, 0, 0)
	sum := crc32.Update(crc32.Checksum(dst[at:], castagnoli), castagnoli, summary)
	dst = binary.BigEndian.AppendUint32(dst, sum)
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(body, castagnoli))
	dst = append(dst, summary...)
	return append(dst, body...)
}

// readBlockHeader reads a header without its checksum, which needs the summary.
func readBlockHeader(b []byte) (blockHeader, error) {
	var h blockHeader
	if len(b) < blockHeaderBytes || string(b[:4]) != blockMagic {
		return h, fmt.Errorf("%w: the head of a block", ErrDamaged)
	}
	u32 := func(at int) uint64 { return uint64(binary.BigEndian.Uint32(b[at:])) }
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(b[at:]) }
	h.records, h.missed, h.outcomes = u32(12), u32(48), b[56]
	h.firstID, h.lastID = u64(16), u64(24)
	h.first, h.last = int64(u64(32)), int64(u64(40))
	h.bodySum = uint32(u32(64))
	if u32(4) > rawBytesMax || u32(8) > rawBytesMax || u32(52) > summaryBytesMax {
		return h, fmt.Errorf("%w: the lengths of a block", ErrDamaged)
	}
	h.body, h.raw, h.summary = int(u32(4)), int(u32(8)), int(u32(52))
	return h, nil
}

// whole checks header and summary of a block.
func whole(header, summary []byte) bool {
	sum := crc32.Update(crc32.Checksum(header[:60], castagnoli), castagnoli, summary)
	return binary.BigEndian.Uint32(header[60:]) == sum
}

// appendOffsets appends where the records of raw begin and, last, where they end.
func appendOffsets(dst []int, raw []byte) ([]int, error) {
	for at := 0; at < len(raw); {
		n, size := binary.Uvarint(raw[at:])
		if size <= 0 || n > uint64(len(raw)-at-size) {
			return dst, fmt.Errorf("%w: the length of a record", ErrDamaged)
		}
		dst = append(dst, at+size, at+size+int(n))
		at += size + int(n)
	}
	return dst, nil
}
