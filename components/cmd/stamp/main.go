// Command stamp finishes a component: it checks that the module is what its manifest says and
// writes the manifest into it as the custom section "hpmq:manifest". The same input gives the same
// bytes.
//
//	stamp MODULE.wasm manifest.json OUT.wasm
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// section is the name of the custom section the manifest stands in.
const section = "hpmq:manifest"

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: stamp MODULE.wasm manifest.json OUT.wasm")
		os.Exit(2)
	}
	if err := stamp(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func stamp(modulePath, manifestPath, outPath string) error {
	code, err := os.ReadFile(modulePath)
	if err != nil {
		return fmt.Errorf("stamp: read module: %w", err)
	}
	text, err := os.ReadFile(manifestPath)
	if err != nil {
		return fmt.Errorf("stamp: read manifest: %w", err)
	}
	m, err := parseManifest(text)
	if err != nil {
		return fmt.Errorf("stamp: %s: %w", manifestPath, err)
	}
	mod, err := parseModule(code)
	if err != nil {
		return fmt.Errorf("stamp: %s: %w", modulePath, err)
	}
	if err := m.check(mod); err != nil {
		return fmt.Errorf("stamp: %s: %w", manifestPath, err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		return fmt.Errorf("stamp: compact manifest: %w", err)
	}
	out := appendCustom(code, section, compact.Bytes())
	if err := os.WriteFile(outPath, out, 0o644); err != nil {
		return fmt.Errorf("stamp: write: %w", err)
	}
	return nil
}

// manifest is what a component says of itself.
type manifest struct {
	Name         string       `json:"name"`
	Version      string       `json:"version"`
	Role         string       `json:"role"`
	Contract     string       `json:"contract"`
	Description  string       `json:"description"`
	Licence      string       `json:"licence"`
	Capabilities []capability `json:"capabilities"`
	State        *state       `json:"state,omitempty"`
}

// state is what the component keeps, see wit/README.md.
type state struct {
	Schema uint32 `json:"schema"`
}

// capability is an interface the component imports, and what it wants it for.
type capability struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

var roles = []string{
	"authenticator", "authorizer", "transformer", "deduplicator", "router", "codec",
}

func parseManifest(text []byte) (*manifest, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var m manifest
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	for _, f := range []string{m.Name, m.Version, m.Contract, m.Description, m.Licence} {
		if f == "" {
			return nil, errors.New("name, version, contract, description and licence are needed")
		}
	}
	if !slices.Contains(roles, m.Role) {
		return nil, fmt.Errorf("role %q is not one of %q", m.Role, roles)
	}
	for _, c := range m.Capabilities {
		if c.Why == "" {
			return nil, fmt.Errorf("capability %q does not say why", c.Name)
		}
	}
	return &m, nil
}
