package link

import (
	"cmp"
	"slices"
	"time"
)

// Failures answers what went wrong with components last, those that were swapped out since among
// them, sorted by listener, the latest first: a bounded number for each listener, since it was
// linked.
func (l *Linker) Failures() []Failure {
	l.mu.Lock()
	all := make([]*listener, 0, len(l.listeners))
	for _, ls := range l.listeners {
		all = append(all, ls)
	}
	l.mu.Unlock()
	var out []Failure
	for _, ls := range all {
		if t := ls.table.Load(); t.linked {
			out = append(out, ls.failures(t)...)
		}
	}
	slices.SortStableFunc(out, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(a.Listener, b.Listener), b.Last.Compare(a.Last))
	})
	return out
}

// standing is where an entry stands.
type standing struct {
	entry    *entry
	position int
	canary   bool
}

// standings are those of the entries of t and of a canary beside it, by id.
func (t *table) standings() map[uint64]standing {
	all := map[uint64]standing{}
	add := func(t *table, canary bool) {
		for r := Role(0); r < roleCount; r++ {
			entries, _ := t.chainOf(r)
			for i, e := range entries {
				if _, known := all[e.id]; !known {
					all[e.id] = standing{e, i, canary}
				}
			}
		}
	}
	add(t, false)
	if t.trial != nil {
		add(t.trial.candidate, true)
	}
	return all
}

func (ls *listener) failures(t *table) (out []Failure) {
	where := t.standings()
	ls.ward.mu.Lock()
	for _, f := range ls.ward.failures {
		c := *f // what it points to does not change any more
		out = append(out, c)
	}
	ls.ward.mu.Unlock()
	for _, s := range where {
		if f := s.entry.alone(); f != nil {
			out = append(out, *f)
		}
	}
	for i := range out {
		f := &out[i]
		if s, ok := where[f.entry]; ok {
			f.Linked, f.Position, f.Canary = true, s.position, s.canary
		}
	}
	return out
}

// alone is the failure of questions for which e had no guest, nil if there were none.
func (e *entry) alone() *Failure {
	var n uint64
	var first, last int64
	for i := range e.seats {
		s := &e.seats[i]
		n += s.kinds[faultAbsent].Load()
		if at := s.alone[0].Load(); at != 0 && (first == 0 || at < first) {
			first = at
		}
		last = max(last, s.alone[1].Load())
	}
	if n == 0 {
		return nil
	}
	f := e.failure(errNoGuest, about{})
	f.Kind, f.Text, f.Count = FailureNoGuest, errNoGuest.Error(), n
	f.First, f.Last = time.UnixMilli(first), time.UnixMilli(last)
	return f
}
