package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newListenerChange(s *settings) *cobra.Command {
	var f listenerFlags
	c := &cobra.Command{
		Use:   "change NAME",
		Short: "Change a listener; its connections stay",
		Long: `Change a listener. Its connections stay, by the limits they came in by, but for
rates, which hold for all. Who comes from now on meets the new settings. A new address is opened
before the old one is closed. What no flag names stays as it is; --file replaces all settings.`,
		Example: `  hpmq-cli listener change lab --limit connections_max=500
  hpmq-cli listener change secure --certificate new.pem --key new.key
  hpmq-cli listener change secure --bind tls://:8884
  hpmq-cli listener change plant --file plant.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return s.listenerChange(c, args[0], &f)
		},
	}
	f.register(c)
	return c
}

func (s *settings) listenerChange(cmd *cobra.Command, name string, f *listenerFlags) error {
	text, err := f.text("")
	if err != nil {
		return err
	}
	if string(text) == "{}" {
		return usageError{errors.New("what is to change? See --help")}
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	change := c.ChangeListener
	if f.file != "" {
		change = c.PutListener
	}
	l, err := change(cmd.Context(), name, text)
	return s.listenerSet(&l, err, "is changed, on")
}

// addFile opens the listener of a file, under the name that was given, unless it is there already.
func (s *settings) addFile(
	cmd *cobra.Command, c *client.Client, name string,
) func(context.Context, []byte) (client.Listener, error) {
	return func(ctx context.Context, text []byte) (client.Listener, error) {
		var refused *client.Error
		switch _, err := c.Listener(cmd.Context(), name); {
		case err == nil:
			return client.Listener{}, usageError{errors.New("there is a listener " + name +
				" already: hpmq-cli listener change " + name + " --file …")}
		case !errors.As(err, &refused) || refused.Status != 404:
			return client.Listener{}, err
		}
		return c.PutListener(ctx, name, text)
	}
}
