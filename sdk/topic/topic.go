// Package topic knows topic names and topic filters as text, which name matches which filter, and
// two collections: Tree, filters to values, and Names, names to values. It does not know packets,
// UTF-8, sessions or messages, and nothing in it is safe for concurrent use.
//
// Levels are split at '/'; an empty level is a level like any other [MQTT-4.7.1-1]. Text is
// compared byte by byte, nothing is normalised [MQTT-4.7.3-4]. Clauses are those of MQTT 5.0.
package topic

import (
	"bytes"
	"strings"
)

// BytesMax is the most bytes of a name or filter [MQTT-4.7.3-3].
const BytesMax = 65535

// sharePrefix begins the filter of a shared subscription [MQTT-4.8.2-1].
const sharePrefix = "$share/"

// ValidName says whether b is a topic name: one byte at least [MQTT-4.7.3-1], BytesMax at most, no
// U+0000 [MQTT-4.7.3-2] and no wildcard [MQTT-4.7.0-1]. That b is UTF-8 is for the packet decoder.
func ValidName(b []byte) bool {
	if len(b) == 0 || len(b) > BytesMax {
		return false
	}
	for _, c := range b {
		if c == 0 || c == '+' || c == '#' {
			return false
		}
	}
	return true
}

// ValidFilter says whether b is a topic filter: as a name, but '#' may be the last level
// [MQTT-4.7.1-1] and '+' any level [MQTT-4.7.1-2], each alone in it. A filter with $share goes
// through SplitShare first.
func ValidFilter(b []byte) bool { return validFilter(b) }

func validFilter[T string | []byte](f T) bool {
	if len(f) == 0 || len(f) > BytesMax {
		return false
	}
	for i := 0; i < len(f); i++ {
		switch c := f[i]; {
		case c == 0:
			return false
		case c != '+' && c != '#':
			continue
		case i > 0 && f[i-1] != '/':
			return false
		case c == '#' && i+1 < len(f), c == '+' && i+1 < len(f) && f[i+1] != '/':
			return false
		}
	}
	return true
}

// SplitShare takes a filter "$share/group/rest" apart. shared is false for any other filter, which
// comes back as rest unchecked. ok is false for a shared filter whose group is empty [MQTT-4.8.2-1]
// or has a wildcard, or whose rest is no valid filter [MQTT-4.8.2-2].
func SplitShare(filter string) (group, rest string, shared, ok bool) {
	tail, shared := strings.CutPrefix(filter, sharePrefix)
	if !shared {
		return "", filter, false, true
	}
	group, rest, ok = strings.Cut(tail, "/")
	ok = ok && group != "" && !strings.ContainsAny(group, "+#") && validFilter(rest)
	return group, rest, true, ok
}

// Match says whether filter, valid and without $share, matches name. A wildcard at its start does
// not match names that start with '$' [MQTT-4.7.2-1]. For many filters use Tree.
func Match(filter string, name []byte) bool {
	if len(name) > 0 && name[0] == '$' && filter != "" && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	for {
		want, filterRest, filterMore := strings.Cut(filter, "/")
		if want == "#" {
			return true
		}
		level, nameRest, nameMore := bytes.Cut(name, []byte{'/'})
		if want != "+" && want != string(level) {
			return false
		}
		if !nameMore { // "a/#" matches "a" too
			return !filterMore || filterRest == "#"
		}
		if !filterMore {
			return false
		}
		filter, name = filterRest, nameRest
	}
}

// Levels is the number of levels of a name or filter, 1 at least.
func Levels(b []byte) int { return bytes.Count(b, []byte{'/'}) + 1 }
