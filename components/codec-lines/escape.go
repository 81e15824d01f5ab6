package lines

import "strings"

// Of the bytes of a topic or payload some cannot stand in a line as they are: they come as a
// backslash and a letter.
const (
	bare    = "\\\n\r "
	letters = `\nrs`
)

// plain is s with its escapes as the bytes they stand for. What is no escape stays.
func plain(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if k := strings.IndexByte(letters, s[i+1]); k >= 0 {
				b = append(b, bare[k])
				i++
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// appendEscaped appends s as it stands in a line; a space is one only in a payload.
func appendEscaped(dst []byte, s string, spaces bool) []byte {
	for i := range len(s) {
		k := strings.IndexByte(bare, s[i])
		if k < 0 || s[i] == ' ' && !spaces {
			dst = append(dst, s[i])
			continue
		}
		dst = append(dst, '\\', letters[k])
	}
	return dst
}
