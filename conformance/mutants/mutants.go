// Package mutants knows a broker with faults: this one, with a table of small changes put into its
// source when it is built, each switched on by name. It shows that the conformance suite catches a
// broker that breaks a statement.
//
// The sources in the tree know nothing of it: the changed files are handed to the compiler in their
// place.
package mutants

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mutant is one fault.
type Mutant struct {
	Name string
	// Breaks are ids of statements, as 5.0/MQTT-3.1.0-2.
	Breaks  []string
	Changes []Change
}

// Change puts New in the place of Old, which stands once in File.
type Change struct{ File, Old, New string }

// Parse reads a table of mutants; mutants.txt says how it is written.
func Parse(text string) ([]Mutant, error) {
	var all []Mutant
	p := parser{}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(line, &all); err != nil {
			return nil, fmt.Errorf("mutants: line %d: %w", i+1, err)
		}
	}
	return all, check(all)
}

// parser is where in the table a line stands.
type parser struct {
	file string
	old  bool // the line before was one of Old
}

func (p *parser) line(line string, all *[]Mutant) error {
	word, rest, _ := strings.Cut(line, " ")
	last := len(*all) - 1
	wasOld := p.old
	p.old = false
	switch {
	case line == "" || word == "#":
		return nil
	case word == "==":
		*all = append(*all, Mutant{Name: rest})
		p.file = ""
		return nil
	case last < 0:
		return errors.New("before the first ==")
	}
	m := &(*all)[last]
	switch word {
	case "breaks":
		m.Breaks = strings.Fields(rest)
	case "in":
		p.file = rest
	case "<":
		if !wasOld {
			m.Changes = append(m.Changes, Change{File: p.file})
		}
		p.old = true
		m.Changes[len(m.Changes)-1].Old += rest + "\n"
	case ">":
		if len(m.Changes) == 0 {
			return errors.New("> before <")
		}
		m.Changes[len(m.Changes)-1].New += rest + "\n"
	default:
		return fmt.Errorf("%q is none of ==, breaks, in, <, >", word)
	}
	return nil
}

// check says what is missing.
func check(all []Mutant) error {
	var names []string
	for i := range all {
		m := &all[i]
		if slices.Contains(names, m.Name) {
			return fmt.Errorf("mutants: %s stands twice", m.Name)
		}
		names = append(names, m.Name)
		named := false
		for _, c := range m.Changes {
			named = named || strings.Contains(c.New, `faulty("`+m.Name+`")`)
			if c.File == "" || c.Old == "" || c.New == "" {
				return fmt.Errorf("mutants: %s: a change without file, < or >", m.Name)
			}
		}
		if len(m.Breaks) == 0 || !named {
			return fmt.Errorf("mutants: %s: breaks nothing, or is never switched on", m.Name)
		}
	}
	return nil
}
