package settings

import "strings"

// PlainWant says what Plain wants of a name.
const PlainWant = "a field name must not be empty or have quotes, backslashes or control characters"

// Plain reports whether a field name has one spelling in JSON only, so that it can be compared as
// it stands in a message.
func Plain(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return r < ' ' || r == '"' || r == '\\'
	}) < 0
}
