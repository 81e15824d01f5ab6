package wasm

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names come from a binary: thousands of ten thousand bytes each.
const (
	nameBytesMax  = 256
	entryBytesMax = 4 << 10 // of a name with its types
	listBytesMax  = 64 << 10
)

// List is entries for people, with what stands between two: whole up to a bound, then how many more
// there are. What is no text is replaced: it goes to logs and terminals.
func List(entries []string, between string) string {
	var b strings.Builder
	for i, text := range entries {
		text = cut(text, entryBytesMax)
		if b.Len()+len(between)+len(text) > listBytesMax {
			return fmt.Sprintf("%s%sand %d more", b.String(), between, len(entries)-i)
		}
		if i > 0 {
			b.WriteString(between)
		}
		b.WriteString(text)
	}
	return b.String()
}

// cut is at most most bytes of s, and a mark where more was.
func cut(s string, most int) string {
	if len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s = s[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}
