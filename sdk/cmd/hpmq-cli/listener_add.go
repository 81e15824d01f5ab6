package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/client"
)

func newListenerAdd(s *settings) *cobra.Command {
	var f listenerFlags
	c := &cobra.Command{
		Use:   "add NAME [URL]",
		Short: "Open a listener",
		Long: `Open a listener, by default with the default components and the limits of the
configuration. Certificate files are on the machine of the broker; relative paths are taken from
here.`,
		Example: `  hpmq-cli listener add lab tcp://127.0.0.1:1884
  hpmq-cli listener add secure --bind tls://:8883 --certificate server.pem --key server.key
  hpmq-cli listener add devices --bind tls://:8884 --certificate server.pem --key server.key \
    --client-ca ca.pem --limit connections_max=5000 --limit bytes_in_per_second=64KiB
  hpmq-cli listener add web --bind ws://:8080 --ws-path /mqtt --ws-origin https://a.example
  hpmq-cli listener add plant --file plant.yaml`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 2 {
				f.bind = args[1]
			}
			return s.listenerAdd(c, args[0], &f)
		},
	}
	f.register(c)
	return c
}

func (s *settings) listenerAdd(cmd *cobra.Command, name string, f *listenerFlags) error {
	if f.bind == "" && f.file == "" {
		return usageError{errors.New("where is it to listen? --bind tcp://127.0.0.1:1884")}
	}
	text, err := f.text(name)
	if err != nil {
		return err
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	add := c.AddListener
	if f.file != "" {
		add = s.addFile(cmd, c, name)
	}
	added, err := add(cmd.Context(), text)
	return s.listenerSet(&added, err, "listens on")
}

// listenerSet prints what became of a listener.
func (s *settings) listenerSet(l *client.Listener, err error, verb string) error {
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(l)
	}
	for _, w := range l.Warnings {
		if err := s.printf("warning: %s", printable(w)); err != nil {
			return err
		}
	}
	return s.printf("%s %s %s", printable(l.Name), verb, l.Bind)
}
