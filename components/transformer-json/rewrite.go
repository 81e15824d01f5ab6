package transform

import (
	"strings"

	"github.com/hpmq/hpmq/sdk/guest/go/fields"
	"github.com/hpmq/hpmq/sdk/guest/go/template"
)

// rewrite makes the topic anew of text, levels of the topic so far, and fields.
type rewrite template.Template

func (s rewrite) apply(w *work) bool {
	// The topic so far may stand in topicText itself: the new one goes behind it.
	start := len(w.topicText)
	var ok bool
	w.topicText, ok = template.Template(s).Append(w.topicText, w.topic, w)
	if ok {
		w.topic = text(w.topicText[start:])
	}
	return ok
}

// Value is a field as one level of a topic: a string, a number or a truth value. A string with an
// escape is none.
func (w *work) Value(name string) (string, bool) {
	i := fields.Find(w.fields, name)
	if i < 0 {
		return "", false
	}
	v := w.fields[i].Value
	switch v[0] {
	case '{', '[', 'n':
		return "", false
	case '"':
		v = v[1 : len(v)-1]
	}
	return v, strings.IndexByte(v, '\\') < 0
}
