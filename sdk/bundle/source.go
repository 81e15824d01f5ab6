package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/sdk/bundle/spdx"
	"github.com/hpmq/hpmq/sdk/cases"
)

// SourceFile is what people write.
const SourceFile = "bundle.json"

// source is what stands there. Files are relative to its folder. With one component, what it says
// of itself in its .wasm (name, version, role, description, licence, contract) need not be said
// again, nor need the capabilities of any.
type source struct {
	// Schema lets an editor know what may stand here.
	Schema      string   `json:"$schema,omitempty"`
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	Description string   `json:"description"`
	Licence     string   `json:"licence"`
	LicenceText string   `json:"licence_text"`
	Requires    []string `json:"requires"`
	// SBOM is a file in SPDX 2.3; without it one is made, of Contains and of the lock files of the
	// folder.
	SBOM       string            `json:"sbom"`
	Contains   []string          `json:"contains"`
	Components []sourceComponent `json:"components"`
}

type sourceComponent struct {
	Name         string          `json:"name"`
	Role         string          `json:"role"`
	Wasm         string          `json:"wasm"`
	Capabilities []Capability    `json:"capabilities"`
	Limits       Limits          `json:"limits"`
	Schema       string          `json:"schema"`
	Defaults     json.RawMessage `json:"defaults"`
	// Cases is a folder with *.json, or a file.
	Cases string `json:"cases"`
}

// readSource reads bundle.json of a folder.
func readSource(dir string) (*source, error) {
	text, err := readFile(filepath.Join(dir, SourceFile), ManifestBytesMax)
	if err != nil {
		return nil, fmt.Errorf("%w; it says what belongs to the bundle: see hpmq-cli bundle build "+
			"--help", err)
	}
	src := &source{}
	if err := strictly(text, src); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, SourceFile), err)
	}
	switch {
	case len(src.Components) == 0:
		return nil, errors.New("bundle.json: components: there is none: name at least one .wasm")
	case src.LicenceText == "":
		return nil, errors.New("bundle.json: licence_text: name the file with the text of the " +
			"licence")
	}
	for _, url := range src.Contains {
		if err := spdx.CheckURL(url); err != nil {
			return nil, fmt.Errorf("bundle.json: contains: %w", err)
		}
	}
	return src, nil
}

// fill takes what src leaves out from what its .wasm says of itself.
func (src *source) fill(stamps []stamp) {
	for i := range src.Components {
		c, said := &src.Components[i], &stamps[i]
		fillText(&c.Name, said.Name)
		fillText(&c.Role, said.Role)
		if c.Capabilities == nil {
			c.Capabilities = said.Capabilities
		}
	}
	if len(stamps) == 1 {
		fillText(&src.Name, stamps[0].Name)
		fillText(&src.Version, stamps[0].Version)
		fillText(&src.Description, stamps[0].Description)
		fillText(&src.Licence, stamps[0].Licence)
	}
	if src.Requires == nil {
		for _, said := range stamps {
			if said.Contract != "" {
				src.Requires = append(src.Requires, minor(said.Contract))
			}
		}
	}
	slices.Sort(src.Requires)
	src.Requires = slices.Compact(src.Requires)
}

func fillText(to *string, from string) {
	if *to == "" {
		*to = from
	}
}

// minor leaves the patch of hpmq:broker@0.1.0 out: any serves.
func minor(contract string) string {
	if strings.Count(contract, ".") == 2 {
		return contract[:strings.LastIndexByte(contract, '.')]
	}
	return contract
}

// named is a file of a bundle.
type named struct {
	title, mediaType string
	content          []byte
}

// caseFiles reads golden cases: a file, or all *.json of a folder.
func caseFiles(dir, path string) ([]named, error) {
	path = filepath.Join(dir, filepath.FromSlash(path))
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	names := []string{path}
	if info.IsDir() {
		if names, err = cases.Files(path); err != nil {
			return nil, err
		}
	}
	var out []named
	for _, name := range names {
		text, err := readFile(name, CaseBytesMax)
		if err != nil {
			return nil, err
		}
		if _, err := cases.Parse(filepath.Base(name), text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, named{filepath.Base(name), MediaTypeCases, text})
	}
	return out, nil
}

// readFile reads a file that has something in it.
func readFile(name string, bytesMax int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(f, bytesMax+1))
	switch {
	case err != nil:
		return nil, err
	case n > bytesMax:
		return nil, fmt.Errorf("%s: it has more than %d bytes", name, bytesMax)
	case n == 0:
		return nil, fmt.Errorf("%s: it is empty", name)
	}
	return b.Bytes(), nil
}
