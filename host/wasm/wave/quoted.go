package wave

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// quoted takes a string or char.
func (p *parser) quoted(quote byte) (string, error) {
	if err := p.must(string(quote)); err != nil {
		return "", err
	}
	var out []byte
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == quote:
			p.at++
			return string(out), nil
		case c == '\n':
			return "", p.fail("a line ends within quotes: write \\n")
		case c == '\\':
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		default:
			r, size := utf8.DecodeRuneInString(p.text[p.at:])
			if r == utf8.RuneError && size == 1 {
				return "", p.fail("this is not valid UTF-8")
			}
			out = append(out, p.text[p.at:p.at+size]...)
			p.at += size
		}
	}
	return "", p.fail("the quotes are not closed")
}

func (p *parser) escape() (rune, error) {
	rest := p.text[p.at+1:]
	if rest == "" {
		return 0, p.fail("the quotes are not closed")
	}
	if i := strings.IndexByte(`'"\tnr`, rest[0]); i >= 0 {
		p.at += 2
		return rune("'\"\\\t\n\r"[i]), nil
	}
	digits, _, closed := strings.Cut(strings.TrimPrefix(rest, "u{"), "}")
	n, err := strconv.ParseUint(digits, 16, 32)
	if !strings.HasPrefix(rest, "u{") || !closed || err != nil || !utf8.ValidRune(rune(n)) {
		return 0, p.fail(`this is no escape: there are \t \n \r \' \" \\ and \u{1f600}`)
	}
	p.at += len(`\u{}`) + len(digits)
	return rune(n), nil
}
