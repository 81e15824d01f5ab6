package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/backup"
	"github.com/hpmq/hpmq/host/clone"
	"github.com/hpmq/hpmq/host/dump"
	"github.com/hpmq/hpmq/host/store"
	"github.com/hpmq/hpmq/host/zstd"
)

// importing is the flags of an import.
type importing struct {
	*settings
	data           string
	merge, replace bool
}

func newStoreImport(s *settings) *cobra.Command {
	i := importing{settings: s}
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Make a store of what store export wrote, all of it or nothing",
		Long: `Make a store of what store export wrote, all of it or nothing, in a data folder
that has none. With --replace what is in its store goes; with --merge it stays, but a session takes
the place of that of the same client, a retained message that of the same topic, and what a
component remembers that of the same key. The store is made beside the old one, checked, and put
in its place. - is standard input. The broker must not run.`,
		Example: "  hpmq-cli store import store.ndjson.zst --data /var/lib/hpmq\n" +
			"  hpmq-cli store import sessions.ndjson --merge --data /var/lib/hpmq",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return i.run(cmd.Context(), args[0])
		},
	}
	dataFlag(c, &i.data)
	c.Flags().BoolVar(&i.merge, "merge", false, "put it into the store that is there")
	c.Flags().BoolVar(&i.replace, "replace", false, "put it in the place of what is there")
	c.MarkFlagsMutuallyExclusive("merge", "replace")
	return c
}

func (i *importing) run(ctx context.Context, from string) error {
	in, err := i.open(from)
	if err != nil {
		return usageError{err}
	}
	defer func() { _ = in.Close() }() // it was read alone
	return hold(ctx, i.data, true, func() error {
		at := filepath.Join(i.data, storeFolder)
		_, err := os.Stat(at)
		if err == nil && !i.merge && !i.replace {
			return fmt.Errorf("%w: %s\nuse --merge, --replace, or another --data DIR",
				backup.ErrTaken, at)
		}
		if err == nil && i.merge {
			if err := clone.Tree(at, backup.Coming(i.data), store.Fixed, nil); err != nil {
				return err
			}
		}
		counts, err := i.fill(in)
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w\nnothing has changed", from, err),
				os.RemoveAll(backup.Coming(i.data)))
		}
		if err := backup.Replace(i.data); err != nil {
			return err
		}
		return i.tellCounts("imported from "+from, &counts)
	})
}

// open answers what is in a file.
func (i *importing) open(from string) (io.ReadCloser, error) {
	if from == "-" {
		return io.NopCloser(i.in), nil
	}
	f, err := os.Open(filepath.Clean(from))
	if err != nil || !strings.HasSuffix(from, packed) {
		return f, err
	}
	z, err := zstd.NewReader(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return reading{z, f}, nil
}

// reading is a compressed file.
type reading struct {
	io.ReadCloser
	file io.Closer
}

func (r reading) Close() error { return errors.Join(r.ReadCloser.Close(), r.file.Close()) }

// fill makes the store that is to come, and checks it.
func (i *importing) fill(in io.Reader) (c dump.Counts, err error) {
	defer i.busy("importing")()
	d, err := openStore(backup.Coming(i.data))
	if err != nil {
		return c, err
	}
	c, err = dump.Import(d, in)
	if err == nil {
		var rep store.CheckReport
		rep, err = d.Check()
		if err == nil && rep.FaultsFound > 0 {
			err = fmt.Errorf("what it says does not fit together: %s", rep.Faults[0])
		}
	}
	return c, errors.Join(err, d.Close())
}
