package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/hpmq/hpmq/host/numbered"
)

const (
	magic       = "HPMQJRNL"
	version     = 2
	headerBytes = 40
	prefixBytes = 24 // length, checksum, number of a record, what is safe
	prefixOne   = 16 // of version 1, without what is safe
	suffix      = ".journal"
)

// header is the first bytes of a segment.
type header struct {
	number uint64
	lsn    uint64 // of the last record before
	end    int64  // where the segment before ends; what it has behind that does not count
	one    bool   // written by version 1
}

var errHeader = errors.New("journal: not the header of a segment")

// castagnoli is CRC-32C, for which processors have instructions.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendHeader(dst []byte, h header) []byte {
	at := len(dst)
	dst = append(dst, magic...)
	dst = binary.BigEndian.AppendUint32(dst, version)
	dst = binary.BigEndian.AppendUint64(dst, h.number)
	dst = binary.BigEndian.AppendUint64(dst, h.lsn)
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.end))
	return binary.BigEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

func readHeader(b []byte) (header, error) {
	if len(b) < headerBytes || string(b[:8]) != magic ||
		binary.BigEndian.Uint32(b[36:]) != crc32.Checksum(b[:36], castagnoli) {
		return header{}, errHeader
	}
	v := binary.BigEndian.Uint32(b[8:])
	if v != version && v != 1 {
		return header{}, fmt.Errorf("%w: %d", ErrVersion, v)
	}
	return header{
		number: binary.BigEndian.Uint64(b[12:]), lsn: binary.BigEndian.Uint64(b[20:]),
		end: int64(binary.BigEndian.Uint64(b[28:])), one: v == 1,
	}, nil
}

// record is one record of a segment. body aliases what it was read from.
type record struct {
	lsn  uint64
	safe int64 // up to here the segment was synced when it was written
	body []byte
}

// appendRecord encodes one record. The checksum is over all but itself.
func appendRecord(dst []byte, r record) []byte {
	at := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(r.body)))
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint64(dst, r.lsn)
	dst = binary.BigEndian.AppendUint64(dst, uint64(r.safe))
	binary.BigEndian.PutUint32(dst[at+4:], checksum(dst[at:at+prefixBytes], r.body))
	return append(dst, r.body...)
}

func checksum(prefix, body []byte) uint32 {
	sum := crc32.Checksum(prefix[:4], castagnoli)
	sum = crc32.Update(sum, castagnoli, prefix[8:])
	return crc32.Update(sum, castagnoli, body)
}

// errTorn says that what follows is no whole record.
var errTorn = errors.New("no whole record")

// cutRecord takes the first record off b.
func (h *header) cutRecord(b []byte, bytesMax int) (r record, rest []byte, err error) {
	prefix := prefixBytes
	if h.one {
		prefix = prefixOne
	}
	if len(b) < prefix {
		return r, b, errTorn
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(bytesMax) || uint64(n) > uint64(len(b)-prefix) {
		return r, b, errTorn
	}
	r.body = b[prefix : prefix+int(n)]
	if binary.BigEndian.Uint32(b[4:]) != checksum(b[:prefix], r.body) {
		return r, b, errTorn
	}
	r.lsn = binary.BigEndian.Uint64(b[8:])
	if !h.one {
		r.safe = int64(binary.BigEndian.Uint64(b[16:]))
	}
	return r, b[prefix+int(n):], nil
}

// lsnAhead bounds by how much the number of a record is above that of the last one before damage.
const lsnAhead = 1 << 32

// next finds the first whole record in b behind its first byte, whose number is above last.
func (h *header) next(b []byte, last uint64, bytesMax int) (at int, r record, ok bool) {
	for at := 1; at+prefixOne <= len(b); at++ {
		lsn := binary.BigEndian.Uint64(b[at+8:])
		if lsn <= last || lsn-last > lsnAhead {
			continue // so that hardly any checksum is made in vain
		}
		if r, _, err := h.cutRecord(b[at:], bytesMax); err == nil {
			return at, r, true
		}
	}
	return 0, r, false
}

func segmentPath(dir string, number uint64) string { return numbered.Path(dir, number, suffix) }
