package store

import (
	"bytes"
	"strings"
)

// walk finds the keys of retained messages that a filter matches without looking at all there are:
// behind a key that does not match it knows the first that may.
type walk struct {
	levels []string // without a "#" at the end
	open   bool     // the filter ends in "#"
	prefix []byte   // of all keys that may match
}

func newWalk(filter string) *walk {
	w := &walk{levels: strings.Split(filter, "/")}
	if n := len(w.levels); w.levels[n-1] == "#" {
		w.levels, w.open = w.levels[:n-1], true
	}
	w.prefix = []byte{kindRetained}
	for i, l := range w.levels {
		if l == "+" {
			break
		}
		if i > 0 {
			w.prefix = append(w.prefix, 0)
		}
		w.prefix = append(w.prefix, l...)
	}
	return w
}

func (w *walk) first() []byte { return w.prefix }

// end is behind all keys that start with the prefix.
func (w *walk) end() []byte {
	end := append([]byte(nil), w.prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			break
		}
	}
	return end
}

// wild is true if the filter begins with a wildcard: it does not match topics with $ in front
// [MQTT-4.7.2-1].
func (w *walk) wild() bool { return len(w.levels) == 0 || w.levels[0] == "+" }

// judge says whether a key matches. If not, next is the first key that may, nil if none does.
func (w *walk) judge(key []byte) (next []byte, match bool) {
	rest := key[1:]
	if w.wild() && len(rest) > 0 && rest[0] == '$' {
		return []byte{kindRetained, '$' + 1}, false
	}
	at := 1       // where the level begins
	wildEnd := -1 // where the last level that may be another ends
	for i, l := range w.levels {
		if at > len(key) { // too few levels: what is below may match
			return append(append([]byte(nil), key...), 0), false
		}
		end := len(key)
		if n := bytes.IndexByte(key[at:], 0); n >= 0 {
			end = at + n
		}
		level := key[at:end]
		if l == "+" {
			wildEnd = end
		} else if c := bytes.Compare(level, []byte(l)); c < 0 {
			return append(append([]byte(nil), key[:at]...), l...), false
		} else if c > 0 {
			return behind(key, wildEnd), false
		}
		if i == len(w.levels)-1 && !w.open && end < len(key) { // too many levels
			return behind(key, end), false
		}
		at = end + 1
	}
	return nil, true
}

// behind is the first key that is not at or below key[:end]; nil if there is none of interest.
func behind(key []byte, end int) []byte {
	if end < 0 {
		return nil
	}
	return append(append([]byte(nil), key[:end]...), 1)
}
