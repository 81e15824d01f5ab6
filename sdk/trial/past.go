package trial

import (
	"slices"

	"github.com/hpmq/hpmq/host/cap/lookback"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/topic"
)

// past is a message log in memory: it is lookback.Log. A nil list is that of a listener that is
// not logged.
type past struct{ list []lookback.Message }

// Logged lets the message log have these too; list is not kept. From then on the listener is
// logged, be the list empty.
func (t *Trial) Logged(list []cases.Logged) {
	p := &t.past
	p.list = append([]lookback.Message{}, p.list...)
	for i := range list {
		x := &list[i]
		m := lookback.Message{
			ID: uint64(len(p.list) + 1), Time: x.Time, Client: x.ClientID,
			Topic: string(x.Topic), Payload: slices.Clone([]byte(x.Payload)),
			PayloadSize: uint64(len(x.Payload)),
			Fate:        uint8(max(0, slices.Index(cases.Fates(), x.Fate))),
		}
		if m.Time == 0 {
			m.Time = t.now()
		}
		p.list = append(p.list, m)
	}
}

// LookBack is lookback.Log.
func (p *past) LookBack(q lookback.Question) (page lookback.Page, err error) {
	switch {
	case !topic.ValidFilter([]byte(q.Filter)):
		return page, lookback.ErrInvalidFilter
	case p.list == nil:
		return page, lookback.ErrNotLogged
	}
	page.Next = q.Cursor
	bytes := 0
	for i := range p.list {
		m := &p.list[i]
		if q.Newest {
			m = &p.list[len(p.list)-1-i]
		}
		behind := m.ID > q.Cursor
		if q.Newest {
			behind = q.Cursor == 0 || m.ID < q.Cursor
		}
		if !behind || m.Time < q.Since || q.Filter != "#" &&
			!topic.Match(q.Filter, []byte(m.Topic)) {
			continue
		}
		if len(page.Messages) == q.Max || bytes >= lookback.BytesMax {
			page.More = true
			break
		}
		bytes += len(m.Payload)
		page.Messages = append(page.Messages, *m)
		page.Next = m.ID
	}
	return page, nil
}
