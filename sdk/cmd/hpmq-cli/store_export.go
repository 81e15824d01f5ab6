package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/dump"
	"github.com/hpmq/hpmq/host/zstd"
)

// packed is how the names of files end that are compressed.
const packed = ".zst"

func newStoreExport(s *settings) *cobra.Command {
	var data string
	var x exporting
	c := &cobra.Command{
		Use:   "export FILE",
		Short: "Write all that a store holds as text, a record a line",
		Long: `Write all that a store holds as text: a JSON object a line, described in
host/dump/FORMAT.md. A file whose name ends in .zst is compressed; - is standard output. With
--skip-damaged what cannot be read any more is left out, and named on standard error: store import
--replace then makes a whole store of the rest. The broker must not run.`,
		Example: "  hpmq-cli store export store.ndjson.zst --data /var/lib/hpmq\n" +
			"  hpmq-cli store export - --data /var/lib/hpmq | grep '\"kind\":\"session\"'",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return hold(cmd.Context(), data, false, func() error {
				return s.storeExport(cmd.Context(), args[0], data, x)
			})
		},
	}
	dataFlag(c, &data)
	c.Flags().BoolVar(&x.force, "force", false, "replace the file if it is there")
	c.Flags().BoolVar(&x.skip, "skip-damaged", false, "leave out what cannot be read, and name it")
	return c
}

// exporting is the flags of an export.
type exporting struct{ force, skip bool }

func (s *settings) storeExport(
	ctx context.Context, to, data string, x exporting,
) error {
	if to == "-" {
		_, err := s.exportTo(until{ctx, s.out}, data, x.skip)
		return err
	}
	if _, err := os.Stat(to); err == nil && !x.force {
		return usageError{fmt.Errorf("%s is there already; name another file, or replace it with "+
			"--force", to)}
	}
	f, err := os.CreateTemp(filepath.Dir(to), ".export-*")
	if err != nil {
		return usageError{err}
	}
	defer func() { _ = os.Remove(f.Name()) }() // if it has not its name by then
	out := io.WriteCloser(f)
	if strings.HasSuffix(to, packed) {
		if out, err = zstd.NewWriter(f); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	end := s.busy("exporting")
	counts, err := s.exportTo(until{ctx, out}, data, x.skip)
	end()
	if out != io.WriteCloser(f) {
		err = errors.Join(err, out.Close())
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), to); err != nil {
		return err
	}
	return s.tellCounts("exported to "+to, &counts)
}

func (s *settings) exportTo(w io.Writer, data string, skip bool) (c dump.Counts, err error) {
	dir, head := filepath.Join(data, storeFolder), dump.Head{
		Program: "hpmq-cli " + ownVersion(), Now: time.Now(),
	}
	if !skip {
		d, err := openStore(dir)
		if err != nil {
			return c, err
		}
		c, err = dump.Export(d, w, head)
		return c, errors.Join(err, d.Close())
	}
	places := 0
	left := func(err error) {
		places++
		_, _ = fmt.Fprintf(s.err, "left out: %v\n", err)
	}
	d, err := openWith(dir, func(err error) { _, _ = fmt.Fprintf(s.err, "%v\n", err) })
	if err != nil {
		return c, err
	}
	c, err = dump.ExportLeft(d, w, head, left)
	_, _ = fmt.Fprintf(s.err, "%d places were left out\n", places)
	return c, errors.Join(err, d.Close())
}

// until takes nothing more when ctx ended.
type until struct {
	ctx context.Context
	out io.Writer
}

func (u until) Write(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.out.Write(b)
}

func (s *settings) tellCounts(what string, c *dump.Counts) error {
	if s.json {
		return s.printJSON(c)
	}
	return s.printf("%s: %d sessions, %d queued messages, %d shared payloads, %d in flight, "+
		"%d received, %d retained, %d keys and %d last payloads of components", what, c.Sessions,
		c.Queued, c.Payloads, c.Flights, c.Received, c.Retained, c.KV, c.History)
}
