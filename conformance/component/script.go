package component

import (
	"fmt"
	"strconv"
	"strings"
)

// Verdict is what must become of a component.
type Verdict string

// The verdicts, the last three named by the assertion they stand in.
const (
	Valid Verdict = "component"
	// Invalid breaks a rule of validation.
	Invalid Verdict = "assert_invalid"
	// Malformed is no component at all, byte by byte.
	Malformed Verdict = "assert_malformed"
	// Unserved is of the standard or a proposal, and we refuse it: an assertion of our own.
	Unserved Verdict = "assert_unserved"
)

// Case is one component of a script.
type Case struct {
	// Name is the comment above it, one in its script.
	Name    string
	Line    int
	Verdict Verdict
	// Text is the component.
	Text string
	// Rule is what the error says, among other things.
	Rule string
}

// Split reads a script: comments, components, and assertions of the form
// (assert_… (component …) "rule").
func Split(script string) ([]Case, error) {
	s := &scanner{text: script, line: 1}
	var cases []Case
	names := map[string]bool{}
	for s.next() {
		c, err := s.form()
		if err != nil {
			return nil, fmt.Errorf("component: line %d: %w", s.line, err)
		}
		if c.Name == "" || names[c.Name] {
			return nil, fmt.Errorf("component: line %d: a case needs a name of its own: %q", c.Line,
				c.Name)
		}
		names[c.Name] = true
		cases = append(cases, c)
	}
	return cases, nil
}

// scanner walks over a script. comment is the last one at the top.
type scanner struct {
	text    string
	at      int
	line    int
	comment string
}

// next goes to the next form.
func (s *scanner) next() bool {
	for s.at < len(s.text) {
		switch c := s.text[s.at]; {
		case strings.HasPrefix(s.text[s.at:], ";;"):
			s.comment = strings.TrimSpace(s.skip("\n")[2:])
		case c == '\n' || c == ' ':
			s.move(1)
		default:
			return true
		}
	}
	return false
}

func (s *scanner) move(n int) {
	s.line += strings.Count(s.text[s.at:s.at+n], "\n")
	s.at += n
}

// skip moves to before what, or to the end, and gives what it passed.
func (s *scanner) skip(what string) string {
	rest := s.text[s.at:]
	if i := strings.Index(rest, what); i >= 0 {
		rest = rest[:i]
	}
	s.move(len(rest))
	return rest
}

func (s *scanner) form() (Case, error) {
	c := Case{Name: s.comment, Line: s.line, Verdict: Valid}
	s.comment = ""
	text, err := s.list()
	if err != nil {
		return c, err
	}
	c.Text = text
	word := text[1:]
	if i := strings.IndexAny(word, " \n()"); i >= 0 {
		word = word[:i]
	}
	c.Verdict = Verdict(word)
	switch c.Verdict {
	case Valid:
		return c, nil
	case Invalid, Malformed, Unserved:
		return c, c.assertion(text[1+len(word) : len(text)-1])
	}
	return c, fmt.Errorf("%q is no case", word)
}

// assertion splits "(component …) "rule"".
func (c *Case) assertion(body string) error {
	s := &scanner{text: body, line: 1}
	if !s.next() {
		return fmt.Errorf("%s of nothing", c.Verdict)
	}
	text, err := s.list()
	if err != nil {
		return err
	}
	c.Text = text
	c.Rule, err = strconv.Unquote(strings.TrimSpace(s.text[s.at:]))
	if err != nil || c.Rule == "" || !strings.HasPrefix(text, "(component") {
		return fmt.Errorf("%s wants a component and a rule in quotes", c.Verdict)
	}
	return nil
}

// list takes one list in parentheses, and gives it as it stands.
func (s *scanner) list() (string, error) {
	start, depth := s.at, 0
	for s.at < len(s.text) {
		switch rest := s.text[s.at:]; {
		case strings.HasPrefix(rest, ";;"):
			s.skip("\n")
			continue
		case rest[0] == '"':
			if err := s.quoted(); err != nil {
				return "", err
			}
			continue
		case rest[0] == '(':
			depth++
		case rest[0] == ')':
			depth--
		}
		s.move(1)
		if depth <= 0 {
			break
		}
	}
	if text := s.text[start:s.at]; depth == 0 && strings.HasPrefix(text, "(") {
		return text, nil
	}
	return "", fmt.Errorf("a list is not closed, or none where one must be")
}

// quoted moves over a string.
func (s *scanner) quoted() error {
	for i := s.at + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case '"':
			s.move(i + 1 - s.at)
			return nil
		}
	}
	return fmt.Errorf("a string is not closed")
}
