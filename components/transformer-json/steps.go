package transform

import "github.com/hpmq/hpmq/sdk/guest/go/fields"

// pair is a name and what it becomes, or a name and what it is set to.
type pair struct{ from, to string }

// rename gives fields other names. A field that already has the new name goes.
type rename []pair

func (s rename) apply(w *work) bool {
	for _, p := range s {
		i := fields.Find(w.fields, p.from)
		if i < 0 || p.from == p.to {
			continue
		}
		w.changed = true
		w.fields[i].Name = p.to
		for j := range w.fields {
			if j != i && w.fields[j].Name == p.to {
				w.fields = append(w.fields[:j], w.fields[j+1:]...)
				break
			}
		}
	}
	return true
}

// pick leaves only these fields, in their order in the message; remove takes these out.
type pick []string

func (s pick) apply(w *work) bool { w.filter(s, true); return true }

type remove []string

func (s remove) apply(w *work) bool { w.filter(s, false); return true }

func (w *work) filter(names []string, keep bool) {
	left := w.fields[:0]
	for _, f := range w.fields {
		if has(names, f.Name) == keep {
			left = append(left, f)
		}
	}
	w.changed = w.changed || len(left) < len(w.fields)
	w.fields = left
}

func has(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// constant sets fields to JSON text of the configuration.
type constant []pair

func (s constant) apply(w *work) bool {
	for _, p := range s {
		w.set(p.from, p.to)
	}
	return true
}

// extract sets fields to what a path finds in the payload as it came. What is not there sets
// nothing.
type extract []pair

func (s extract) apply(w *work) bool {
	for _, p := range s {
		if v, ok := fields.At(w.payload, p.to); ok {
			w.set(p.from, v)
		}
	}
	return true
}

// scale computes value × factor + offset of fields that are numbers; others stay as they are.
type scale []measure

type measure struct {
	name           string
	factor, offset float64
	// digits after the point, or -1 for as many as the number has, up to 15 in all.
	digits int
}

func (s scale) apply(w *work) bool {
	for i := range s {
		m := &s[i]
		at := fields.Find(w.fields, m.name)
		if at < 0 {
			continue
		}
		if n, ok := fields.Number(w.fields[at].Value); ok {
			w.fields[at].Value = w.number(n*m.factor+m.offset, m.digits)
			w.changed = true
		}
	}
	return true
}

// previous puts beside fields what the last message of the topic had in them: the value (copies),
// or how much the number has grown since (deltas). Without a last message it puts nothing.
type previous struct{ copies, deltas []pair }

func (s *previous) apply(w *work) bool {
	last, ok := w.history.Last(w.topic)
	if !ok {
		return true
	}
	if w.previous, ok = fields.Split(w.previous[:0], text(last)); !ok {
		return true
	}
	for _, p := range s.copies {
		if i := fields.Find(w.previous, p.from); i >= 0 {
			w.set(p.to, w.previous[i].Value)
		}
	}
	for _, p := range s.deltas {
		i, j := fields.Find(w.previous, p.from), fields.Find(w.fields, p.from)
		if i < 0 || j < 0 {
			continue
		}
		old, ok1 := fields.Number(w.previous[i].Value)
		now, ok2 := fields.Number(w.fields[j].Value)
		if ok1 && ok2 {
			w.set(p.to, w.number(now-old, -1))
		}
	}
	return true
}

// number writes n behind the numbers made so far.
func (w *work) number(n float64, digits int) string {
	start := len(w.numbers)
	if digits >= 0 {
		w.numbers = fields.AppendFixed(w.numbers, n, digits)
	} else {
		w.numbers = fields.AppendNumber(w.numbers, n)
	}
	return text(w.numbers[start:])
}
