// Package spdx knows what something is made of in the words of SPDX: licences, and documents of
// version 2.3 as JSON. It does not know what a bundle is.
package spdx

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ids are the identifiers of licences, sorted: of SPDX licence list 3.25, as the package
// spdx-license-ids 3.0.20 has them (CC0-1.0), those that are deprecated too.
//
//go:embed ids.txt
var ids string

// exceptions are the identifiers of what may stand behind WITH, sorted, as the package
// spdx-exceptions 2.5.0 has them (CC-BY-3.0, of the SPDX workgroup).
//
//go:embed exceptions.txt
var exceptions string

const (
	expressionMax = 512
	own           = "LicenseRef-"
	version       = "SPDX-2.3"
	noAssertion   = "NOASSERTION"
)

// CheckLicence refuses what is no SPDX expression: identifiers of the licence list, or
// LicenseRef-NAME for one's own, with AND, OR, parentheses, and behind an identifier WITH and one
// of the list of exceptions.
func CheckLicence(expression string) error {
	if expression == "" {
		return errors.New("there is none: name one by its SPDX id, as Apache-2.0, or " +
			own + "NAME for your own")
	}
	if len(expression) > expressionMax {
		return fmt.Errorf("it is longer than %d bytes", expressionMax)
	}
	depth, before := 0, "("
	for _, w := range wordsOf(expression) {
		wantID := before == "(" || before == "AND" || before == "OR"
		switch {
		case before == "WITH":
			if !listed(exceptions, w) {
				return fmt.Errorf("%.80q is no SPDX exception%s: see spdx.org/licenses", w,
					nearest(exceptions, w))
			}
			w = "exception"
		case w == "(" && wantID:
			depth++
		case w == ")" && !wantID && depth > 0:
			depth--
		case (w == "AND" || w == "OR") && !wantID, w == "WITH" && before == "id":
		case wantID && known(w):
			w = "id"
		case wantID:
			return fmt.Errorf("%.80q is no SPDX id%s: see spdx.org/licenses, or write %sNAME for "+
				"your own", w, nearest(ids, w), own)
		default:
			return fmt.Errorf("%.80q is no SPDX expression: want ids with AND, OR, WITH between "+
				"them", expression)
		}
		before = w
	}
	if before != "id" && before != "exception" && before != ")" || depth > 0 {
		return fmt.Errorf("%.80q is no SPDX expression: it ends too early", expression)
	}
	return nil
}

// wordsOf are the words and parentheses of an expression.
func wordsOf(expression string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(expression))
}

func listed(list, id string) bool {
	_, ok := slices.BinarySearch(strings.Fields(list), id)
	return ok
}

func known(id string) bool {
	if name, ok := strings.CutPrefix(id, own); ok {
		return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz"+
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == ""
	}
	return listed(ids, strings.TrimSuffix(id, "+"))
}

// nearest says which id was meant, if only its case is wrong.
func nearest(list, id string) string {
	for _, one := range strings.Fields(list) {
		if strings.EqualFold(one, id) || strings.HasPrefix(strings.ToLower(one),
			strings.ToLower(id)+"-") {
			return ", did you mean " + one + "?"
		}
	}
	return ""
}

// Product is what a document is about.
type Product struct {
	Name, Version, Licence string
	// LicenceText is that of the licences that are not of the list: LicenseRef-NAME.
	LicenceText string
	// Files are by name, with their SHA-256 as hexadecimal digits.
	Files []File
	// Modules are what it was built from, as package URLs.
	Modules []string
}

// File is one of a product.
type File struct{ Name, SHA256 string }

type document struct {
	Version       string         `json:"spdxVersion"`
	DataLicence   string         `json:"dataLicense"`
	ID            string         `json:"SPDXID"`
	Name          string         `json:"name"`
	Namespace     string         `json:"documentNamespace"`
	Creation      creation       `json:"creationInfo"`
	Packages      []pack         `json:"packages"`
	Relationships []relationship `json:"relationships"`
	Own           []ownLicence   `json:"hasExtractedLicensingInfos,omitempty"`
}

// ownLicence is what SPDX wants to know of a LicenseRef-NAME that is used.
type ownLicence struct {
	ID   string `json:"licenseId"`
	Text string `json:"extractedText"`
}

