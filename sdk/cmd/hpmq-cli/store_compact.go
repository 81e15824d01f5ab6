package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"
)

func newStoreCompact(s *settings) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "compact",
		Short: "Write a store anew without what was removed, so that it takes less room",
		Long: `Write a store anew without what was removed. A running broker does so by itself, in
its own time; this is for a folder that is to be copied. The broker must not run.`,
		Example: "  hpmq-cli store compact --data /var/lib/hpmq",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return hold(cmd.Context(), data, false, func() error {
				return s.storeCompact(cmd.Context(), data)
			})
		},
	}
	dataFlag(c, &data)
	return c
}

// folderBytes is the size of all files below dir.
func folderBytes(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	return n, err
}

// compacted is what a compaction prints as JSON.
type compacted struct {
	Before int64 `json:"bytes_before"`
	After  int64 `json:"bytes_after"`
}

func (s *settings) storeCompact(ctx context.Context, data string) error {
	dir := filepath.Join(data, storeFolder)
	var c compacted
	var err error
	if c.Before, err = folderBytes(dir); err != nil {
		return err
	}
	d, err := openStore(dir)
	if err != nil {
		return err
	}
	err = d.Compact(ctx, func(done, of int) {
		if !s.json {
			_, _ = fmt.Fprintf(s.err, "compacting: %d of %d\n", done, of)
		}
	})
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	if c.After, err = folderBytes(dir); err != nil { // what was replaced goes with Close
		return err
	}
	if s.json {
		return s.printJSON(c)
	}
	return s.printf("%s before, %s after", bytesText(int(c.Before)), bytesText(int(c.After)))
}
