package story

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Arg is one word of a command: key=value, a bare word (Key empty), or a flag word, which is a bare
// word too.
type Arg struct {
	Key   string
	Value string
	// Quoted is set for a value in quotes, which never is a flag word.
	Quoted bool
}

// Command is a line of a script, taken apart.
type Command struct {
	Verb string
	Args []Arg
}

// ParseCommand takes a line apart at its spaces. A value may be "quoted" as in Go, repeated with
// "x"*100, or bytes as 0x00ff.
func ParseCommand(line string) (*Command, error) {
	var words []Arg
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimLeft(rest, " ") {
		a, after, err := parseArg(rest)
		if err != nil {
			return nil, err
		}
		words, rest = append(words, a), after
	}
	if len(words) == 0 {
		return nil, errors.New("no command")
	}
	return &Command{Verb: words[0].Value, Args: words[1:]}, nil
}

func parseArg(s string) (Arg, string, error) {
	var a Arg
	if i := strings.IndexAny(s, " =\""); i > 0 && s[i] == '=' {
		a.Key, s = s[:i], s[i+1:]
	}
	if s == "" || s[0] != '"' {
		a.Value, s, _ = strings.Cut(s, " ")
		return a, s, nil
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return a, "", fmt.Errorf("%s: %w", s, err)
	}
	s = s[len(quoted):]
	a.Quoted = true
	if a.Value, err = strconv.Unquote(quoted); err != nil {
		return a, "", fmt.Errorf("%s: %w", quoted, err)
	}
	if !strings.HasPrefix(s, "*") {
		return a, s, nil
	}
	count, rest, _ := strings.Cut(s[1:], " ")
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > 1<<20 {
		return a, "", fmt.Errorf("%q is no count", count)
	}
	a.Value = strings.Repeat(a.Value, n)
	return a, rest, nil
}

// Pos answers the i-th argument that has no key.
func (c *Command) Pos(i int) (string, error) {
	for _, a := range c.Args {
		if a.Key != "" {
			continue
		}
		if i == 0 {
			return a.Value, nil
		}
		i--
	}
	return "", fmt.Errorf("%s: too few words", c.Verb)
}

// Get answers the last value of key; ok is false if there is none.
func (c *Command) Get(key string) (value string, ok bool) {
	for _, a := range c.Args {
		if a.Key == key {
			value, ok = a.Value, true
		}
	}
	return value, ok
}

// Flag says if the bare word stands in the command.
func (c *Command) Flag(word string) bool {
	for _, a := range c.Args {
		if a.Key == "" && !a.Quoted && a.Value == word {
			return true
		}
	}
	return false
}

// Number answers the number at key, or preset.
func (c *Command) Number(key string, preset uint64) (uint64, error) {
	v, ok := c.Get(key)
	if !ok {
		return preset, nil
	}
	n, err := number(v)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", key, err)
	}
	return n, nil
}

// Duration answers the i-th argument without a key as a duration.
func (c *Command) Duration(i int) (time.Duration, error) {
	v, err := c.Pos(i)
	if err != nil {
		return 0, err
	}
	return time.ParseDuration(v)
}

func number(s string) (uint64, error) {
	if s == "true" {
		return 1, nil
	}
	if s == "false" {
		return 0, nil
	}
	return strconv.ParseUint(s, 0, 64)
}
