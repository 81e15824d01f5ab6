// Package mqtt knows the normative statements of MQTT 3.1.1 and 5.0 that are about a server, and
// which case judges each. How a case talks to a broker is in suite, the cases are in connect,
// publish, subscribe and wire.
package mqtt

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/conformance/mqtt/connect"
	"github.com/hpmq/hpmq/conformance/mqtt/publish"
	"github.com/hpmq/hpmq/conformance/mqtt/subscribe"
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/conformance/mqtt/wire"
)

//go:embed statements.tsv
var statementsText string

//go:embed unobservable.tsv
var unobservableText string

// Statement is one normative statement.
type Statement struct {
	// ID is as "5.0/MQTT-3.1.0-2".
	ID string
	// Who it binds: server, client, both.
	Who string
	// Text is the statement in short words of our own.
	Text string
	// Cases are the names of those that judge it.
	Cases []string
	// Unobservable says why no client can see whether a server keeps it; empty if one can.
	Unobservable string
}

// Judged is true for a statement that a case must judge, or a reason must excuse.
func (s *Statement) Judged() bool { return s.Who != "client" }

// Cases are all cases of the suite.
func Cases() []suite.Case {
	return slices.Concat(connect.Cases(), publish.Cases(), subscribe.Cases(), wire.Cases())
}

// Statements are all statements in the order of the standards, with the cases that judge them. The
// error names what does not fit together.
func Statements(cases []suite.Case) ([]Statement, error) {
	all, at, err := parseStatements(statementsText)
	if err != nil {
		return nil, err
	}
	for line := range rows(unobservableText) {
		id, why, ok := strings.Cut(line, "\t")
		i, known := at[id]
		if !ok || !known {
			return nil, fmt.Errorf("mqtt: unobservable: %q: want the id of a statement, a tab, a "+
				"reason", line)
		}
		all[i].Unobservable = why
	}
	for i := range cases {
		for _, id := range strings.Fields(cases[i].Claims) {
			k, known := at[id]
			if !known {
				return nil, fmt.Errorf("mqtt: case %s claims %s, which is no statement",
					cases[i].Name, id)
			}
			all[k].Cases = append(all[k].Cases, cases[i].Name)
		}
	}
	return all, nil
}

func parseStatements(text string) ([]Statement, map[string]int, error) {
	var all []Statement
	at := make(map[string]int)
	for line := range rows(text) {
		cells := strings.Split(line, "\t")
		if len(cells) != 4 {
			return nil, nil, fmt.Errorf("mqtt: statements: %q: want version, id, who, text", line)
		}
		s := Statement{ID: cells[0] + "/" + cells[1], Who: cells[2], Text: cells[3]}
		if _, twice := at[s.ID]; twice {
			return nil, nil, fmt.Errorf("mqtt: statements: %s stands twice", s.ID)
		}
		at[s.ID] = len(all)
		all = append(all, s)
	}
	return all, at, nil
}

// rows are the lines that are not empty and no comments.
func rows(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			line = strings.TrimRight(line, "\r\n")
			if line != "" && line[0] != '#' && !yield(line) {
				return
			}
		}
	}
}
