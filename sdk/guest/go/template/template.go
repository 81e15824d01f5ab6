// Package template makes topic names of other topic names: "site/{2}/{3-}/{.room}" is text, level
// 2, all levels from 3, and a value that the caller knows by name. It knows what may be part of a
// topic name, not where the values come from.
package template

import (
	"strconv"
	"strings"
)

// nameBytesMax is the length of the longest topic name [MQTT-4.7.3-3].
const nameBytesMax = 65535

// Template is a parsed template.
type Template []piece

// piece is text, or with level set that level (1 is the first), with rest all from there, or a
// value.
type piece struct {
	text  string
	level int
	rest  bool
	value string
}

// Values has the values of a template.
type Values interface {
	Value(name string) (string, bool)
}

// Parse reads a template; the second answer is what is wrong with it, or "".
func Parse(s string) (Template, string) {
	var list Template
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
			return nil, "has a { } that is none of {1}, {1-}, {.name}"
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
		return piece{value: name}, name != ""
	}
	digits, rest := strings.CutSuffix(s, "-")
	n, err := strconv.Atoi(digits)
	return piece{level: n, rest: rest}, err == nil && n > 0
}

// UsesValues reports whether a value is part of the template.
func (t Template) UsesValues() bool {
	for i := range t {
		if t[i].value != "" {
			return true
		}
	}
	return false
}

// Append makes the name of topic and values (nil if the template uses none). False says that it
// cannot be made: a level or value is not there, or would be more than one level, a wildcard or
// nothing.
func (t Template) Append(dst []byte, topic string, values Values) ([]byte, bool) {
	start := len(dst)
	for i := range t {
		text, ok := t[i].find(topic, values)
		if !ok {
			return dst[:start], false
		}
		dst = append(dst, text...)
	}
	size := len(dst) - start
	return dst, size > 0 && size <= nameBytesMax
}

func (p *piece) find(topic string, values Values) (string, bool) {
	switch {
	case p.level > 0:
		return levels(topic, p.level, p.rest)
	case p.value != "":
		v, ok := values.Value(p.value)
		return v, ok && v != "" && !strings.ContainsAny(v, "/+#\x00")
	default:
		return p.text, true
	}
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
