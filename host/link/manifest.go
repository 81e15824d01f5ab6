package link

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"

	"github.com/hpmq/hpmq/sdk/section"
)

// manifest is what a module says of itself, as JSON. One that says nothing has the zero manifest.
type manifest struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Role is what the component is made for; empty leaves that to its exports.
	Role string `json:"role"`
	// Contract is the package of wit/ it was built against; empty leaves that to its exports.
	Contract string `json:"contract"`
	// State is what it keeps: in kv, and what it hands over.
	State struct {
		// Schema is the version of that, 0 if it never said.
		Schema uint32 `json:"schema"`
	} `json:"state"`
	// Capabilities are what it imports.
	Capabilities []struct {
		Name string `json:"name"`
	} `json:"capabilities"`
}

// nameMax bounds a component's name and its version: they stand in log lines, keys and client ids.
const nameMax = 128

// filePrefix begins the name of a file that calls itself like a component of the broker.
const filePrefix = "file:"

// manifest names e, by its file where the module does not, and checks that it is made for the role.
func (b *build) manifest(e *entry, code []byte) (m manifest, err error) {
	text, err := section.Custom(code, section.Manifest)
	if err != nil {
		return m, b.refuse(StepManifest, fmt.Errorf("%s: %w", section.Manifest, err),
			"rebuild it, so that it says once who it is")
	}
	if text != nil {
		if err := json.Unmarshal(text, &m); err != nil {
			return m, b.refuse(StepManifest, fmt.Errorf("its manifest is not good: %w", err),
				"rebuild the component with a manifest as components/README.md has it")
		}
	}
	switch {
	case m.Role != "" && m.Role != b.role.String():
		err := fmt.Errorf("its manifest says it is made as %.40q", m.Role)
		return m, b.refuse(StepManifest, err, "link it in that role")
	case m.Contract != "" && !b.l.contracts.serves(m.Contract):
		err := fmt.Errorf("its manifest says it is made for %.40q, and this broker speaks %s",
			m.Contract, b.l.contracts.packages())
		return m, b.refuse(StepManifest, err, "build it against wit/ as this broker has it")
	}
	if m.Name != "" {
		e.name, e.version = m.Name, m.Version
	}
	if e.name == "" {
		e.name = strings.TrimSuffix(path.Base(strings.ReplaceAll(b.ref.Use, `\`, "/")), ".wasm")
	}
	if e.name == "" || e.name == "." {
		e.name = e.digest[:12]
	}
	if !goodName(e.name) {
		return m, b.refuse(StepManifest, fmt.Errorf("%.80q is no name for a component", e.name),
			"name it, or its file, in letters, digits, dots and dashes")
	}
	if vouched := b.ref.Vouched; vouched != "" && e.name != vouched {
		return m, b.refuse(StepManifest, fmt.Errorf("it calls itself %q, and its signature is for "+
			"one that is called %q", e.name, vouched), "get it from who may ship "+e.name)
	}
	if ships := b.l.ports.Ships; !e.shipped && ships != nil && ships(e.name) {
		// A name is the key of kv, a client id and what grants go by: a file does not take one.
		e.name = filePrefix + e.name
	}
	if e.version != "" && !goodName(e.version) {
		return m, b.refuse(StepManifest, errors.New("its manifest has no good version"),
			"rebuild it with a version such as 1.2.3")
	}
	return m, nil
}

// goodName keeps out what would break a topic, a log line or a terminal.
func goodName(s string) bool {
	const bad = "/+#\uFFFD"
	return len(s) <= nameMax && !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsGraphic(r) || strings.ContainsRune(bad, r)
	})
}
