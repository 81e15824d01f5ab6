package link

import "bytes"

// What is kept of what history told a guest in one call; what is beyond is not.
const (
	pastTopicsMax = 16
	pastBytesMax  = 128 << 10
)

// past is what history told one guest in one call, so that another can be told the same later: by
// then the message itself is the last one of its topic.
type past struct {
	told  []tale
	bytes int
}

// tale is what it told of one topic.
type tale struct {
	topic, payload []byte
	known          bool
}

// add takes copies.
func (p *past) add(topic, payload []byte, known bool) {
	n := len(topic) + len(payload)
	if len(p.told) == pastTopicsMax || p.bytes+n > pastBytesMax {
		return
	}
	p.bytes += n
	p.told = append(p.told, tale{bytes.Clone(topic), bytes.Clone(payload), known})
}

// size is in bytes; p may be nil.
func (p *past) size() int {
	if p == nil {
		return 0
	}
	return p.bytes
}

// about is what was told of a topic first, nil for nothing.
func (p *past) about(topic []byte) *tale {
	for i := range p.told {
		if t := &p.told[i]; bytes.Equal(t.topic, topic) {
			return t
		}
	}
	return nil
}

// Told is history.Witness.
func (in *instance) Told(topic, payload []byte, known bool) {
	if in.past != nil && !in.Apart() {
		in.past.add(topic, payload, known)
	}
}

// Recall is history.Witness.
func (in *instance) Recall(topic []byte) (payload []byte, known, ok bool) {
	if in.past == nil || !in.Apart() {
		return nil, false, false
	}
	t := in.past.about(topic)
	if t == nil {
		return nil, false, false
	}
	return t.payload, t.known, true
}

// recalled is what the guest of the shadow is to be told of history, when who was asked about topic
// was told p, which may be nil. Of the topic itself that is what is known by now, at the latest.
func (sh *shadow) recalled(p *past, topic []byte) *past {
	if sh.past == nil {
		return nil
	}
	if p == nil {
		p = new(past)
	}
	if p.about(topic) == nil {
		payload, known := sh.past.AppendLast(nil, sh.at.Listener, topic)
		p.add(topic, payload, known)
	}
	return p
}
