package link

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
	"github.com/hpmq/hpmq/sdk/topic"
)

// Sizes of the results in guest memory, by the layout rules of the canonical ABI.
const (
	outcomeSize = 12 // transformer.outcome: discriminant, list
	messageSize = 20 // message: topic, payload, qos, retain
	routedSize  = 24 // router.outcome: discriminant, copies, redirect, reach
	textSize    = 8  // string or list: address, length
)

func garbage(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrGarbage, fmt.Sprintf(format, args...))
}

// area is the n bytes of a result at ptr; align is a power of 2. A view: it holds until the guest
// runs again.
func (in *instance) area(ptr, n, align uint32) ([]byte, error) {
	b, ok := in.guest.Memory().Read(ptr, n)
	if !ok || ptr&(align-1) != 0 {
		return nil, garbage("a result of %d bytes at %d", n, ptr)
	}
	return b, nil
}

// bytesPerFuel is how much the host copies or looks at in the time of one instruction.
const bytesPerFuel = 8

// taken counts n bytes of the answer, which cost work units for each bytesPerFuel of them.
func (in *instance) taken(n, work int) error {
	in.lifted += n
	in.owed += uint64(n * work)
	if limit := in.entry.linker.cfg.AnswerBytesMax; in.lifted > limit {
		return garbage("an answer of %d bytes and more, at most %d are taken together", in.lifted,
			limit)
	}
	return nil
}

// bytes is the list<u8> at b, as a view that holds until the guest runs again.
func (in *instance) bytes(b []byte) ([]byte, error) {
	list, err := in.list(b, 1, 1)
	if err != nil {
		return nil, err
	}
	return list, in.taken(len(list), 1)
}

// list is the bytes that the address and length at b stand for, each element of size bytes. The
// caller bounds how many there may be.
func (in *instance) list(b []byte, size, align uint32) ([]byte, error) {
	ptr, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	if n == 0 {
		return nil, nil
	}
	if uint64(n)*uint64(size) > 1<<32-1 {
		return nil, garbage("a list of %d elements", n)
	}
	return in.area(ptr, n*size, align)
}

// text is a string of at most limit bytes of UTF-8, as a view that holds until the next call.
func (in *instance) text(b []byte, limit int) ([]byte, error) {
	ptr, units := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	size := canon.TextBytes(in.encoding, units)
	if size == 0 {
		return nil, nil
	}
	if size > 2*uint64(limit) { // of UTF-16 half of it is the least it becomes
		return nil, garbage("a string of %d bytes, at most %d are taken", size, limit)
	}
	s, err := in.area(ptr, uint32(size), canon.TextAlign(in.encoding))
	if err != nil {
		return nil, err
	}
	work := 1
	if in.encoding != component.UTF8 {
		work = bytesPerFuel // decoding takes about an instruction a byte
	}
	if err := in.taken(int(size), work); err != nil {
		return nil, err
	}
	if in.encoding != component.UTF8 {
		if s, err = in.texts.decode(s, in.encoding, units); err != nil {
			return nil, garbage("a string: %v", err)
		}
	} else if !utf8.Valid(s) {
		return nil, garbage("a string that is not UTF-8")
	}
	if len(s) > limit {
		return nil, garbage("a string of %d bytes, at most %d are taken", len(s), limit)
	}
	return s, nil
}

// topicName is a topic name as a view.
func (in *instance) topicName(b []byte) ([]byte, error) {
	name, err := in.text(b, topic.BytesMax)
	if err == nil && !topic.ValidName(name) {
		err = garbage("%.80q is not a topic name", name)
	}
	return name, err
}

// liftMessage is the WIT record message at b; topic and payload are views.
func (in *instance) liftMessage(b []byte, bytesMax int) (m broker.Message, err error) {
	if m.Topic, err = in.topicName(b); err != nil {
		return m, err
	}
	if m.Payload, err = in.bytes(b[8:]); err != nil {
		return m, err
	}
	if n := len(m.Topic) + len(m.Payload); n > bytesMax {
		return m, garbage("a message of %d bytes, at most %d are taken", n, bytesMax)
	}
	if b[16] > byte(mqtt.ExactlyOnce) {
		return m, garbage("quality of service %d", b[16])
	}
	m.QoS, m.Retain = mqtt.QoS(b[16]), b[17] != 0
	return m, nil
}

// arena holds bytes that a policy answered with, until its next answer of that kind.
type arena struct{ buf []byte }

// arenaKeepMax is what an arena holds on to between messages; a rare giant is given back.
const arenaKeepMax = 256 << 10

func (a *arena) reset() {
	if cap(a.buf) > arenaKeepMax {
		a.buf = nil
	}
	a.buf = a.buf[:0]
}

// keep copies b. What was kept before stays where it is.
func (a *arena) keep(b []byte) []byte {
	if len(a.buf)+len(b) > cap(a.buf) {
		a.buf = make([]byte, 0, max(2*cap(a.buf), len(b), 4096))
	}
	at := len(a.buf)
	a.buf = append(a.buf, b...)
	return a.buf[at:len(a.buf):len(a.buf)]
}

// decode keeps the string b in UTF-8.
func (a *arena) decode(b []byte, e component.Encoding, units uint32) ([]byte, error) {
	at := len(a.buf)
	var err error
	a.buf, err = canon.AppendText(a.buf, b, e, units)
	return a.buf[at:len(a.buf):len(a.buf)], err
}
