package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hpmq/hpmq/conformance/mqtt/report"
)

// output is a report that is written to a file. It grows beside that file and takes its place when
// it is whole: a run that comes to nothing leaves the report of the one before.
type output struct {
	flag, name string
	write      func(*report.Report, io.Writer) error

	part *os.File
	goal string // what part becomes; empty: part is no regular file and keeps its name
	mode os.FileMode
}

// outputs opens the files that the flags name, before the run: a path that cannot be written is
// told at once. Close takes away what was not kept.
type outputs []*output

func (c *conformance) create() (outputs, error) {
	var open outputs
	for _, o := range []*output{
		{flag: "--report", name: c.jsonFile, write: (*report.Report).JSON},
		{flag: "--junit", name: c.junitFile, write: (*report.Report).JUnit},
		{flag: "--html", name: c.htmlFile, write: (*report.Report).HTML},
	} {
		if o.name == "" {
			continue
		}
		err := o.resolve()
		for _, other := range open {
			if err == nil && o.goal != "" && o.goal == other.goal {
				err = fmt.Errorf("%s writes to %s too; name a file for each", other.flag, o.goal)
			}
		}
		if err == nil && o.goal != "" {
			err = o.begin()
		}
		if err != nil {
			open.close()
			return nil, fmt.Errorf("%s: %w", o.flag, err)
		}
		open = append(open, o)
	}
	return open, nil
}

// resolve finds what is to be replaced. A link stays one: what it leads to is replaced. What is no
// regular file, as a pipe, is opened instead.
func (o *output) resolve() error {
	goal, err := filepath.EvalSymlinks(o.name)
	if errors.Is(err, os.ErrNotExist) {
		goal = o.name
		var folder string
		if folder, err = filepath.EvalSymlinks(filepath.Dir(o.name)); err == nil {
			goal = filepath.Join(folder, filepath.Base(o.name))
		}
	}
	if err == nil {
		goal, err = filepath.Abs(goal)
	}
	if err != nil {
		return err
	}
	o.goal, o.mode = goal, 0o666
	old, err := os.OpenFile(goal, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := old.Stat()
	if err == nil && !info.Mode().IsRegular() {
		o.part, o.goal = old, ""
		return nil
	}
	if err == nil {
		o.mode = info.Mode().Perm()
	}
	return errors.Join(err, old.Close())
}

func (o *output) begin() error {
	name := fmt.Sprintf("%s.%d.part", o.goal, os.Getpid())
	var err error
	o.part, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, o.mode)
	return err
}

// keep writes a report into each file.
func (all outputs) keep(r *report.Report) error {
	var failed []error
	for _, o := range all {
		if err := o.keep(r); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", o.flag, err))
		}
	}
	return errors.Join(failed...)
}

func (o *output) keep(r *report.Report) error {
	if err := o.write(r, o.part); err != nil {
		return err
	}
	if err := o.part.Close(); err != nil {
		return err
	}
	if o.goal == "" {
		return nil
	}
	return os.Rename(o.part.Name(), o.goal)
}

// close takes away what was not kept.
func (all outputs) close() {
	for _, o := range all {
		o.drop()
	}
}

func (o *output) drop() {
	_ = o.part.Close()
	if o.goal != "" {
		_ = os.Remove(o.part.Name()) // it is gone if it was kept
	}
}
