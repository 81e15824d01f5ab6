package main

import "github.com/spf13/cobra"

func newListenerReload(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "reload-certificates NAME",
		Short: "Read the certificate files of a listener again",
		Long: `Read the certificate files of a listener again. Nobody is disconnected: the next
handshake takes the new ones. If a file is no good, the old ones stay in use and the fault is
told.`,
		Example: "  hpmq-cli listener reload-certificates secure",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.client()
			if err != nil {
				return err
			}
			l, err := api.ReloadCertificates(c.Context(), args[0])
			if err != nil || s.json {
				return s.listenerSet(&l, err, "")
			}
			return s.certificates(l.Certificates, l.Warnings)
		},
	}
}
