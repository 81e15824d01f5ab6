package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newListenerShow(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:     "show NAME",
		Short:   "Show a listener, its certificates and its settings",
		Example: "  hpmq-cli listener show secure",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.client()
			if err != nil {
				return err
			}
			l, err := api.Listener(c.Context(), args[0])
			if err != nil {
				return err
			}
			if s.json {
				return s.printJSON(l)
			}
			return s.listenerShow(&l)
		},
	}
}

func (s *settings) listenerShow(l *client.Listener) error {
	rows := [][]string{
		{"bind", l.Bind}, {"state", l.State}, {"connections", fmt.Sprint(l.Connections)},
		{"accepted", fmt.Sprint(l.Accepted)}, {"refused", fmt.Sprint(l.Refused)},
		{"handshakes", fmt.Sprintf("%d under way, %d failed", l.Handshakes, l.HandshakesFailed)},
		{"paused by rates", fmt.Sprintf("%d now, %d times", l.Paused, l.PausedTotal)},
	}
	rows = append(rows, flat("", l.Settings)...)
	if err := s.table([]string{"LISTENER", l.Name}, rows); err != nil {
		return err
	}
	return s.certificates(l.Certificates, l.Warnings)
}

// flat is settings a row each, without what stands above already.
func flat(path string, doc map[string]any) [][]string {
	var rows [][]string
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		switch v := doc[key].(type) {
		case map[string]any:
			rows = append(rows, flat(path+key+".", v)...)
		default:
			if path == "" && (key == "name" || key == "bind") {
				continue
			}
			rows = append(rows, []string{path + key, plain(v)})
		}
	}
	return rows
}

func plain(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// certificates prints those in use, and what is to be done about them.
func (s *settings) certificates(cs []client.Certificate, warnings []string) error {
	if len(cs) == 0 {
		return nil
	}
	rows := make([][]string, len(cs))
	for i, c := range cs {
		rows[i] = []string{
			c.Subject, strings.Join(c.Names, ","), c.NotAfter.UTC().Format(time.DateTime), c.File,
		}
	}
	if err := s.table([]string{"CERTIFICATE", "FOR", "NOT AFTER (UTC)", "FILE"}, rows); err != nil {
		return err
	}
	for _, w := range warnings {
		if err := s.printf("warning: %s", printable(w)); err != nil {
			return err
		}
	}
	return nil
}
