package main

import (
	"fmt"
	"os"
	"strings"

	mqttcases "github.com/hpmq/hpmq/conformance/mqtt"
	"github.com/hpmq/hpmq/conformance/mqtt/report"
)

func (c *conformance) runCompare(left, right string) error {
	var reports [2]*report.Report
	for i, name := range []string{left, right} {
		f, err := os.Open(name)
		if err != nil {
			return usageError{err}
		}
		reports[i], err = report.Read(f)
		_ = f.Close()
		if err != nil {
			return usageError{fmt.Errorf("%s: %w", name, err)}
		}
	}
	diff := report.Compare(reports[0], reports[1])
	tell := diff.Text
	if c.json {
		tell = diff.JSON
	}
	if err := tell(c.out); err != nil {
		return err
	}
	if n := len(diff.Differences); n > 0 {
		return fmt.Errorf("the reports differ in %d places", n)
	}
	return nil
}

func (c *conformance) runList() error {
	all, err := mqttcases.Statements(mqttcases.Cases())
	if err != nil {
		return err
	}
	var rows [][]string
	for i := range all {
		s := &all[i]
		judged := strings.Join(s.Cases, " ")
		switch {
		case s.Unobservable != "":
			judged = "not observable: " + s.Unobservable
		case judged == "" && !s.Judged():
			judged = "binds clients alone"
		}
		rows = append(rows, []string{s.ID, s.Who, s.Text, judged})
	}
	return c.table([]string{"STATEMENT", "BINDS", "IN SHORT", "JUDGED BY"}, rows)
}
