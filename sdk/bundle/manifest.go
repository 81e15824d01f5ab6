package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/spdx"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/contracts"
	"github.com/hpmq/hpmq/sdk/wit"
)

// Capabilities are those that wit/ has.
func Capabilities() ([]string, error) {
	world, err := wit.Parse(contracts.JSON(), "capabilities")
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	var names []string
	for _, i := range world.Interfaces() {
		names = append(names, i.Name)
	}
	return names, nil
}

// Roles are those that wit/ has.
func Roles() []string {
	var roles []string
	for _, f := range cases.Functions() {
		if r := cases.RoleOf(f); !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles
}

// strictly reads one JSON value that has no fields but those of to.
func strictly(text []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more behind the first value")
	}
	return nil
}

// Validate refuses a manifest that is not good, and says what to write instead. It looks at nothing
// but the manifest.
func (m *Manifest) Validate() error {
	switch {
	case !namePattern().MatchString(m.Name) || len(m.Name) > nameMax:
		return fmt.Errorf("name: %.80q is no name: want at most %d small letters, digits, and "+
			"dots or dashes between them", m.Name, nameMax)
	case !ValidVersion(m.Version):
		return fmt.Errorf("version: %.80q is no version: want one as 1.2.3, see semver.org",
			m.Version)
	case len(m.Version) > nameMax:
		return fmt.Errorf("version: it is longer than %d", nameMax)
	case len(m.Components) == 0:
		return errors.New("components: there is none: name at least one .wasm")
	case len(m.Components) > ComponentsMax:
		return fmt.Errorf("components: there are %d; at most %d fit", len(m.Components),
			ComponentsMax)
	}
	if err := spdx.CheckLicence(m.Licence); err != nil {
		return fmt.Errorf("licence: %w", err)
	}
	if err := plain("description", m.Description); err != nil {
		return err
	}
	if err := checkRequires(m.Requires); err != nil {
		return err
	}
	if err := errors.Join(m.LicenceText.Check(), m.SBOM.Check()); err != nil {
		return err
	}
	return m.checkComponents()
}

func (m *Manifest) checkComponents() error {
	known, err := Capabilities()
	if err != nil {
		return err
	}
	seen, total := map[string]bool{}, 0
	for i := range m.Components {
		c := &m.Components[i]
		if err := c.check(known); err != nil {
			return fmt.Errorf("components[%d] (%.40q): %w", i, c.Name, err)
		}
		if key := c.Name + " " + c.Role; seen[key] {
			return fmt.Errorf("components[%d]: %s is there twice as %s: leave one out", i, c.Name,
				c.Role)
		} else {
			seen[key] = true
		}
		if total += len(c.Cases); total > CasesMax {
			return fmt.Errorf("components: there are more than %d golden cases", CasesMax)
		}
	}
	return nil
}

// check refuses a component that is not good; known are the capabilities there are.
func (c *Component) check(known []string) error {
	if !namePattern().MatchString(c.Name) || len(c.Name) > nameMax {
		return fmt.Errorf("name: %.80q is no name: want at most %d small letters, digits, and "+
			"dots or dashes between them", c.Name, nameMax)
	}
	if !slices.Contains(Roles(), c.Role) {
		return fmt.Errorf("role: %.40q is no role: want one of %s", c.Role,
			strings.Join(Roles(), ", "))
	}
	if err := c.Digest.Check(); err != nil {
		return err
	}
	for i, one := range c.Capabilities {
		switch {
		case !slices.Contains(known, one.Name):
			return fmt.Errorf("capabilities: %.40q is none: wit/ has %s", one.Name,
				strings.Join(known, ", "))
		case one.Why == "":
			return fmt.Errorf("capabilities: %s: say why, an operator is asked to grant it",
				one.Name)
		case len(c.Capabilities) > capabilityMax || slices.ContainsFunc(c.Capabilities[:i],
			func(o Capability) bool { return o.Name == one.Name }):
			return fmt.Errorf("capabilities: %s is there twice", one.Name)
		}
		if err := plain("why "+one.Name, one.Why); err != nil {
			return err
		}
	}
	if c.Schema == "" && c.Defaults != nil {
		return errors.New("defaults: there is no schema that says whether they are good: name " +
			"one as schema")
	}
	if c.Schema != "" {
		if err := c.Schema.Check(); err != nil {
			return err
		}
	}
	for _, d := range c.Cases {
		if err := d.Check(); err != nil {
			return err
		}
	}
	return nil
}

func namePattern() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)
}

// requirePattern is a package of WIT with a version: MAJOR.MINOR, or one that is whole.
func requirePattern() *regexp.Regexp {
	return regexp.MustCompile(`^[a-z][a-z0-9-]*:[a-z][a-z0-9-]*@[0-9]+\.[0-9]+(\.[0-9]+)?$`)
}

func checkRequires(list []string) error {
	if len(list) > requirementMax {
		return fmt.Errorf("requires: there are %d; at most %d fit", len(list), requirementMax)
	}
	for i, r := range list {
		if !requirePattern().MatchString(r) || len(r) > 2*nameMax {
			return fmt.Errorf("requires: %.80q is no package with a version: want one as "+
				"hpmq:broker@0.1", r)
		}
		if i > 0 && list[i-1] >= r {
			return fmt.Errorf("requires: %s is there twice, or not in order", r)
		}
	}
	return nil
}

// plain keeps out what a terminal would obey.
func plain(what, text string) error {
	if len(text) > textMax {
		return fmt.Errorf("%s: it is longer than %d bytes", what, textMax)
	}
	if strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.IsGraphic(r) || r == unicode.ReplacementChar
	}) {
		return fmt.Errorf("%s: it has characters that cannot be shown: want one line of text",
			what)
	}
	return nil
}

// digests are all that m names, each once.
func (m *Manifest) digests() map[oci.Digest]string {
	all := map[oci.Digest]string{m.LicenceText: MediaTypeLicence, m.SBOM: MediaTypeSBOM}
	for i := range m.Components {
		c := &m.Components[i]
		all[c.Digest] = MediaTypeComponent
		if c.Schema != "" {
			all[c.Schema] = MediaTypeSchema
		}
		for _, d := range c.Cases {
			all[d] = MediaTypeCases
		}
	}
	return all
}

// contentMax bounds what a layer of that type may hold.
func contentMax(mediaType string) int64 {
	switch mediaType {
	case MediaTypeComponent:
		return WasmBytesMax
	case MediaTypeCases:
		return CaseBytesMax
	case MediaTypeLicence:
		return LicenceBytesMax
	case MediaTypeSBOM:
		return SBOMBytesMax
	}
	return 256 << 10 // a schema
}
