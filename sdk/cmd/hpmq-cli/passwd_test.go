package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestTypedPasswordDoesNotShow(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		says  string
	}{
		"same":    {[]string{"secret", "secret"}, ""},
		"another": {[]string{"secret", "Secret"}, "not the same"},
		"none":    {[]string{"", ""}, "no password"},
		"end":     {[]string{"secret"}, "end of input"},
	} {
		var screen bytes.Buffer
		s := &settings{streams: streams{err: &screen}}
		p, err := s.typePassword(func() ([]byte, error) {
			if len(c.lines) == 0 {
				return nil, errors.New("end of input")
			}
			line := c.lines[0]
			c.lines = c.lines[1:]
			return []byte(line), nil
		})
		if c.says == "" && (err != nil || p != "secret") ||
			c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %q, %v", name, p, err)
		}
		if strings.Contains(screen.String(), "secret") {
			t.Errorf("%s: it shows: %s", name, &screen)
		}
	}
}
