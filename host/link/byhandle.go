package link

import (
	"fmt"

	"github.com/hpmq/hpmq/host/cap/payload"
	"github.com/hpmq/hpmq/lite/broker"
	"github.com/hpmq/hpmq/sdk/mqtt"
)

// handleAbove is the size from which on a payload goes by handle, to a guest that takes it so: a
// copy of less costs about what a handle does. wit/ says the same number.
const handleAbove = 16 << 10

// lookUpLent finds the functions that get payloads by handle, if the guest has them.
func (in *instance) lookUpLent() error {
	f := in.entry.speaks.lent
	if f == nil {
		return nil
	}
	for i, x := range f.exports {
		fn, err := in.guest.Func(x.name)
		if err != nil {
			return err
		}
		if !fn.Takes(payload.Name, payload.Resource) {
			return fmt.Errorf("%s takes another %s than that of %s", x.name, payload.Resource,
				payload.Name)
		}
		in.lentFns[i] = fn
	}
	return nil
}

// lends says whether the guest sees the payload of m by handle.
func (e *entry) lends(m *broker.Message) bool { return len(m.Payload) > e.lendsAbove }

// fits says whether the guest may be asked about m. What is lent to it needs no room there.
func (e *entry) fits(m *broker.Message) bool {
	return e.lends(m) || len(m.Topic)+len(m.Payload) <= e.linker.cfg.MessageBytesMax
}

// asked is how the guest is asked about m.
func (e *entry) asked(m *broker.Message) *ways {
	if e.lends(m) {
		return &e.speaks.lent.ask
	}
	return &e.speaks.role.ask
}

// askedOf is how a worker is told t.
func (e *entry) askedOf(t *task) *ways {
	if t.what == fnMessage {
		return e.asked(t.message)
	}
	return &e.speaks.role.ask
}

// askLent is policy.ask by handle.
func (p *policy) askLent(in *instance, a asking, m *broker.Message) error {
	in.beginLent(int(a.dir), a.who, m)
	return p.answered(in, a, m)
}

// checkLent is instance.check by handle.
func (in *instance) checkLent(who *broker.Identity, m *broker.Message) (uint32, error) {
	in.beginLent(0, who, m)
	return in.freshness()
}

// tellLent is instance.tell by handle, of a message.
func (in *instance) tellLent(t *task) (uint32, error) {
	in.beginLent(0, &t.who, t.message)
	return in.call()
}

// beginLent starts a call of a function by handle and passes its parameters.
func (in *instance) beginLent(fn int, who *broker.Identity, m *broker.Message) {
	in.use(in.lentFns[fn])
	in.identity(who)
	text(in, m.Topic)
	in.lend(m.Payload)
	in.num(uint64(m.QoS))
	in.flag(m.Retain)
}

// lend passes a handle to b, which is borrowed until the call returns.
func (in *instance) lend(b []byte) {
	handle := uint32(0)
	if in.err == nil {
		handle, in.err = payload.Lend(in.guest, in.fn)
	}
	in.num(uint64(handle))
	in.lent = b
}

// Payload is what the guest is lent.
func (in *instance) Payload() []byte { return in.lent }

// envelopeSize is the WIT record envelope in guest memory: topic, qos, retain.
const envelopeSize = 12

// sendAs makes of each envelope of the list at b a message with the payload of m, which stays where
// it is.
func (p *policy) sendAs(in *instance, w *pass, b []byte, m *broker.Message) error {
	list, err := in.list(b, envelopeSize, 4)
	if err != nil {
		return err
	}
	if err := p.room(w, len(list)/envelopeSize); err != nil {
		return err
	}
	for ; len(list) > 0; list = list[envelopeSize:] {
		topic, err := in.topicName(list)
		if err != nil {
			return err
		}
		if list[8] > byte(mqtt.ExactlyOnce) {
			return garbage("quality of service %d", list[8])
		}
		w.next = append(w.next, broker.Message{
			Topic: w.bytes.keep(topic), Payload: m.Payload,
			QoS: mqtt.QoS(list[8]), Retain: list[9] != 0,
			Props: m.Props, From: m.From, Expire: m.Expire,
		})
	}
	return nil
}
