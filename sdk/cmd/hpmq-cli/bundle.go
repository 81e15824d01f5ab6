package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

func newBundle(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "bundle",
		Short: "Make bundles, look into them, sign them, bring them to a registry",
		Long: `bundle deals with bundles: components with the schema of their configuration, golden
cases, licence and SBOM, in one piece that has a digest and can be signed. The same files make the
same digest. A bundle is an OCI image layout, as a folder or a .tar, or it is in an OCI registry. No
broker is asked.`,
		Example: `  hpmq-cli bundle build ./vendor -o vendor-1.2.0.tar
  hpmq-cli bundle inspect vendor-1.2.0.tar
  hpmq-cli bundle diff vendor-1.1.0.tar vendor-1.2.0.tar
  hpmq-cli bundle key new acme
  hpmq-cli bundle sign ./router --key acme.key
  hpmq-cli bundle push ./router registry.example/acme/router:1.0.0
  hpmq-cli bundle pull registry.example/acme/router:1.0.0 ./pulled
  hpmq-cli bundle verify ./pulled --key acme.pem`,
	}
	c.AddCommand(newBundleBuild(s), newBundleInspect(s), newBundleDiff(s),
		newBundleKey(s), newBundleSign(s), newBundleVerify(s), newBundlePush(s),
		newBundlePull(s))
	return c
}

// bundled is a bundle in a layout.
type bundled struct {
	path   string
	layout *oci.Layout
	at     oci.Descriptor
}

// openBundle opens the bundle in a folder or tar: the only one, or that of digest.
func openBundle(path, digest string) (*bundled, error) {
	l, err := oci.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	at, err := bundle.Find(l, digest)
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &bundled{path: path, layout: l, at: at}, nil
}

func (b *bundled) close() { _ = b.layout.Close() } // what it held was read

func digestFlag(c *cobra.Command, digest *string) {
	c.Flags().StringVar(digest, "digest", "", "of the manifest, where there are several bundles")
}

// trust is the flags that say whose word is enough.
type trust struct {
	config string
	keys   []string
}

func (t *trust) register(c *cobra.Command) {
	f := c.Flags()
	f.StringSliceVar(&t.keys, "key", nil, "file with a public key whose signature is enough; "+
		"again for more")
	f.StringVar(&t.config, "trust", "", "YAML file with the configuration of a broker: what its "+
		"section trust says")
}

// given says whether there is one.
func (t *trust) given() bool { return t.config != "" || len(t.keys) > 0 }

// policy is what the flags say.
func (t *trust) policy() (*sign.Policy, error) {
	p := &sign.Policy{}
	if t.config != "" {
		cfg, err := configs.Load(configs.Sources{File: t.config, Environ: os.Environ()})
		if err != nil {
			return nil, err
		}
		if err := addTrusted(p, &cfg.Trust); err != nil {
			return nil, err
		}
	}
	for _, file := range t.keys {
		text, err := readFile(file, sign.KeyBytesMax)
		if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		if err := p.Add(name, text, []string{"*"}); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return p, nil
}

// addTrusted adds what a configuration says.
func addTrusted(p *sign.Policy, t *configs.Trust) error {
	p.Unsigned = t.Unsigned
	for _, k := range t.Keys {
		text := []byte(k.Key)
		if k.IsPath() {
			var err error
			if text, err = readFile(k.Key, sign.KeyBytesMax); err != nil {
				return fmt.Errorf("the key %s: %w", k.Name, err)
			}
		}
		if err := p.Add(k.Name, text, k.Names); err != nil {
			return err
		}
	}
	return nil
}

// verified is what a bundle was found to be.
type verified struct {
	sign.Statement
	sign.Verdict
}

// verify holds a bundle against the flags.
func (t *trust) verify(b *bundled) (*verified, error) {
	p, err := t.policy()
	if err != nil {
		return nil, usageError{err}
	}
	v := &verified{}
	v.Statement, v.Verdict, err = p.VerifyLayout(b.layout, b.at)
	return v, err
}

// print says what was found.
func (s *settings) printVerified(v *verified) error {
	if s.json {
		return s.printJSON(v)
	}
	by := "signed by key " + v.Key + ", " + v.KeyID
	if v.Unsigned {
		by = "not signed, as the configuration allows"
	}
	return s.printf("%s %s is whole: %s\n%s", printable(v.Name), printable(v.Version), v.Manifest,
		by)
}
