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
	version     = 1
	headerBytes = 40
	prefixBytes = 16 // length, checksum, number of a record
	suffix      = ".journal"
)

// header is the first bytes of a segment.
type header struct {
	number uint64
	lsn    uint64 // of the last record before
	end    int64  // where the segment before ends; what it has behind that does not count
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
	if v := binary.BigEndian.Uint32(b[8:]); v != version {
		return header{}, fmt.Errorf("%w: %d", ErrVersion, v)
	}
	return header{
		number: binary.BigEndian.Uint64(b[12:]), lsn: binary.BigEndian.Uint64(b[20:]),
		end: int64(binary.BigEndian.Uint64(b[28:])),
	}, nil
}

// appendRecord encodes one record. The checksum is over length, number and body.
func appendRecord(dst []byte, lsn uint64, body []byte) []byte {
	at := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)))
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint64(dst, lsn)
	binary.BigEndian.PutUint32(dst[at+4:], checksum(dst[at:at+prefixBytes], body))
	return append(dst, body...)
}

func checksum(prefix, body []byte) uint32 {
	sum := crc32.Checksum(prefix[:4], castagnoli)
	sum = crc32.Update(sum, castagnoli, prefix[8:])
	return crc32.Update(sum, castagnoli, body)
}

// errTorn says that what follows is no whole record.
var errTorn = errors.New("no whole record")

// cutRecord takes the first record off b. body aliases b.
func cutRecord(b []byte, bytesMax int) (lsn uint64, body, rest []byte, err error) {
	if len(b) < prefixBytes {
		return 0, nil, b, errTorn
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(bytesMax) || uint64(n) > uint64(len(b)-prefixBytes) {
		return 0, nil, b, errTorn
	}
	body = b[prefixBytes : prefixBytes+int(n)]
	if binary.BigEndian.Uint32(b[4:]) != checksum(b[:prefixBytes], body) {
		return 0, nil, b, errTorn
	}
	return binary.BigEndian.Uint64(b[8:]), body, b[prefixBytes+int(n):], nil
}

func segmentPath(dir string, number uint64) string { return numbered.Path(dir, number, suffix) }
