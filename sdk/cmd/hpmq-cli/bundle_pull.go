package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

func newBundlePull(s *settings) *cobra.Command {
	var r remote
	var t trust
	c := &cobra.Command{
		Use:   "pull HOST[:PORT]/NAME(:TAG | @DIGEST) (DIR | FILE.tar)",
		Short: "Bring a bundle with its signatures from a registry",
		Long: `pull brings a bundle and its signatures from an OCI registry into an empty folder or
a new .tar. All of it is what its digests say. With --key or --trust it is verified as bundle verify
does before anything is written, else nothing is said about whom it is from.` + registryHelp,
		Example: `  hpmq-cli bundle pull registry.example/acme/router:1.0.0 ./router --key acme.pem
  hpmq-cli bundle pull 127.0.0.1:5000/acme/router:1.0.0 router.tar`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return s.failing(s.bundlePull(c.Context(), args, &r, &t))
		},
	}
	r.register(c)
	t.register(c)
	return c
}

// bundlePulled is what was brought from where.
type bundlePulled struct {
	verified
	Reference  string `json:"reference"`
	Path       string `json:"path"`
	Signatures int    `json:"signatures"`
}

func (s *settings) bundlePull(
	ctx context.Context, args []string, r *remote, t *trust,
) error {
	out := bundlePulled{Reference: args[0], Path: args[1]}
	if err := vacant(out.Path); err != nil {
		return usageError{err}
	}
	c, err := r.client()
	if err != nil {
		return err
	}
	end := s.busy("pulling " + out.Reference)
	l, at, err := c.Pull(ctx, out.Reference)
	end()
	if err != nil {
		return err
	}
	b := &bundled{path: out.Path, layout: l, at: at}
	envelopes, err := sign.Envelopes(l, at)
	if err != nil {
		return err
	}
	out.Signatures = len(envelopes)
	if t.given() {
		v, err := t.verify(b)
		if err != nil {
			return err
		}
		out.verified = *v
	} else if out.Statement, err = sign.Of(l, at); err != nil {
		return err
	}
	if err := l.Save(out.Path); err != nil {
		return err
	}
	return s.printPulled(&out, t.given())
}

func (s *settings) printPulled(out *bundlePulled, verified bool) error {
	if s.json {
		return s.printJSON(out)
	}
	if err := s.printf("%s, signatures: %d", out.Path, out.Signatures); err != nil {
		return err
	}
	if verified {
		return s.printVerified(&out.verified)
	}
	return s.printf("%s %s, %s\nnot verified; do: hpmq-cli bundle verify %s --key NAME.pem",
		printable(out.Name), printable(out.Version), out.Manifest, quoted(out.Path))
}

// vacant says whether a layout may be put there.
func vacant(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case strings.HasSuffix(path, ".tar") || !info.IsDir():
		return fmt.Errorf("%s is there already; name another file", path)
	}
	entries, err := os.ReadDir(path)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s is not empty; name another folder", path)
	}
	return err
}
