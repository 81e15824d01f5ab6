package users

import (
	"encoding/hex"
	"errors"
	"strings"
)

// errSubject says how a subject is written.
var errSubject = errors.New("want the form of RFC 4514, the most specific first: CN=dev1,O=acme")

// subject is whom a certificate names.
type subject struct {
	// text is the same for every way to write one subject.
	text string
	// cn is the common name, empty unless there is exactly one.
	cn string
}

// parseSubject reads the text form of RFC 4514. Spaces around names and values, the case of names
// and how a value is escaped make no difference; the order does.
func parseSubject(s string) (subject, error) {
	var out subject
	var text strings.Builder
	names := 0
	for rest, end := s, byte(','); end != 0; {
		at := strings.IndexByte(rest, '=')
		if at < 0 {
			return out, errSubject
		}
		name := strings.ToUpper(strings.TrimSpace(rest[:at]))
		if name == "" || strings.ContainsAny(name, `,+;\"`) {
			return out, errSubject
		}
		var value string
		var err error
		if value, rest, end, err = cutValue(rest[at+1:]); err != nil {
			return out, err
		}
		text.WriteString(name + "=" + escape(value))
		if end != 0 {
			text.WriteByte(end)
		}
		if name == "CN" {
			out.cn = value
			names++
		}
	}
	if names != 1 {
		out.cn = ""
	}
	out.text = text.String()
	return out, nil
}

// cutValue takes a value from the start of s and answers it without its escapes, what follows its
// end, and the character that ended it, 0 for the end of s.
func cutValue(s string) (value, rest string, end byte, err error) {
	s = strings.TrimLeft(s, " ")
	var out []byte
	solid := 0 // as much of out is no trailing space
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == ',' || c == '+' || c == ';':
			if c == ';' { // of RFC 1779
				c = ','
			}
			return string(out[:solid]), s[i+1:], c, nil
		case c == '"' || c == 0:
			return "", "", 0, errSubject
		case c != '\\':
			out = append(out, c)
			if c != ' ' {
				solid = len(out)
			}
		default:
			b, n := unescape(s[i+1:])
			if n == 0 {
				return "", "", 0, errSubject
			}
			out, i = append(out, b), i+n
			solid = len(out)
		}
	}
	return string(out[:solid]), "", 0, nil
}

// unescape reads what follows a backslash and answers how many bytes it has, 0 for none.
func unescape(s string) (byte, int) {
	if len(s) >= 2 {
		if b, err := hex.DecodeString(s[:2]); err == nil {
			return b[0], 2
		}
	}
	if s == "" || !strings.ContainsRune(` ",+;<=>#\`, rune(s[0])) {
		return 0, 0
	}
	return s[0], 1
}

// escape marks what would end a value or vanish from it.
func escape(value string) string {
	var out strings.Builder
	for i := range len(value) {
		if value[i] == 0 {
			out.WriteString(`\00`)
			continue
		}
		edge := value[i] == ' ' && (i == 0 || i == len(value)-1)
		if edge || strings.IndexByte(`,+;"\`, value[i]) >= 0 {
			out.WriteByte('\\')
		}
		out.WriteByte(value[i])
	}
	return out.String()
}
