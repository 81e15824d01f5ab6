// Package story tells what a broker must do as scripts that read like prose, and holds a broker to
// them. It knows MQTT packets as bytes with its own small encoder and decoder, so that it can lie
// on purpose and does not share a mistake with sdk/mqtt. It does not know what runs the broker:
// that is a Driver.
//
// A script is a list of lines. A line that starts with # is a comment. A line that starts at the
// left edge is a command. The indented lines below a command are all that comes out because of it,
// no more and no less, sorted by connection and in order of arrival within one:
//
//	connect a session-expiry=60
//	  a <- CONNACK success session-present=false
//	subscribe a 1 sensors/+/temp qos=1
//	  a <- SUBACK 1 granted-1
//	publish b sensors/x/temp "21" qos=1 id=7
//	  a <- PUBLISH sensors/x/temp "21" qos=1 id=1
//	  b <- PUBACK 7 success
//	advance 90s
//
// A command whose indented lines are missing must cause silence.
package story

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// indent starts every expected line.
const indent = "  "

// step is a command with what must come of it. A step without a command carries the comments and
// empty lines before the next one, so that a rewrite keeps them.
type step struct {
	line    int
	text    string
	command bool
	want    []string
}

// Story is a script that was read.
type Story struct {
	path  string
	steps []step
}

// Load reads the script in the file at path.
func Load(path string) (*Story, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("story: load: %w", err)
	}
	return Parse(path, b)
}

// Parse reads a script. path is only used to say where something went wrong.
func Parse(path string, text []byte) (*Story, error) {
	s := &Story{path: path}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, " \t")
		if err := s.add(i+1, line); err != nil {
			return nil, fmt.Errorf("story: parse: %s:%d: %w", path, i+1, err)
		}
	}
	return s, nil
}

func (s *Story) add(number int, line string) error {
	if !strings.HasPrefix(line, " ") {
		command := line != "" && line[0] != '#'
		s.steps = append(s.steps, step{line: number, text: line, command: command})
		return nil
	}
	if len(s.steps) == 0 || !s.steps[len(s.steps)-1].command {
		return errors.New("an expected line must follow its command")
	}
	last := &s.steps[len(s.steps)-1]
	last.want = append(last.want, strings.TrimSpace(line))
	return nil
}

// Run tells the story to a broker. It answers the script as it would have to read for the broker to
// be right, and an error that names every line where the two differ. An error that wraps
// ErrUnsupported means that this Driver cannot tell the story.
func (s *Story) Run(d Driver) ([]byte, error) {
	var out bytes.Buffer
	var errs []error
	t := newTeller(d)
	for _, st := range s.steps {
		fmt.Fprintln(&out, st.text)
		if !st.command {
			continue
		}
		got, err := t.tell(st.text)
		if err != nil {
			errs = append(errs, fmt.Errorf("story: run: %s:%d: %w", s.path, st.line, err))
			return nil, errors.Join(errs...)
		}
		for _, g := range got {
			fmt.Fprintln(&out, indent+g)
		}
		if !slices.Equal(got, st.want) {
			errs = append(errs, s.differ(st, got))
		}
	}
	return out.Bytes(), errors.Join(errs...)
}

func (s *Story) differ(st step, got []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: %s", s.path, st.line, st.text)
	for _, w := range st.want {
		if !slices.Contains(got, w) {
			fmt.Fprintf(&b, "\n    missing  %s", w)
		}
	}
	for _, g := range got {
		if !slices.Contains(st.want, g) {
			fmt.Fprintf(&b, "\n    too much %s", g)
		}
	}
	if b.Len() == 0 || !strings.Contains(b.String(), "\n") {
		fmt.Fprintf(&b, "\n    wanted\n      %s\n    got\n      %s",
			strings.Join(st.want, "\n      "), strings.Join(got, "\n      "))
	}
	return errors.New(b.String())
}
