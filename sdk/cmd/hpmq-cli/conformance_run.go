package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	mqttcases "github.com/hpmq/hpmq/conformance/mqtt"
	"github.com/hpmq/hpmq/conformance/mqtt/report"
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
)

func (c *conformance) run(cmd *cobra.Command, args []string) error {
	switch {
	case c.compare:
		return c.runCompare(args[0], args[1])
	case c.list:
		return c.runList()
	}
	if err := c.prepare(); err != nil {
		return usageError{err}
	}
	files, err := c.create()
	if err != nil {
		return usageError{err}
	}
	defer files.close()
	r, err := c.judge(cmd.Context())
	if err != nil {
		return err
	}
	err = files.keep(r)
	if told := c.tell(r); err == nil {
		err = told
	}
	if err != nil {
		return err
	}
	return c.verdict(cmd.Context(), r)
}

// judge runs the suite. There is a report of a run that was ended early, too.
func (c *conformance) judge(ctx context.Context) (*report.Report, error) {
	cases := mqttcases.Cases()
	total := suite.Plan(cases, c.opts)
	if total == 0 {
		return nil, usageError{fmt.Errorf("--only %s fits no case of MQTT %s; --list has the names",
			strings.Join(c.opts.Only, ","), strings.Join(c.versions, ", "))}
	}
	end := c.startProgress(total)
	var left warnings
	c.opts.Warn = left.add
	start := time.Now()
	results, err := suite.Run(ctx, cases, c.opts)
	took := time.Since(start)
	end()
	switch {
	case len(results) > 0:
	case ctx.Err() != nil:
		return nil, errInterrupted
	case err != nil:
		return nil, err
	}
	r, bad := report.New(c.target, start, took, results)
	if bad != nil {
		return nil, bad
	}
	r.Warnings = left.texts
	switch {
	case errors.Is(err, suite.ErrTimeLimit):
		r.Ended = fmt.Sprintf("--time-limit %v was over", c.opts.TimeLimit)
	case err != nil:
		r.Ended = errInterrupted.Error()
	}
	return r, nil
}

// warnings gathers what a run could not take away from a broker. It may be told from several
// goroutines.
type warnings struct {
	mu    sync.Mutex
	texts []string
	lost  int
}

// warningsMax bounds what is kept: a broker that refuses to forget does so for each case.
const warningsMax = 20

func (w *warnings) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.texts) < warningsMax {
		w.texts = append(w.texts, text)
		return
	}
	w.lost++
	w.texts[warningsMax-1] = fmt.Sprintf("and %d more like it", w.lost+1)
}

// tell prints the report.
func (c *conformance) tell(r *report.Report) error {
	if c.json {
		return r.JSON(c.out)
	}
	return r.Text(c.out, c.all)
}

// verdict is the error that makes the exit code.
func (c *conformance) verdict(ctx context.Context, r *report.Report) error {
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case r.Failed() > 0:
		return fmt.Errorf("%w: %d runs of cases failed", errNotConforming, r.Failed())
	case r.Ended != "":
		return fmt.Errorf("not all was judged: %s; give more time with --time-limit", r.Ended)
	case r.Errored() > 0:
		return fmt.Errorf("%d runs of cases came to no verdict: see the errors", r.Errored())
	}
	return nil
}
