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
	var force bool
	c := &cobra.Command{
		Use:   "export FILE",
		Short: "Write all that a store holds as text, a record a line",
		Long: `Write all that a store holds as text: a JSON object a line, described in
host/dump/FORMAT.md. A file whose name ends in .zst is compressed; - is standard output. The broker
must not run.`,
		Example: "  hpmq-cli store export store.ndjson.zst --data /var/lib/hpmq\n" +
			"  hpmq-cli store export - --data /var/lib/hpmq | grep '\"kind\":\"session\"'",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return hold(cmd.Context(), data, false, func() error {
				return s.storeExport(cmd.Context(), args[0], data, force)
			})
		},
	}
	dataFlag(c, &data)
	c.Flags().BoolVar(&force, "force", false, "replace the file if it is there")
	return c
}

func (s *settings) storeExport(
	ctx context.Context, to, data string, force bool,
) error {
	if to == "-" {
		_, err := s.exportTo(until{ctx, s.out}, data)
		return err
	}
	if _, err := os.Stat(to); err == nil && !force {
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
	counts, err := s.exportTo(until{ctx, out}, data)
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

func (s *settings) exportTo(w io.Writer, data string) (c dump.Counts, err error) {
	d, err := openStore(filepath.Join(data, storeFolder))
	if err != nil {
		return c, err
	}
	c, err = dump.Export(d, w, dump.Head{Program: "hpmq-cli " + ownVersion(), Now: time.Now()})
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
