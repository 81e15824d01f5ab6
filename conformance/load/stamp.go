package load

import (
	"encoding/binary"
	"time"
)

// stampBytes is the size of a stamp: publisher u32, sequence u64, send time i64, all big-endian.
const stampBytes = 20

type stamp struct {
	publisher uint32
	seq       uint64
	// sent is nanoseconds on the clock of this run.
	sent int64
}

func putStamp(b []byte, s stamp) {
	binary.BigEndian.PutUint32(b, s.publisher)
	binary.BigEndian.PutUint64(b[4:], s.seq)
	binary.BigEndian.PutUint64(b[12:], uint64(s.sent))
}

func readStamp(b []byte) (stamp, bool) {
	if len(b) < stampBytes {
		return stamp{}, false
	}
	return stamp{
		publisher: binary.BigEndian.Uint32(b),
		seq:       binary.BigEndian.Uint64(b[4:]),
		sent:      int64(binary.BigEndian.Uint64(b[12:])),
	}, true
}

// clock counts nanoseconds from the beginning of a run; it never goes back.
type clock struct{ start time.Time }

func (c clock) now() int64 { return int64(time.Since(c.start)) }
