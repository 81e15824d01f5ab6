// Package window is what the component deduplicator-window does: it holds back what was said within
// a window of time already, or what changed by too little to matter. It knows JSON fields and
// the host's keys and values; it does not know how a message reaches it (package deduplicator of
// the guest SDK). All it remembers is with the host, so it survives instances and versions.
package window

import (
	"strconv"
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/deduplicator"
	"github.com/hpmq/hpmq/sdk/guest/go/fields"
	"github.com/hpmq/hpmq/sdk/guest/go/filter"
)

// Store is what the component needs of the host. What Get answers is borrowed until the call ends.
type Store interface {
	Get(key string) ([]byte, bool)
	Set(key string, value []byte, ttlMS uint64) error
	SetIfAbsent(key string, value []byte, ttlMS uint64) (bool, error)
}

// Window is the deduplicator; one is used by one caller at a time.
type Window struct {
	Store Store
	rules []rule
	// The buffers are used again for each message, so that it makes no garbage.
	key       []byte
	now, last []fields.Field
	kept      []byte
	// whole is a large payload that had to be copied, message what it is a part of.
	whole   []byte
	message guest.Message
}

// rule is how to tell what is no news among the messages of one filter.
type rule struct {
	filter string
	// label tells the keys of one rule from those of another.
	label string
	// windowMS is how long a message is remembered; a rule with bands has none.
	windowMS uint64
	// by are the fields that make two messages the same; none means the whole payload.
	by []string
	// wide compares the messages of all topics of the filter with each other.
	wide bool

	// bands are the fields whose change is news.
	bands []band
	// silenceMS is after how long a message is news though nothing changed, 0 for never.
	silenceMS uint64
}

// band is by how much a number may move without being news.
type band struct {
	name              string
	absolute, percent float64
}

// Check judges a message by the first rule whose filter matches.
func (w *Window) Check(_ *guest.Identity, m *guest.Message) deduplicator.Freshness {
	if m.Retain && len(m.Payload) == 0 {
		return deduplicator.News // it clears a retained message [MQTT-3.3.1-6]
	}
	r := w.ruleOf(m.Topic)
	if r == nil {
		return deduplicator.News
	}
	return w.checkBy(r, m)
}

// wholeBytesMax is up to which size a payload is looked into; a larger one by fields is news.
const wholeBytesMax = 1 << 20

// CheckLent is Check for a large payload: it is copied for rules that look into it, no other.
func (w *Window) CheckLent(_ *guest.Identity, m *guest.Lent) deduplicator.Freshness {
	r := w.ruleOf(m.Topic)
	if r == nil {
		return deduplicator.News
	}
	size := m.Payload.Size()
	if len(r.bands) == 0 && len(r.by) == 0 {
		return w.remember(r, m.Topic, m.Payload.Fingerprint(), size)
	}
	if size > wholeBytesMax {
		return deduplicator.News
	}
	w.whole = guest.AppendBody(w.whole[:0], m.Payload)
	w.message = guest.Message{Topic: m.Topic, Payload: w.whole, QoS: m.QoS, Retain: m.Retain}
	return w.checkBy(r, &w.message)
}

// ruleOf is the first rule whose filter matches, nil for none.
func (w *Window) ruleOf(topic string) *rule {
	for i := range w.rules {
		if filter.Match(w.rules[i].filter, topic) {
			return &w.rules[i]
		}
	}
	return nil
}

func (w *Window) checkBy(r *rule, m *guest.Message) deduplicator.Freshness {
	if len(r.bands) > 0 {
		return w.checkChange(r, m)
	}
	sum, ok := w.digest(r, m.Payload)
	if !ok {
		return deduplicator.News
	}
	return w.remember(r, m.Topic, sum, uint64(len(m.Payload)))
}

// remember notes a digest of a message and the size of its payload. What cannot be remembered is
// news. Two ways to make a digest do not meet: payloads of one size go one of them.
func (w *Window) remember(
	r *rule, topic string, sum, size uint64,
) deduplicator.Freshness {
	w.begin(r, topic)
	w.key = append(w.key, ' ')
	w.key = strconv.AppendUint(w.key, sum, 36)
	w.key = append(w.key, ' ')
	w.key = strconv.AppendUint(w.key, size, 36)
	fresh, err := w.Store.SetIfAbsent(text(w.key), nil, r.windowMS)
	if err != nil || fresh {
		return deduplicator.News
	}
	return deduplicator.Repeated
}

// begin starts the key of what is remembered.
func (w *Window) begin(r *rule, topic string) {
	w.key = append(w.key[:0], r.label...)
	if !r.wide {
		w.key = append(w.key, topic...)
	}
}

// digest is false for a payload that has not all of the fields.
func (w *Window) digest(r *rule, payload []byte) (uint64, bool) {
	if len(r.by) == 0 {
		return sum(offset, text(payload)), true
	}
	var ok bool
	if w.now, ok = fields.Split(w.now[:0], text(payload)); !ok {
		return 0, false
	}
	h := uint64(offset)
	for _, name := range r.by {
		i := fields.Find(w.now, name)
		if i < 0 {
			return 0, false
		}
		h = sum(h, w.now[i].Value)
		h = sum(h, ",")
	}
	return h, true
}

// offset and prime are those of FNV-1a in 64 bits.
const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

func sum(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * prime
	}
	return h
}

// text is b as a string without a copy; it holds as long as b is not written to.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
