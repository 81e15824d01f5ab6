package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/trial"
)

// errDiffer says that two versions of a component answer otherwise.
var errDiffer = errors.New("the two versions differ")

// difference is a call that two versions answer otherwise.
type difference struct {
	Case string `json:"case"`
	Call int    `json:"call"`
	What string `json:"what"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// replayed is what a replay prints as JSON.
type replayed struct {
	Calls       int          `json:"calls"`
	Differences []difference `json:"differences"`
}

func (k *tested) runReplay(cmd *cobra.Command, args []string) error {
	all, err := cases.Load(k.replay)
	if err != nil {
		return usageError{err}
	}
	var answers [2][]trial.Outcome
	for i, file := range args {
		b, err := k.subject([]string{file})
		if err != nil {
			return err
		}
		if answers[i], err = k.hold(cmd, b, unanswered(all)); err != nil {
			return err
		}
	}
	return k.tellReplay(compareOutcomes(answers[0], answers[1]))
}

// unanswered are the cases with an answer to each call that no component gives, so that what is
// answered stands in the outcome.
func unanswered(all []cases.Case) []cases.Case {
	out := make([]cases.Case, 0, len(all))
	for _, c := range all {
		c.Calls = append([]cases.Call(nil), c.Calls...)
		c.Error, c.Inbound, c.Outbound = "", nil, nil
		for i := range c.Calls {
			c.Calls[i].Answer = json.RawMessage(`"?"`)
			c.Calls[i].Published = json.RawMessage(`"?"`)
		}
		out = append(out, c)
	}
	return out
}

// compareOutcomes holds what two versions answered against each other, call by call.
func compareOutcomes(old, new []trial.Outcome) replayed {
	r := replayed{Differences: []difference{}}
	for i := range old {
		r.Calls += max(old[i].Calls, new[i].Calls)
		a, b := old[i].Failures, new[i].Failures
		for j := range max(len(a), len(b)) {
			d := difference{Case: old[i].Name, Old: "not asked any more", New: "not asked any more"}
			if j < len(a) {
				d.Call, d.What, d.Old = a[j].Call, a[j].What, a[j].Got
			}
			if j < len(b) {
				d.Call, d.What, d.New = b[j].Call, b[j].What, b[j].Got
			}
			if d.Old != d.New {
				r.Differences = append(r.Differences, d)
			}
		}
	}
	return r
}

func (k *tested) tellReplay(r replayed) error {
	if k.json {
		if err := k.printJSON(r); err != nil {
			return err
		}
	} else if err := k.tellDifferences(r); err != nil {
		return err
	}
	if n := len(r.Differences); n > 0 {
		return fmt.Errorf("%w in %d answers", errDiffer, n)
	}
	return nil
}

func (k *tested) tellDifferences(r replayed) error {
	for _, d := range r.Differences {
		err := k.printf("%s call %d %s\n  old  %s\n  new  %s", d.Case, d.Call, printable(d.What),
			k.paint(red, printable(d.Old)), k.paint(green, printable(d.New)))
		if err != nil {
			return err
		}
	}
	return k.printf("%d calls, %d answers differ", r.Calls, len(r.Differences))
}
