package store

import (
	"encoding/binary"
	"errors"

	"github.com/hpmq/hpmq/lite/broker"
)

// The keys and values of FORMAT.md. Numbers in keys are big endian, so that they sort.
const (
	kindVersion  = 'v'
	kindMeta     = 'm'
	kindSession  = 's'
	kindQueue    = 'q'
	kindShared   = 'p'
	kindSharers  = 'c'
	kindSharing  = 'j'
	kindRetained = 'r'
	kindExpiry   = 'x'
	kindEnding   = 'e'
	// 'k' and 'h' are notes: see NoteKind.

	// What belongs to a session, behind its number.
	partHead     = 'a'
	partReceived = 'd'
	partFlight   = 'f'
	partEntry    = 'i'
	partExpires  = 'x'
)

// The records of kindMeta.
const (
	metaApplied  = "applied"  // number of the last journal record in the database
	metaBoot     = "boot"     // how often the store was opened
	metaRetained = "retained" // count and bytes
)

// errRecord says that a value is not what it should be.
var errRecord = errors.New("store: damaged record")

func versionKey() []byte { return []byte{kindVersion} }

func metaKey(name string) []byte { return append([]byte{kindMeta}, name...) }

func sessionKey(dst []byte, num uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, kindSession), num)
}

// partKey is the start of all of one kind of a session.
func partKey(dst []byte, num uint32, part byte) []byte {
	return append(binary.BigEndian.AppendUint32(append(dst, kindQueue), num), part)
}

func seqKey(dst []byte, num uint32, part byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(partKey(dst, num, part), seq)
}

func receivedKey(dst []byte, num uint32, id uint64) []byte {
	return binary.BigEndian.AppendUint16(partKey(dst, num, partReceived), uint16(id))
}

func sharedKey(dst []byte, kind byte, id uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, kind), id)
}

func sharingKey(dst []byte, num uint32, seq uint64) []byte {
	dst = binary.BigEndian.AppendUint32(append(dst, kindSharing), num)
	return binary.BigEndian.AppendUint64(dst, seq)
}

// retainedKey has 0 between levels in place of "/", so that what is below a topic stands together.
func retainedKey(dst []byte, topic string) []byte {
	return appendLevels(append(dst, kindRetained), topic)
}

func appendLevels(dst []byte, topic string) []byte {
	for i := 0; i < len(topic); i++ {
		if c := topic[i]; c == '/' {
			dst = append(dst, 0)
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

// topicOf is the topic of a retainedKey.
func topicOf(key []byte) string {
	b := make([]byte, len(key)-1)
	for i, c := range key[1:] {
		if c == 0 {
			c = '/'
		}
		b[i] = c
	}
	return string(b)
}

func expiryKey(dst []byte, at broker.Time, topic string) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, kindExpiry), uint64(at))
	return append(dst, topic...)
}

// cutSeq is the number at the end of a key.
func cutSeq(key []byte) uint64 {
	if len(key) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key[len(key)-8:])
}

// after is the first key behind all that start with prefix, which must not end in 0xFF.
func after(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	end[len(end)-1]++
	return end
}

// past is after for a prefix that may end in any byte but in 0xFF alone.
func past(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			break
		}
	}
	return end
}

func appendText[T string | []byte](dst []byte, text T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

func cutText(b []byte) (text, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	b = b[n:]
	return b[:size:size], b[size:], true
}

func cutUint(b []byte) (n uint64, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 {
		return 0, nil, false
	}
	return n, b[used:], true
}

// appendSession encodes a session: its client identifier, then what the kernel says of it.
func appendSession(dst []byte, id string, state []byte) []byte {
	return append(appendText(dst, id), state...)
}

func readSession(b []byte) (id, state []byte, err error) {
	id, state, ok := cutText(b)
	if !ok {
		return nil, nil, errRecord
	}
	return id, state, nil
}

// entry is a message in a queue. Its body is here, or stands once for many queues.
type entry struct {
	expire broker.Time
	value  []byte
	body   []byte
	shared uint64 // where the body is, 0 for here
	size   uint64 // of a shared body
}

const entryShared = 1

func appendEntry(dst []byte, e *entry) []byte {
	flags := byte(0)
	if e.shared != 0 {
		flags = entryShared
	}
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(e.expire))
	dst = appendText(dst, e.value)
	if e.shared == 0 {
		return append(dst, e.body...)
	}
	dst = binary.AppendUvarint(dst, e.shared)
	return binary.AppendUvarint(dst, e.size)
}

// readEntry takes an entry apart. What it answers aliases b.
func readEntry(b []byte) (e entry, err error) {
	if len(b) == 0 || b[0]&^entryShared != 0 {
		return e, errRecord
	}
	expire, rest, ok := cutUint(b[1:])
	if !ok || expire > 1<<62 {
		return e, errRecord
	}
	e.expire = broker.Time(expire)
	if e.value, rest, ok = cutText(rest); !ok {
		return e, errRecord
	}
	if b[0]&entryShared == 0 {
		e.body = rest
		return e, nil
	}
	e.shared, rest, ok = cutUint(rest)
	if ok {
		e.size, rest, ok = cutUint(rest)
	}
	if !ok || len(rest) > 0 || e.shared == 0 {
		return e, errRecord
	}
	return e, nil
}

// bytes is what an entry counts in a queue's limit.
func (e *entry) bytes() uint64 {
	if e.shared != 0 {
		return e.size
	}
	return uint64(len(e.body))
}

// retained is a retained message: its value is the kernel's. The stamp grows from one to the next,
// see tx.stamp.
type retained struct {
	expire broker.Time
	stamp  uint64
	value  []byte
}

func appendRetained(dst []byte, r retained) []byte {
	dst = binary.AppendUvarint(dst, uint64(r.expire))
	return append(binary.AppendUvarint(dst, r.stamp), r.value...)
}

// readRetained decodes what appendRetained made. The value aliases b.
func readRetained(b []byte) (retained, error) {
	expire, b, ok := cutUint(b)
	if !ok || expire > 1<<62 {
		return retained{}, errRecord
	}
	stamp, value, ok := cutUint(b)
	if !ok {
		return retained{}, errRecord
	}
	return retained{broker.Time(expire), stamp, value}, nil
}