type creation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type pack struct {
	ID        string     `json:"SPDXID"`
	Name      string     `json:"name"`
	Version   string     `json:"versionInfo,omitempty"`
	Location  string     `json:"downloadLocation"`
	Analyzed  bool       `json:"filesAnalyzed"`
	Licence   string     `json:"licenseDeclared"`
	Checksums []checksum `json:"checksums,omitempty"`
	Refs      []ref      `json:"externalRefs,omitempty"`
	Purpose   string     `json:"primaryPackagePurpose,omitempty"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type ref struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
}

type relationship struct {
	From string `json:"spdxElementId"`
	Kind string `json:"relationshipType"`
	To   string `json:"relatedSpdxElement"`
}

// Document is the document of p. The same product makes the same bytes: it was created at the
// beginning of time, and its namespace follows from its first file.
func Document(p Product) ([]byte, error) {
	const top = "SPDXRef-bundle"
	d := document{
		Version: version, DataLicence: "CC0-1.0", ID: "SPDXRef-DOCUMENT",
		Name: p.Name + "-" + p.Version,
		Creation: creation{
			Created: "1970-01-01T00:00:00Z", Creators: []string{"Tool: hpmq-cli"},
		},
		Packages: []pack{{
			ID: top, Name: p.Name, Version: p.Version, Location: noAssertion, Licence: p.Licence,
		}},
		Relationships: []relationship{{"SPDXRef-DOCUMENT", "DESCRIBES", top}},
	}
	sums := ""
	for i, f := range p.Files {
		id := fmt.Sprintf("SPDXRef-file-%d", i+1)
		d.Packages = append(d.Packages, pack{
			ID: id, Name: f.Name, Location: noAssertion, Licence: p.Licence, Purpose: "FILE",
			Checksums: []checksum{{"SHA256", f.SHA256}},
		})
		d.Relationships = append(d.Relationships, relationship{top, "CONTAINS", id})
		sums += "-" + f.SHA256[:min(16, len(f.SHA256))]
	}
	d.Namespace = "https://spdx.org/spdxdocs/" + p.Name + "-" + p.Version + sums
	for i, url := range p.Modules {
		id := fmt.Sprintf("SPDXRef-module-%d", i+1)
		name, version := splitURL(url)
		d.Packages = append(d.Packages, pack{
			ID: id, Name: name, Version: version, Location: noAssertion, Licence: noAssertion,
			Refs: []ref{{"PACKAGE-MANAGER", "purl", url}},
		})
		d.Relationships = append(d.Relationships, relationship{top, "DEPENDS_ON", id})
	}
	words := wordsOf(p.Licence)
	slices.Sort(words)
	for _, w := range slices.Compact(words) {
		if strings.HasPrefix(w, own) {
			d.Own = append(d.Own, ownLicence{w, p.LicenceText})
		}
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("spdx: %w", err)
	}
	return append(text, '\n'), nil
}

// Check refuses what is no document, whoever wrote it. It does not judge what it says.
func Check(text []byte) error {
	var d struct {
		Version string `json:"spdxVersion"`
		Name    string `json:"name"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return fmt.Errorf("SBOM: it is not good JSON: %w", err)
	}
	if !strings.HasPrefix(d.Version, "SPDX-2.") || d.Name == "" {
		return fmt.Errorf("SBOM: its spdxVersion is %.40q; want a document of %s as JSON",
			d.Version, version)
	}
	return nil
}

// URLs are the package URLs that a document names, sorted.
func URLs(text []byte) []string {
	var d document
	if json.Unmarshal(text, &d) != nil {
		return nil
	}
	var out []string
	for _, p := range d.Packages {
		for _, r := range p.Refs {
			if r.Type == "purl" {
				out = append(out, r.Locator)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// splitURL takes pkg:golang/example.com/a@v1.2.3 apart.
func splitURL(url string) (name, version string) {
	url, _, _ = strings.Cut(url, "?")
	_, name, _ = strings.Cut(strings.TrimPrefix(url, "pkg:"), "/")
	if at := strings.LastIndexByte(name, '@'); at > 0 {
		return name[:at], name[at+1:]
	}
	return name, ""
}

// CheckURL refuses what is no package URL with a version.
func CheckURL(url string) error {
	name, version := splitURL(url)
	if !strings.HasPrefix(url, "pkg:") || name == "" || version == "" || len(url) > expressionMax ||
		strings.ContainsFunc(url, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return fmt.Errorf("%.80q is no package URL with a version: want one as "+
			"pkg:golang/example.com/a@v1.2.3", url)
	}
	return nil
}
