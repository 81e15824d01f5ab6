package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	mqttcases "github.com/hpmq/hpmq/conformance/mqtt"
	"github.com/hpmq/hpmq/conformance/mqtt/report"
	"github.com/hpmq/hpmq/conformance/mqtt/suite"
	"github.com/hpmq/hpmq/sdk/mqtt"
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
	start := time.Now()
	results, err := suite.Run(cmd.Context(), mqttcases.Cases(), c.opts)
	if err != nil {
		return err
	}
	r, err := report.New(c.target, start, time.Since(start), results)
	if err != nil {
		return err
	}
	if err := c.write(r, files); err != nil {
		return err
	}
	if r.Failed() > 0 {
		return fmt.Errorf("%w: %d runs of cases failed", errNotConforming, r.Failed())
	}
	return nil
}

// prepare reads the flags into options.
func (c *conformance) prepare() error {
	if c.opts.Parallel < 1 || c.opts.CaseTimeout <= 0 || c.opts.ExpectTimeout <= 0 {
		return errors.New("--parallel, --case-timeout and --timeout must be above 0")
	}
	if (c.tls.CertFile == "") != (c.tls.KeyFile == "") {
		return errors.New("--cert and --key go together")
	}
	c.opts.Versions = nil
	for _, text := range c.versions {
		known := []mqtt.Version{mqtt.V31, mqtt.V311, mqtt.V5}
		at := slices.IndexFunc(known, func(v mqtt.Version) bool {
			return v.String() == text || v == mqtt.V5 && text == "5"
		})
		if at < 0 {
			return fmt.Errorf("--versions: %q is none of 3.1, 3.1.1, 5.0", text)
		}
		c.opts.Versions = append(c.opts.Versions, known[at])
	}
	var err error
	if c.opts.Target, err = suite.ParseTarget(c.target, c.tls); err != nil {
		return err
	}
	c.opts.Extra = make(map[string]*suite.Target)
	for name, url := range c.extra {
		if !slices.Contains([]string{suite.Limited, suite.Guarded, suite.Enhanced}, name) {
			return fmt.Errorf("--extra: %q is none of limited, guarded, enhanced", name)
		}
		if c.opts.Extra[name], err = suite.ParseTarget(url, c.tls); err != nil {
			return err
		}
	}
	return nil
}

// outputs are the files to write. They are created before the run: a path that cannot be written is
// told at once.
type outputs struct{ json, junit, html *os.File }

func (c *conformance) create() (*outputs, error) {
	var o outputs
	for name, f := range map[string]**os.File{
		c.jsonFile: &o.json, c.junitFile: &o.junit, c.htmlFile: &o.html,
	} {
		if name == "" {
			continue
		}
		var err error
		if *f, err = os.Create(name); err != nil {
			o.close()
			return nil, err
		}
	}
	return &o, nil
}

func (o *outputs) close() {
	for _, f := range []*os.File{o.json, o.junit, o.html} {
		if f != nil {
			_ = f.Close()
		}
	}
}

func (c *conformance) write(r *report.Report, o *outputs) error {
	for _, out := range []struct {
		file  *os.File
		write func(io.Writer) error
	}{{o.json, r.JSON}, {o.junit, r.JUnit}, {o.html, r.HTML}} {
		if out.file == nil {
			continue
		}
		if err := out.write(out.file); err != nil {
			return err
		}
		if err := out.file.Close(); err != nil {
			return err
		}
	}
	if c.json {
		return r.JSON(c.out)
	}
	return r.Text(c.out, c.all)
}

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
	n, err := report.Compare(c.out, reports[0], reports[1])
	if err == nil && n > 0 {
		err = fmt.Errorf("the reports differ in %d places", n)
	}
	return err
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
