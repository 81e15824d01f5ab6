package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/bundle/sign"
)

func newBundleKey(s *settings) *cobra.Command {
	c := &cobra.Command{
		Use:   "key",
		Short: "Make and show the keys that sign bundles",
		Long: `key makes and shows the keys that sign bundles: ed25519, in PEM files (PKCS #8 for
the private key, SubjectPublicKeyInfo for the public one), as openssl makes them too.`,
	}
	c.AddCommand(newBundleKeyNew(s), newBundleKeyShow(s))
	return c
}

// keyShown is a key as it is printed.
type keyShown struct {
	// Private and Public are the files of a new one.
	Private string `json:"private,omitempty"`
	Public  string `json:"public,omitempty"`
	ID      string `json:"id"`
	Key     string `json:"key"`
}

func newBundleKeyNew(s *settings) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Make a key: NAME.key to sign with, NAME.pem for those who verify",
		Long: `new makes a key and writes it into two files: NAME.key, which signs and only its
owner can read, and NAME.pem, which verifies and may be given to anybody. Keep NAME.key where no
broker is: what signs is not needed to verify. Files that are there are never written over.`,
		Example: "  hpmq-cli bundle key new acme\n  hpmq-cli bundle key new acme --dir ~/keys",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: noFiles,
		RunE: func(_ *cobra.Command, args []string) error { return s.bundleKeyNew(args[0], dir) },
	}
	c.Flags().StringVar(&dir, "dir", ".", "folder for the two files")
	return c
}

func (s *settings) bundleKeyNew(name, dir string) error {
	if name == "" || filepath.Base(name) != name || name == "." || name == ".." {
		return usageError{fmt.Errorf("%q is no name of a file; name a folder with --dir", name)}
	}
	k, err := sign.Generate()
	if err != nil {
		return err
	}
	private, err := k.PEM()
	if err != nil {
		return err
	}
	made := keyShown{Private: filepath.Join(dir, name+".key"),
		Public: filepath.Join(dir, name+".pem"), ID: k.Public().ID(), Key: k.Public().Text()}
	if err := writeNew(made.Private, private, 0o600); err != nil {
		return usageError{err}
	}
	if err := writeNew(made.Public, k.Public().PEM(), 0o644); err != nil {
		return usageError{errors.Join(err, os.Remove(made.Private))}
	}
	if s.json {
		return s.printJSON(&made)
	}
	return s.printf(`%s signs: keep it secret
%s verifies: %s
in the configuration of a broker:
trust:
  keys:
    - name: %s
      key: %s
      names: ["%s-*"]`, made.Private, made.Public, made.ID, name, made.Key, name)
}

// writeNew writes a file that is not there yet, to the disk.
func writeNew(name string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("%s is there already, and no key is written over: name another, or move "+
			"it away", name)
	case err != nil:
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

func newBundleKeyShow(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "show FILE",
		Short: "Print the id of a key, and the public key as it goes into a configuration",
		Long: `show prints the id of a key, by which messages and signatures name it, and the public
key as it goes under trust.keys into the configuration of a broker. FILE is a public or a private
key; of a private one nothing else is printed.`,
		Example: "  hpmq-cli bundle key show acme.pem",
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return s.bundleKeyShow(args[0]) },
	}
}

func (s *settings) bundleKeyShow(file string) error {
	text, err := readFile(file, sign.KeyBytesMax)
	if err != nil {
		return usageError{err}
	}
	k, err := sign.ParsePublic(text)
	if bytes.Contains(text, []byte("PRIVATE KEY")) {
		var private sign.Private
		if private, err = sign.ParsePrivate(text); err == nil {
			k = private.Public()
		}
	}
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", file, err)}
	}
	if s.json {
		return s.printJSON(keyShown{ID: k.ID(), Key: k.Text()})
	}
	return s.printf("id   %s\nkey  %s", k.ID(), k.Text())
}
