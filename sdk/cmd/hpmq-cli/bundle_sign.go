package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

func newBundleSign(s *settings) *cobra.Command {
	var key, digest string
	c := &cobra.Command{
		Use:   "sign BUNDLE --key NAME.key",
		Short: "Sign a bundle",
		Long: `sign reads all of a bundle, a folder or a .tar, and puts a signature beside it: a
DSSE envelope that says its name, its version and the digest of its manifest. The bundle stays what
it is, its digest too, and may be signed by several keys. A broker takes it if its section trust
names the key for it.`,
		Example: "  hpmq-cli bundle sign ./router --key acme.key\n" +
			"  hpmq-cli bundle sign router-1.0.0.tar --key ~/keys/acme.key --json",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return s.failing(s.bundleSign(args[0], key, digest))
		},
	}
	c.Flags().StringVar(&key, "key", "", "file with the private key, as bundle key new makes it")
	_ = c.MarkFlagRequired("key") // it is there
	digestFlag(c, &digest)
	return c
}

// bundleSigned is what was signed.
type bundleSigned struct {
	sign.Statement
	KeyID string `json:"key_id"`
	// Signature is the digest of the signature's manifest.
	Signature string `json:"signature"`
}

func (s *settings) bundleSign(path, file, digest string) error {
	text, err := readFile(file, sign.KeyBytesMax)
	if err != nil {
		return usageError{err}
	}
	key, err := sign.ParsePrivate(text)
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", file, err)}
	}
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() && !strings.HasSuffix(path, ".tar") {
		err = fmt.Errorf("%s is neither a folder nor a .tar", path)
	}
	if err != nil {
		return usageError{err}
	}
	b, err := openBundle(path, digest)
	if err != nil {
		return err
	}
	defer b.close()
	out := bundleSigned{KeyID: key.Public().ID()}
	if out.Statement, err = sign.Of(b.layout, b.at); err != nil {
		return err
	}
	envelope, err := sign.Sign(key, out.Statement)
	if err != nil {
		return err
	}
	at, err := sign.Attach(b.layout, b.at, envelope)
	if err != nil {
		return err
	}
	if err := b.layout.Save(path); err != nil {
		return err
	}
	out.Signature = string(at.Digest)
	if s.json {
		return s.printJSON(&out)
	}
	return s.printf("%s %s, %s\nsigned by %s", printable(out.Name), printable(out.Version),
		out.Manifest, out.KeyID)
}
