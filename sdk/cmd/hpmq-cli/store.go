package main

import (
	"errors"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/store"
)

func newStore(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "store",
		Short: "Look after what a broker that is not running keeps in its data folder",
	}
	c.AddCommand(newStoreCheck(s), newStoreStats(s), newStoreExport(s), newStoreImport(s),
		newStoreCompact(s), newStoreRestore(s), newStoreKV(s))
	return c
}

func newStoreCheck(s *settings) *cobra.Command {
	return storeCommand(s, &cobra.Command{
		Use:   "check",
		Short: "Look at every record of a store, and say what is wrong",
		Long: `Look at every record of a store, whether a broker can read it and whether all of it
fits together, and say what is wrong. The broker must not run: its journal is brought to the
database first, as at a start.`,
		Example: "  hpmq-cli store check --data /var/lib/hpmq",
	}, s.storeCheck)
}

func newStoreStats(s *settings) *cobra.Command {
	return storeCommand(s, &cobra.Command{
		Use:     "stats",
		Short:   "Count what a store holds",
		Example: "  hpmq-cli store stats --data /var/lib/hpmq",
	}, func(rep *store.CheckReport, err error) error {
		if errors.Is(err, store.ErrFaults) {
			err = nil // that is what check is for
		}
		return s.storeCheck(rep, err)
	})
}

// storeCommand reads a store and has show tell what was found.
func storeCommand(
	s *settings, c *cobra.Command, show func(*store.CheckReport, error) error,
) *cobra.Command {
	var data string
	c.Args = cobra.NoArgs
	dataFlag(c, &data)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return hold(cmd.Context(), data, false, func() error {
			end := s.busy("reading the store")
			rep, err := store.CheckWhole(filepath.Join(data, storeFolder))
			end()
			return show(&rep, err)
		})
	}
	return c
}

// storeCheck shows what was found, faults last.
func (s *settings) storeCheck(rep *store.CheckReport, err error) error {
	if err != nil && !errors.Is(err, store.ErrFaults) {
		return err
	}
	if s.json {
		return errors.Join(s.printJSON(rep), err)
	}
	row := func(name string, n int64) []string { return []string{name, strconv.FormatInt(n, 10)} }
	rows := [][]string{
		row("sessions", int64(rep.Sessions)), row("ended, being given out", int64(rep.Estates)),
		row("queued messages", int64(rep.Queued)),
		row("queued bytes", rep.QueuedBytes), row("in flight", int64(rep.InFlight)),
		row("received, not released", int64(rep.Received)),
		row("shared payloads", int64(rep.Shared)), row("shared bytes", rep.SharedBytes),
		row("retained messages", rep.Retained), row("retained bytes", rep.RetainedBytes),
		row("bytes on the device", rep.DiskBytes), row("journal bytes", rep.JournalBytes),
	}
	for _, f := range rep.Faults {
		rows = append(rows, []string{"fault", f})
	}
	return errors.Join(s.table([]string{"WHAT", "HOW MUCH"}, rows), err)
}
