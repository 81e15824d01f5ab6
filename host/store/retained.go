package store

import (
	"fmt"

	"github.com/hpmq/hpmq/lite/broker"
)

// size is what is known of the retained message of a topic.
func (t *tx) size(topic string) retainedSize {
	if s, known := t.retained[topic]; known {
		return s
	}
	v, ok, err := t.d.get(retainedKey(nil, topic))
	t.note(err)
	if !ok {
		t.retained[topic] = retainedSize{}
		return retainedSize{}
	}
	r, err := readRetained(v)
	t.note(err)
	s := retainedSize{there: true, bytes: int64(len(topic) + len(r.value)), expire: r.expire}
	t.retained[topic] = s
	return s
}

// fits says why op may not be kept: it would grow what is retained beyond a limit. What expired
// does not count: it goes first, in the same batch.
func (t *tx) fits(op *broker.Op) error {
	err := t.within(op)
	for err != nil && t.sweepDue() {
		err = t.within(op)
	}
	return err
}

func (t *tx) within(op *broker.Op) error {
	old := t.size(op.Key)
	count, bytes := t.count, t.bytes+int64(len(op.Key)+len(op.Value))-old.bytes
	if !old.there {
		count++
	}
	switch {
	case bytes <= t.bytes && count == t.count:
		return nil
	case count > t.d.cfg.RetainedMax:
		return fmt.Errorf("%w: %d retained messages", ErrFull, t.d.cfg.RetainedMax)
	case bytes > t.d.cfg.RetainedBytesMax:
		return fmt.Errorf("%w: %d bytes of retained messages", ErrFull, t.d.cfg.RetainedBytesMax)
	}
	return nil
}

// sweepDue stages that some of what expired goes; false if nothing more did. What this batch itself
// retains is not seen.
func (t *tx) sweepDue() bool {
	now := t.d.cfg.Now()
	if len(t.due) == 0 {
		t.due = append(t.due, kindExpiry)
	}
	var topics []string
	t.note(t.d.eachBetween(t.due, expiryKey(nil, now+1, ""), func(key, _ []byte) error {
		if len(topics) >= sweepMax {
			return errEnough
		}
		if len(key) > 9 {
			topics = append(topics, string(key[9:]))
		}
		t.due = append(append(t.due[:0], key...), 0) // from behind it, the next time
		return nil
	}))
	for _, topic := range topics {
		if s := t.size(topic); s.there && s.expire != 0 && s.expire <= now {
			t.unretain(topic)
		}
	}
	return len(topics) > 0
}

func (t *tx) retain(op *broker.Op) {
	t.forget(op.Key)
	t.key = retainedKey(t.key[:0], op.Key)
	t.nth++
	t.val = appendRetained(t.val[:0], retained{op.Expire, t.stamp(), op.Value})
	t.set(t.key, t.val)
	s := retainedSize{
		there: true, bytes: int64(len(op.Key) + len(op.Value)), expire: op.Expire,
	}
	t.retained[op.Key] = s
	t.count++
	t.bytes += s.bytes
	if s.expire != 0 {
		t.key = expiryKey(t.key[:0], s.expire, op.Key)
		t.set(t.key, nil)
	}
}

func (t *tx) unretain(topic string) {
	if !t.forget(topic) {
		return
	}
	t.key = retainedKey(t.key[:0], topic)
	t.delete(t.key)
}

// forget takes a retained message out of the counts and the index of expiry, false if there was
// none.
func (t *tx) forget(topic string) bool {
	old := t.size(topic)
	if !old.there {
		return false
	}
	t.count--
	t.bytes -= old.bytes
	t.retained[topic] = retainedSize{}
	if old.expire != 0 {
		t.key = expiryKey(t.key[:0], old.expire, topic)
		t.delete(t.key)
	}
	return true
}
