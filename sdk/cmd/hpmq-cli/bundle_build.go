package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hpmq/hpmq/sdk/bundle"
)

// bundleFiles completes tars and folders.
func bundleFiles(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"tar"}, cobra.ShellCompDirectiveFilterFileExt
}

func newBundleBuild(s *settings) *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Make a bundle of a folder with a bundle.json",
		Long: `build makes a bundle of a folder (default: this one) with a bundle.json:

  {
    "name": "vendor", "version": "1.2.0", "description": "What it does.",
    "licence": "Apache-2.0", "licence_text": "LICENSE",
    "components": [{
      "name": "vendor", "role": "transformer", "wasm": "vendor.wasm",
      "capabilities": [{"name": "kv", "why": "counts what it saw"}],
      "limits": {"fuel": 200000, "memory_bytes_max": 4194304},
      "schema": "schema.json", "defaults": {"unit": "C"}, "cases": "cases"
    }]
  }

What a .wasm says of itself need not be said again: with one component licence_text and wasm are
enough. Names are of small letters, digits, dots and dashes, versions as in semver.org, the licence
is an SPDX expression. Further keys:

  requires   host interfaces that the broker must have: ["hpmq:broker@0.1"]
  sbom       a file in SPDX 2.3, as JSON. Without it one is made of the digests and the licence, of
             go.mod, Cargo.lock and package-lock.json if they are in the folder, and of
  contains   package URLs: ["pkg:golang/github.com/tidwall/gjson@v1.18.0"]

A schema is JSON Schema 2020-12 and whole: nothing it refers to is fetched. Golden cases are those
of hpmq-cli component test. All of it is opened as a broker opens it before it is written.

The digest follows from the contents of the files alone, given the same hpmq-cli.`,
		Example: `  hpmq-cli bundle build
  hpmq-cli bundle build ./vendor -o vendor-1.2.0.tar
  hpmq-cli bundle build ./vendor -o layout --json`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) (
			[]string, cobra.ShellCompDirective,
		) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
		RunE: func(_ *cobra.Command, args []string) error {
			return s.failing(s.bundleBuild(append(args, ".")[0], out))
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "a file *.tar or a folder (default: "+
		"NAME-VERSION.tar)")
	return c
}

func (s *settings) bundleBuild(dir, out string) error {
	l, b, err := bundle.Build(dir)
	if err != nil {
		return err
	}
	if out == "" {
		out = b.Name + "-" + b.Version + ".tar"
	}
	if err := l.Save(out); err != nil {
		return err
	}
	return s.printBundle(out, b)
}

func newBundleInspect(s *settings) *cobra.Command {
	var digest string
	c := &cobra.Command{
		Use:   "inspect BUNDLE",
		Short: "Say what a bundle holds",
		Long: `inspect opens a bundle, a tar or a folder, checks every digest in it, and prints what
it holds: its components with what they want to import and why, the keys of their configuration, how
many golden cases there are, the sizes.

It exits with 1 if a broker would refuse to open the bundle. Who made it, hpmq-cli bundle verify
says.`,
		Example: `  hpmq-cli bundle inspect vendor-1.2.0.tar
  hpmq-cli bundle inspect ./layout --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: bundleFiles,
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := readBundle(args[0], digest)
			if err != nil {
				return s.failing(err)
			}
			return s.printBundle(args[0], b)
		},
	}
	digestFlag(c, &digest)
	return c
}

// readBundle reads all of a bundle, and checks it.
func readBundle(path, digest string) (*bundle.Bundle, error) {
	at, err := openBundle(path, digest)
	if err != nil {
		return nil, err
	}
	defer at.close()
	b, err := bundle.Read(at.layout, at.at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// toldBundle is a bundle for programs.
type toldBundle struct {
	File   string `json:"file"`
	Digest string `json:"digest"`
	bundle.Manifest
	Layers []bundle.Layer `json:"layers"`
}

// printBundle tells what a bundle holds.
func (s *settings) printBundle(file string, b *bundle.Bundle) error {
	if s.json {
		return s.printJSON(toldBundle{file, string(b.Digest), b.Manifest, b.Layers})
	}
	requires := "nothing"
	if len(b.Requires) > 0 {
		requires = strings.Join(b.Requires, ", ")
	}
	packed := int64(0)
	for _, layer := range b.Layers {
		packed += layer.Packed
	}
	lines := [][2]string{
		{"digest", string(b.Digest)},
		{"licence", printable(b.Licence)},
		{"requires", requires},
		{"size", fmt.Sprintf("%s in %d layers", bytesText(int(packed)), len(b.Layers))},
	}
	if b.Description != "" {
		lines = append([][2]string{{"about", b.Description}}, lines...)
	}
	for i := range b.Components {
		lines = append(lines, componentLines(b, &b.Components[i])...)
	}
	if err := s.printf("%s %s  %s", b.Name, b.Version, printable(file)); err != nil {
		return err
	}
	for _, l := range lines {
		text := strings.ReplaceAll(l[1], "\n", "\n"+strings.Repeat(" ", 13))
		if err := s.printf("  %-10s %s", l[0], text); err != nil {
			return err
		}
	}
	return nil
}

func componentLines(b *bundle.Bundle, c *bundle.Component) [][2]string {
	lines := [][2]string{{"component", fmt.Sprintf("%s as %s, %s, %s", c.Name, c.Role,
		bytesText(len(b.Content(c.Digest))), c.Digest)}}
	for i, one := range c.Capabilities {
		lines = append(lines, [2]string{head(i, "wants"), one.Name + ": " + one.Why})
	}
	if text := limitsText(c.Limits); text != "" {
		lines = append(lines, [2]string{"limits", text})
	}
	if sch := b.Schema(c); sch != nil {
		lines = append(lines, [2]string{"config", configText(sch.Properties())})
	}
	if c.Defaults != nil {
		lines = append(lines, [2]string{"defaults", printable(string(c.Defaults))})
	}
	calls := 0
	all := b.Cases(c)
	for i := range all {
		calls += len(all[i].Calls)
	}
	return append(lines, [2]string{"cases", fmt.Sprintf("%d, with %d calls", len(all), calls)})
}
