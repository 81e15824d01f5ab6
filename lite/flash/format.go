package flash

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/hpmq/hpmq/lite/broker"
)

// The words of FORMAT.md.
const (
	magic       = "HPMQRET"
	version     = 1
	headerBytes = 16
	prefixBytes = 8 // length and checksum of a record
	opPut       = 1
	opDelete    = 2
)

// Errors of a file that is not ours.
var (
	ErrFormat  = errors.New("flash: not a file of retained messages")
	ErrVersion = errors.New("flash: a file of a newer version")
)

// errBody says that a body is no list of ops.
var errBody = errors.New("not a list of ops")

// castagnoli is CRC-32C, for which processors have instructions.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendHeader encodes the header of a file.
func appendHeader(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, magic...)
	dst = append(dst, version, 0, 0, 0, 0)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[at:], castagnoli))
}

func checkHeader(b []byte) error {
	if len(b) < headerBytes || string(b[:len(magic)]) != magic ||
		binary.LittleEndian.Uint32(b[12:]) != crc32.Checksum(b[:12], castagnoli) {
		return ErrFormat
	}
	if v := b[len(magic)]; v != version {
		return fmt.Errorf("%w: %d", ErrVersion, v)
	}
	return nil
}

// appendRecord encodes one write.
func appendRecord(dst []byte, ops []broker.Op) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, prefixBytes)...)
	for i := range ops {
		dst = appendOp(dst, &ops[i])
	}
	body := dst[at+prefixBytes:]
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(body)))
	binary.LittleEndian.PutUint32(dst[at+4:], checksum(dst[at:at+4], body))
	return dst
}

func appendOp(dst []byte, op *broker.Op) []byte {
	if op.Kind == broker.OpUnretain {
		dst = append(dst, opDelete)
		return appendText(dst, op.Key)
	}
	dst = append(dst, opPut)
	dst = appendText(dst, op.Key)
	dst = binary.AppendUvarint(dst, uint64(op.Expire))
	return appendText(dst, op.Value)
}

func appendText[T string | []byte](dst []byte, text T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

func checksum(length, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, body)
}

// decodeBody takes a body apart and appends its ops to dst. Values alias body.
func decodeBody(dst []broker.Op, body []byte) ([]broker.Op, error) {
	if len(body) == 0 {
		return dst, errBody
	}
	for len(body) > 0 {
		op := broker.Op{Kind: broker.OpUnretain}
		kind := body[0]
		key, rest, ok := cutText(body[1:])
		if !ok || kind != opPut && kind != opDelete {
			return dst, errBody
		}
		if kind == opPut {
			op.Kind = broker.OpRetain
			expire, n := binary.Uvarint(rest)
			if n <= 0 || expire > 1<<62 {
				return dst, errBody
			}
			op.Expire = broker.Time(expire)
			if op.Value, rest, ok = cutText(rest[n:]); !ok {
				return dst, errBody
			}
		}
		op.Key = string(key)
		dst = append(dst, op)
		body = rest
	}
	return dst, nil
}

func cutText(b []byte) (text, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	b = b[n:]
	return b[:size:size], b[size:], true
}
