package guesttest

import "github.com/hpmq/hpmq/sdk/guest/go/kv"

// Host plays the broker for one component: keys and values with a time to live, what went by, and a
// clock that the case moves.
type Host struct {
	nowMS  int64
	values map[string]value
	last   map[string][]byte
}

type value struct {
	data    []byte
	untilMS int64 // 0 for ever
}

// ValueBytesMax is the largest value the host keeps.
const ValueBytesMax = 64 << 10

// NewHost is a host that has seen nothing.
func NewHost() *Host {
	return &Host{nowMS: 1, values: map[string]value{}, last: map[string][]byte{}}
}

func (h *Host) prepare(c *Call) {
	h.nowMS += c.WaitMS
	for topic, payload := range c.Last {
		h.last[topic] = []byte(payload)
	}
}

// Last is history.last.
func (h *Host) Last(topic string) ([]byte, bool) {
	p, ok := h.last[topic]
	return p, ok
}

// Get is kv.get.
func (h *Host) Get(key string) ([]byte, bool) {
	v, ok := h.values[key]
	if ok && v.untilMS != 0 && h.nowMS >= v.untilMS {
		delete(h.values, key)
		return nil, false
	}
	return v.data, ok
}

// Set is kv.set.
func (h *Host) Set(key string, data []byte, ttlMS uint64) error {
	if len(key)+len(data) > ValueBytesMax {
		return kv.ErrTooLarge
	}
	v := value{data: append([]byte(nil), data...)}
	if ttlMS != 0 {
		v.untilMS = h.nowMS + int64(ttlMS)
	}
	h.values[string([]byte(key))] = v // the guest may write over the bytes of key
	return nil
}

// SetIfAbsent is kv.set-if-absent.
func (h *Host) SetIfAbsent(key string, data []byte, ttlMS uint64) (bool, error) {
	if _, had := h.Get(key); had {
		return false, nil
	}
	err := h.Set(key, data, ttlMS)
	return err == nil, err
}
