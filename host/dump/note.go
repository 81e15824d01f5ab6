package dump

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/lite/broker"
)

// noteLine writes what a component made the broker remember.
func noteLine(n *store.Note) (*line, error) {
	if !utf8.ValidString(n.Space) || !utf8.ValidString(n.Key) {
		return nil, fmt.Errorf("%w: %s %q of %q is not UTF-8", ErrRecord, n.Kind, n.Key, n.Space)
	}
	x := &line{Kind: kindKV, Component: n.Space, Expire: int64(n.Expire), TTL: n.TTL}
	if n.Kind == store.NoteHistory {
		x.Kind, x.Component, x.Listener, x.Topic = kindHistory, "", n.Space, n.Key
	} else {
		x.Key = &n.Key
	}
	switch {
	case n.Counter:
		x.Counter = &n.N
	case utf8.Valid(n.Value):
		text := string(n.Value)
		x.Value = &text
	default:
		x.Base64 = bytes.Clone(n.Value)
	}
	return x, nil
}

// note is what noteLine wrote.
func (x *line) note() (store.Note, error) {
	n := store.Note{
		Kind: store.NoteKV, Space: x.Component, Expire: broker.Time(x.Expire), TTL: x.TTL,
	}
	if x.Kind == kindHistory {
		n.Kind, n.Space, n.Key = store.NoteHistory, x.Listener, x.Topic
	}
	if x.Key != nil {
		n.Key = *x.Key
	}
	values := 0
	if x.Counter != nil {
		n.Counter, n.N = true, *x.Counter
		values++
	}
	if x.Value != nil {
		n.Value = []byte(*x.Value)
		values++
	}
	if x.Base64 != nil {
		n.Value = x.Base64
		values++
	}
	switch {
	case n.Space == "":
		return n, fmt.Errorf("%w: no component, or listener", ErrRecord)
	case (x.Kind == kindKV) != (x.Key != nil) || x.Kind == kindHistory && x.Topic == "":
		return n, fmt.Errorf("%w: a key of kv, a topic of history", ErrRecord)
	case values != 1 || n.Counter && x.Kind == kindHistory:
		return n, fmt.Errorf("%w: a counter, value or value_base64", ErrRecord)
	}
	return n, nil
}
