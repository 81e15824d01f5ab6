// Package example knows which command lines stand in a text for people, and whether a tree of
// commands takes them. It does not know what they do, and is no shell: variables, substitutions and
// heredocs are words like others.
package example

import (
	"fmt"
	"strings"
)

// Lines answers the words behind the name of a program, for each of its command lines in text: an
// indented line that begins with it, or what follows |, && or ; there. A backslash at the end of a
// line goes on in the next.
func Lines(text, program string) ([][]string, error) {
	var all [][]string
	text = strings.ReplaceAll(text, "\\\n", " ")
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(line, " ") || !strings.HasPrefix(strings.TrimSpace(line), program) {
			continue
		}
		commands, err := split(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.TrimSpace(line), err)
		}
		for _, words := range commands {
			if len(words) > 0 && words[0] == program {
				all = append(all, words[1:])
			}
		}
	}
	return all, nil
}

// reader is what split knows.
type reader struct {
	commands [][]string
	words    []string
	word     []rune
	inWord   bool
	quote    rune // 0 outside
	// to is set behind > or <: the next word is a file.
	to bool
}

// split takes a line apart as a shell does, up to a comment.
func split(line string) ([][]string, error) {
	var r reader
	for _, c := range line {
		switch {
		case c == r.quote:
			r.quote = 0
		case r.quote != 0:
			r.word = append(r.word, c)
		case c == '\'' || c == '"':
			r.quote, r.inWord = c, true
		case c == '#' && !r.inWord:
			return append(r.commands, r.endWord()), nil
		default:
			r.plain(c)
		}
	}
	if r.quote != 0 {
		return nil, fmt.Errorf("%c is not closed", r.quote)
	}
	return append(r.commands, r.endWord()), nil
}

// plain takes what is not quoted.
func (r *reader) plain(c rune) {
	switch c {
	case ' ', '\t':
		r.endWord()
	case '|', ';', '&':
		r.commands = append(r.commands, r.endWord())
		r.words = nil
	case '>', '<':
		r.endWord()
		r.to = true
	default:
		r.word, r.inWord = append(r.word, c), true
	}
}

// endWord answers the words of the command so far.
func (r *reader) endWord() []string {
	if r.inWord && !r.to {
		r.words = append(r.words, string(r.word))
	}
	r.to = r.to && !r.inWord
	r.word, r.inWord = nil, false
	return r.words
}
