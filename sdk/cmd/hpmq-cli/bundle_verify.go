package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newBundleVerify(s *settings) *cobra.Command {
	var t trust
	var digest string
	c := &cobra.Command{
		Use:   "verify BUNDLE (--key NAME.pem | --trust hpmq.yaml)",
		Short: "Say whether a bundle is whole, and signed by who may",
		Long: `verify reads all of a bundle, a folder or a .tar, and says whether every part of it
is what its digest says, and whether a key that is trusted signed it. No network is asked.

With --key any bundle may be signed by that key. With --trust the section trust of a broker's
configuration says which key may ship which names, and what may come unsigned: the answer is the one
that broker would give. It exits with 1 if the bundle is not to be trusted.`,
		Example: "  hpmq-cli bundle verify ./router --key acme.pem\n" +
			"  hpmq-cli bundle verify router.tar --trust /etc/hpmq/hpmq.yaml --json",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return s.failing(s.bundleVerify(args[0], digest, &t))
		},
	}
	t.register(c)
	digestFlag(c, &digest)
	return c
}

func (s *settings) bundleVerify(path, digest string, t *trust) error {
	if !t.given() {
		return usageError{errors.New("whom to trust? name a public key with --key, or the " +
			"configuration of a broker with --trust")}
	}
	b, err := openBundle(path, digest)
	if err != nil {
		return err
	}
	defer b.close()
	v, err := t.verify(b)
	if err != nil {
		return err
	}
	return s.printVerified(v)
}
