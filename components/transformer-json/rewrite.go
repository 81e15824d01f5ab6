package transform

import (
	"strconv"
	"strings"

	"github.com/hpmq/hpmq/sdk/guest/go/fields"
	"github.com/hpmq/hpmq/sdk/topic"
)

// rewrite makes the topic anew of text, levels of the topic so far, and fields.
type rewrite []piece

// piece is text, or with level set that level (1 is the first), with rest all from there, or a field.
type piece struct {
	text  string
	level int
	rest  bool
	field string
}

func (s rewrite) apply(w *work) bool {
	// The topic so far may stand in topicText itself: the new one goes behind it.
	start := len(w.topicText)
	made := w.topicText
	for i := range s {
		p := &s[i]
		switch {
		case p.level > 0:
			level, ok := levels(w.topic, p.level, p.rest)
			if !ok {
				return false
			}
			made = append(made, level...)
		case p.field != "":
			value, ok := w.label(p.field)
			if !ok {
				return false
			}
			made = append(made, value...)
		default:
			made = append(made, p.text...)
		}
	}
	w.topicText = made
	w.topic = text(made[start:])
	return topic.ValidName(made[start:])
}

// label is a field as one level of a topic: a string, a number or a truth value. What would be
// more than one level, a wildcard, or nothing at all is not one; a string with an escape neither.
func (w *work) label(name string) (string, bool) {
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
	return v, v != "" && !strings.ContainsAny(v, "/+#\\\x00")
}

// levels is level n of name, counted from 1, and with rest all that follows too.
func levels(name string, n int, rest bool) (string, bool) {
	for ; n > 1; n-- {
		var more bool
		if _, name, more = strings.Cut(name, "/"); !more {
			return "", false
		}
	}
	if !rest {
		name, _, _ = strings.Cut(name, "/")
	}
	return name, true
}

// parseRewrite reads a template; the second answer is what is wrong with it, or "".
func parseRewrite(s string) (rewrite, string) {
	var list rewrite
	for s != "" {
		before, after, found := strings.Cut(s, "{")
		if strings.ContainsAny(before, "+#}\x00") {
			return nil, "has a wildcard or a lone }"
		}
		if before != "" {
			list = append(list, piece{text: before})
		}
		if !found {
			break
		}
		inner, rest, closed := strings.Cut(after, "}")
		p, ok := parsePiece(inner)
		if !closed || !ok {
			return nil, "has a { } that is none of {1}, {1-}, {.field}"
		}
		list = append(list, p)
		s = rest
	}
	if len(list) == 0 {
		return nil, "is empty"
	}
	return list, ""
}

func parsePiece(s string) (piece, bool) {
	if name, ok := strings.CutPrefix(s, "."); ok {
		return piece{field: name}, name != ""
	}
	digits, rest := strings.CutSuffix(s, "-")
	n, err := strconv.Atoi(digits)
	return piece{level: n, rest: rest}, err == nil && n > 0
}

// usesFields reports whether a field is part of the topic.
func (s rewrite) usesFields() bool {
	for i := range s {
		if s[i].field != "" {
			return true
		}
	}
	return false
}
