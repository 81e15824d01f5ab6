package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

func newBundlePush(s *settings) *cobra.Command {
	var r remote
	var digest string
	c := &cobra.Command{
		Use:   "push BUNDLE HOST[:PORT]/NAME:TAG",
		Short: "Bring a bundle with its signatures to a registry",
		Long: `push brings a bundle, a folder or a .tar, and the signatures that are beside it to an
OCI registry. What the registry has is not sent again, and signatures that are there stay. The tag
moves last, when all of it is there.` + registryHelp,
		Example: "  hpmq-cli bundle push ./router registry.example/acme/router:1.0.0\n" +
			"  hpmq-cli bundle push ./router 127.0.0.1:5000/acme/router:1.0.0",
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return s.failing(s.bundlePush(c.Context(), args, digest, &r))
		},
	}
	r.register(c)
	digestFlag(c, &digest)
	return c
}

// bundlePushed is what was brought where.
type bundlePushed struct {
	sign.Statement
	Reference  string `json:"reference"`
	Signatures int    `json:"signatures"`
}

func (s *settings) bundlePush(
	ctx context.Context, args []string, digest string, r *remote,
) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	b, err := openBundle(args[0], digest)
	if err != nil {
		return err
	}
	defer b.close()
	out := bundlePushed{Reference: args[1]}
	if out.Statement, err = sign.Of(b.layout, b.at); err != nil {
		return err
	}
	end := s.busy("pushing " + out.Name)
	out.Signatures, err = c.Push(ctx, b.layout, b.at, args[1])
	end()
	if err != nil {
		return err
	}
	if s.json {
		return s.printJSON(&out)
	}
	return s.printf("%s %s, %s\nis at %s, signatures: %d", printable(out.Name),
		printable(out.Version), out.Manifest, args[1], out.Signatures)
}
