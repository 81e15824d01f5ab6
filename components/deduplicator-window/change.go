package window

import (
	guest "github.com/hpmq/hpmq/sdk/guest/go"
	"github.com/hpmq/hpmq/sdk/guest/go/deduplicator"
	"github.com/hpmq/hpmq/sdk/guest/go/fields"
)

// checkChange compares the message with the last one that was news, whose fields the host keeps.
// The time they are kept is the longest silence: when it is over there is nothing to compare with,
// so the next is news. A payload that is no JSON object is news, and so is what cannot be kept.
func (w *Window) checkChange(r *rule, m *guest.Message) deduplicator.Freshness {
	var ok bool
	if w.now, ok = fields.Split(w.now[:0], text(m.Payload)); !ok {
		return deduplicator.News
	}
	w.begin(r, m.Topic)
	if last, had := w.Store.Get(text(w.key)); had {
		w.last, ok = fields.Split(w.last[:0], text(last))
		if ok && !r.changed(w.last, w.now) {
			return deduplicator.Unchanged
		}
	}
	w.keep(r)
	// A full store only means that the next message is compared with older ones, or is news.
	_ = w.Store.Set(text(w.key), w.kept, r.silenceMS)
	return deduplicator.News
}

// keep writes the fields that the rule looks at, so that large messages are not kept whole.
func (w *Window) keep(r *rule) {
	n := 0
	for i := range r.bands {
		if at := fields.Find(w.now, r.bands[i].name); at >= 0 {
			w.last = append(w.last[:n], w.now[at])
			n++
		}
	}
	w.kept = fields.Append(w.kept[:0], w.last[:n])
}

func (r *rule) changed(last, now []fields.Field) bool {
	for k := range r.bands {
		b := &r.bands[k]
		i, j := fields.Find(last, b.name), fields.Find(now, b.name)
		if i < 0 && j < 0 {
			continue
		}
		if i < 0 || j < 0 || b.left(last[i].Value, now[j].Value) {
			return true
		}
	}
	return false
}

// left reports whether a value moved out of the band around the last one. What is no number is out
// of it when its text differs.
func (b *band) left(last, now string) bool {
	if last == now {
		return false
	}
	x, ok1 := fields.Number(last)
	y, ok2 := fields.Number(now)
	if !ok1 || !ok2 {
		return true
	}
	return abs(y-x) > max(b.absolute, abs(x)*b.percent/100)
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}
