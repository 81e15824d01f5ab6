package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/host/store"
)

func newStoreKV(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "kv",
		Short: "See and drop what components made a broker remember",
	}
	c.AddCommand(newStoreKVList(s), newStoreKVDrop(s))
	return c
}

func newStoreKVList(s *settings) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "list",
		Short: "Count the keys of each component, and the topics of history of each listener",
		Long: `Count the keys that each component has in kv, and the topics that history has of each
listener, with the bytes of keys and values. The broker must not run.`,
		Example: "  hpmq-cli store kv list --data /var/lib/hpmq",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return hold(cmd.Context(), data, false, func() error { return s.storeKVList(data) })
		},
	}
	dataFlag(c, &data)
	return c
}

func (s *settings) storeKVList(data string) error {
	d, err := openStore(filepath.Join(data, storeFolder))
	if err != nil {
		return err
	}
	list, err := d.NoteSpaces()
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(append([]store.NoteSpace{}, list...))
	}
	rows := make([][]string, 0, len(list))
	for _, n := range list {
		rows = append(rows, []string{
			n.Kind, n.Name, strconv.FormatInt(n.Entries, 10), bytesText(int(n.Bytes)),
		})
	}
	return s.table([]string{"KIND", "NAME", "ENTRIES", "BYTES"}, rows)
}

func newStoreKVDrop(s *settings) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "drop COMPONENT",
		Short: "Forget all keys of a component",
		Long: `Forget all keys that a component has in kv, as one that begins anew. The name is that
of store kv list. History goes by itself with its listener. The broker must not run.`,
		Example: "  hpmq-cli store kv drop deduplicator-window --data /var/lib/hpmq",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return hold(cmd.Context(), data, false, func() error {
				return s.storeKVDrop(data, args[0])
			})
		},
	}
	dataFlag(c, &data)
	return c
}

// dropped is what a drop prints as JSON.
type dropped struct {
	Component string `json:"component"`
	Entries   int64  `json:"entries"`
}

func (s *settings) storeKVDrop(data, component string) error {
	d, err := openStore(filepath.Join(data, storeFolder))
	if err != nil {
		return err
	}
	n, err := dropKV(d, component)
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(dropped{component, n})
	}
	return s.printf("%s: %d keys dropped", component, n)
}

// dropKV answers how many keys there were.
func dropKV(d *store.Disk, component string) (int64, error) {
	list, err := d.NoteSpaces()
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(list, func(n store.NoteSpace) bool {
		return n.Kind == store.NoteKV.String() && n.Name == component
	})
	if i < 0 {
		return 0, usageError{fmt.Errorf("no component %q has keys here; store kv list names those "+
			"that have", component)}
	}
	return list[i].Entries, d.Load(func(l *store.Loader) error {
		return l.Forget(store.NoteKV, component)
	})
}
