package tidy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Exception is one row of exceptions.txt: a finding that stays, and why.
type Exception struct {
	Check, Key string
	// Measure is the size that is let through; 0 for checks that do not measure.
	Measure int
	Reason  string
	line    int
}

// ParseExceptions reads exceptions: a row a line, `check | key | measure | reason`, `#` begins a
// comment, `-` stands for no measure.
func ParseExceptions(text string) ([]Exception, error) {
	var list []Exception
	var errs []error
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseException(line)
		if err != nil {
			errs = append(errs, fmt.Errorf("tidy: exceptions line %d: %w", i+1, err))
			continue
		}
		e.line = i + 1
		list = append(list, e)
	}
	return list, errors.Join(errs...)
}

func parseException(line string) (Exception, error) {
	cells := strings.Split(line, "|")
	if len(cells) != 4 {
		return Exception{}, fmt.Errorf("%d cells, want 4", len(cells))
	}
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	e := Exception{Check: cells[0], Key: cells[1], Reason: cells[3]}
	if len(strings.Fields(e.Reason)) < 3 {
		return e, errors.New("no reason")
	}
	if cells[2] == "-" {
		return e, nil
	}
	n, err := strconv.Atoi(cells[2])
	e.Measure = n
	return e, err
}

// Except takes out of findings what an exception lets through. What an exception no longer meets
// comes back as a finding of its own: the list can only get shorter and its numbers smaller.
func Except(findings []Finding, list []Exception) []Finding {
	var out []Finding
	worst := make([]int, len(list))
	met := make([]bool, len(list))
	for _, f := range findings {
		i := slices.IndexFunc(list, func(e Exception) bool {
			return e.Check == f.Check && e.Key == f.Key
		})
		if i < 0 {
			out = append(out, f)
			continue
		}
		met[i] = true
		worst[i] = max(worst[i], f.Measure)
		if f.Measure > list[i].Measure {
			f.Text += fmt.Sprintf("; the exception lets %d through", list[i].Measure)
			out = append(out, f)
		}
	}
	for i, e := range list {
		stale := Finding{Check: "exception", Key: e.Check + " " + e.Key,
			Pos: fmt.Sprintf("exceptions.txt:%d", e.line)}
		switch {
		case !met[i]:
			stale.Text = "nothing needs it any more; take it out"
		case worst[i] < e.Measure:
			stale.Text = fmt.Sprintf("write %d, it has shrunk from %d", worst[i], e.Measure)
		default:
			continue
		}
		out = append(out, stale)
	}
	return out
}
