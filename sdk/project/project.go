// Package project knows what a folder of a component holds, in each language that there are
// templates for. It runs nothing.
package project

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// File is where a folder says what it is.
const File = "component.json"

// Project is what stands there.
type Project struct {
	Name     string `json:"name"`
	Version  string `json:"version"`
	Language string `json:"language"`
	Role     string `json:"role"`
	// Capabilities are what the component imports beside log and config, with why it wants them.
	Capabilities []Capability `json:"capabilities,omitempty"`
	// State is what it keeps in kv, or hands over; nil if it does not say.
	State *State `json:"state,omitempty"`
	// Core leaves the module as it is; otherwise it is wrapped as a component.
	Core bool `json:"core,omitempty"`

	// Dir is the folder, "" before it is known.
	Dir string `json:"-"`
}

// State is of which schema that is; see wit/README.md.
type State struct {
	Schema uint32 `json:"schema"`
}

// Capability is one that the component imports.
type Capability struct {
	Name string `json:"name"`
	Why  string `json:"why,omitempty"`
}

// UnmarshalJSON reads {"name", "why"}, or the name alone.
func (c *Capability) UnmarshalJSON(text []byte) error {
	*c = Capability{}
	if json.Unmarshal(text, &c.Name) == nil {
		return nil
	}
	type fields Capability
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode((*fields)(c)); err != nil {
		return fmt.Errorf(`a capability is {"name": "kv", "why": "…"} or "kv": %w`, err)
	}
	return nil
}

// fileBytesMax bounds the file.
const fileBytesMax = 1 << 20

// ErrNone says that a folder is no component's.
var ErrNone = errors.New("no " + File + " there")

// Load reads the file of a folder.
func Load(dir string) (*Project, error) {
	f, err := os.Open(filepath.Join(dir, File))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("project: %s: %w", dir, ErrNone)
	}
	if err != nil {
		return nil, fmt.Errorf("project: load: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, fileBytesMax))
	if err != nil {
		return nil, fmt.Errorf("project: load: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	p := &Project{Dir: dir}
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("project: %s: %w", f.Name(), err)
	}
	if err := p.Validate(); err != nil {
		return p, err
	}
	if !slices.Contains(roles(), p.Role) {
		return p, fmt.Errorf("project: %s: %q is no role: there are %s", f.Name(), p.Role,
			strings.Join(roles(), ", "))
	}
	return p, nil
}

// Validate says what is wrong with p.
func (p *Project) Validate() error {
	if !regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`).MatchString(p.Name) {
		return fmt.Errorf("project: %q is no name for a component: begin with a letter, go on "+
			"with small letters, digits and dashes, 64 at most", p.Name)
	}
	if _, err := LanguageOf(p.Language); err != nil {
		return err
	}
	return nil
}

// roles are those of wit/.
func roles() []string {
	return []string{
		"authenticator", "authorizer", "codec", "deduplicator", "router", "transformer", "worker",
	}
}

// Wasm is the path of what is built.
func (p *Project) Wasm() string { return filepath.Join(p.Dir, p.Name+".wasm") }

// Cases is the path of the golden cases.
func (p *Project) Cases() string { return filepath.Join(p.Dir, "cases") }

// World is the world of wit/ that a component of the role targets.
func (p *Project) World() string { return p.Role + "-component" }
