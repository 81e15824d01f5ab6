package main

import (
	"context"
	"errors"
	"fmt"
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
			return hold(data, false, func() error { return s.storeCompact(cmd.Context(), data) })
		},
	}
	dataFlag(c, &data)
	return c
}

// compacted is what a compaction prints as JSON.
type compacted struct {
	Before int64 `json:"bytes_before"`
	After  int64 `json:"bytes_after"`
}

func (s *settings) storeCompact(ctx context.Context, data string) error {
	d, err := openStore(filepath.Join(data, storeFolder))
	if err != nil {
		return err
	}
	c := compacted{Before: d.DiskBytes()}
	err = d.Compact(ctx, func(done, of int) {
		if !s.json {
			_, _ = fmt.Fprintf(s.err, "compacting: %d of %d\n", done, of)
		}
	})
	c.After = d.DiskBytes()
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(c)
	}
	return s.printf("%s before, %s after", bytesText(int(c.Before)), bytesText(int(c.After)))
}
