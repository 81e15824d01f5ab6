// Package transform is what the component transformer-json does: the first rule whose filter
// matches a message changes it, step by step. It knows JSON objects as lists of fields and topics
// as levels; it does not know how a message reaches it (package transformer of the guest SDK).
package transform

import (
	"unsafe"

	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/fields"
	"github.com/hpmq/hpmq/sdk/guest/go/filter"
	"github.com/hpmq/hpmq/sdk/guest/go/transformer"
)

// History is what went by before. What it answers is borrowed until the call ends.
type History interface {
	Last(topic string) ([]byte, bool)
}

// Transformer is the transformer; one is used by one caller at a time.
type Transformer struct {
	History  History
	up, down []rule
	work     work
}

// rule is what to do with the messages of one filter.
type rule struct {
	filter string
	// whole says that the steps need the fields of the payload.
	whole bool
	// otherwise is what becomes of a message the steps cannot be done with.
	otherwise transformer.Outcome
	steps     []step
}

// step is one change. False says that it cannot be done with this message.
type step interface {
	apply(w *work) bool
}

// work is the message while its steps are done. Its buffers are used again for the next message, so
// that a message makes no garbage.
type work struct {
	history History
	payload string
	topic   string
	fields  []fields.Field
	// changed says that fields are no longer those of payload.
	changed bool
	// numbers is the text of the values that steps made, topicText of the topic.
	numbers, topicText, out []byte
	previous                []fields.Field
}

// Upstream changes a message from a client.
func (t *Transformer) Upstream(_ *guest.Identity, m *guest.Message,
	out *[]guest.Message) transformer.Outcome {
	return t.work.run(t.up, t.History, m, out)
}

// Downstream changes a message to a client.
func (t *Transformer) Downstream(_ *guest.Identity, m *guest.Message,
	out *[]guest.Message) transformer.Outcome {
	return t.work.run(t.down, t.History, m, out)
}

func (w *work) run(rules []rule, h History, m *guest.Message,
	out *[]guest.Message) transformer.Outcome {
	for i := range rules {
		if r := &rules[i]; filter.Match(r.filter, m.Topic) {
			w.begin(h, m)
			return w.do(r, m, out)
		}
	}
	return transformer.Keep
}

func (w *work) begin(h History, m *guest.Message) {
	w.history = h
	w.payload = text(m.Payload)
	w.topic = m.Topic
	w.changed = false
	w.fields = w.fields[:0]
	w.numbers = w.numbers[:0]
	w.topicText = w.topicText[:0]
}

func (w *work) do(r *rule, m *guest.Message, out *[]guest.Message) transformer.Outcome {
	if r.whole {
		var ok bool
		if w.fields, ok = fields.Split(w.fields, w.payload); !ok {
			return r.otherwise
		}
	}
	for _, s := range r.steps {
		if !s.apply(w) {
			return r.otherwise
		}
	}
	payload := m.Payload
	if w.changed {
		w.out = fields.Append(w.out[:0], w.fields)
		payload = w.out
	}
	*out = append(*out, guest.Message{
		Topic: w.topic, Payload: payload, QoS: m.QoS, Retain: m.Retain,
	})
	return transformer.Replace
}

// set gives the field name the JSON text value, at its place or at the end.
func (w *work) set(name, value string) {
	w.changed = true
	if i := fields.Find(w.fields, name); i >= 0 {
		w.fields[i].Value = value
		return
	}
	w.fields = append(w.fields, fields.Field{Name: name, Value: value})
}

// text is b as a string without a copy; it holds as long as b is not written to.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
