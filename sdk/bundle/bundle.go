// Package bundle knows what a bundle holds: components with all that an operator wants to know of
// them before they are linked. It does not know who vouches for one (sdk/bundle/sign), how it comes
// over a network (sdk/bundle/registry), or what a broker does with it.
//
// A bundle is an OCI image manifest, see [ArtifactType]. Its config blob is a [Manifest]; its
// layers are compressed with zstd, each what the manifest names by the digest of the uncompressed
// bytes. It stands in an image layout, a folder or a tar (sdk/bundle/oci), and is made of a folder
// with a bundle.json (see [Build]): the same files make the same digest.
package bundle

import (
	"encoding/json"
	"errors"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/cases"
	"github.com/hpmq/hpmq/sdk/schema"
)

// The types of a bundle and of its blobs.
const (
	ArtifactType       = "application/vnd.hpmq.bundle.v1"
	MediaTypeConfig    = "application/vnd.hpmq.bundle.config.v1+json"
	MediaTypeComponent = "application/vnd.hpmq.component.v1.wasm+zstd"
	MediaTypeSchema    = "application/vnd.hpmq.config-schema.v1+json+zstd"
	MediaTypeCases     = "application/vnd.hpmq.cases.v1+json+zstd"
	MediaTypeLicence   = "text/plain+zstd"
	MediaTypeSBOM      = "application/spdx+json+zstd"
)

// What the annotations of a layer say of its content, uncompressed: the digest, and how many bytes.
const (
	AnnotationDigest = "vnd.hpmq.content.digest"
	AnnotationSize   = "vnd.hpmq.content.size"
)

// What bounds a bundle; sizes are of what is not compressed.
const (
	ComponentsMax = 32
	CasesMax      = 512
	// WasmBytesMax is what a broker takes as long as it is not told otherwise.
	WasmBytesMax     = 32 << 20
	CaseBytesMax     = 4 << 20
	LicenceBytesMax  = 1 << 20
	SBOMBytesMax     = 8 << 20
	ManifestBytesMax = 1 << 20
	// BytesMax bounds all layers together.
	BytesMax = 128 << 20
	// CasesWeightMax bounds what all golden cases together take once they are read: cases.Weight.
	CasesWeightMax int64 = 64 << 20

	nameMax        = 64
	textMax        = 1024 // of a description or a reason
	capabilityMax  = 16
	requirementMax = 32
)

var (
	// ErrBundle says that something is no bundle, or not a good one.
	ErrBundle = errors.New("no good bundle")
	// ErrSource says that a bundle cannot be made of what stands in a folder.
	ErrSource = errors.New("no bundle can be made of it")
)

// Manifest says what a bundle is.
type Manifest struct {
	Name        string `json:"name"`
	Version     string `json:"version"` // semver 2.0
	Description string `json:"description,omitempty"`
	// Licence is an SPDX expression, LicenceText the digest of its text.
	Licence     string     `json:"licence"`
	LicenceText oci.Digest `json:"licence_text"`
	// Requires are the packages of host interfaces that the broker must have: hpmq:broker@0.1.
	Requires   []string    `json:"requires"`
	Components []Component `json:"components"`
	// SBOM is the digest of a document in SPDX 2.3, as JSON.
	SBOM oci.Digest `json:"sbom"`
}

// Component is a component in a role.
type Component struct {
	Name string `json:"name"`
	Role string `json:"role"`
	// Digest is that of the .wasm.
	Digest oci.Digest `json:"digest"`
	// Capabilities are what it wants to import, and why.
	Capabilities []Capability `json:"capabilities"`
	Limits       Limits       `json:"limits,omitzero"`
	// Schema is the digest of a JSON Schema of its configuration, empty if it has none.
	Schema oci.Digest `json:"schema,omitempty"`
	// Defaults are its configuration where a link gives none.
	Defaults json.RawMessage `json:"defaults,omitempty"`
	// Cases are digests of golden cases.
	Cases []oci.Digest `json:"cases"`
}

// Capability is one that a component wants.
type Capability struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Limits are what a component asks to be bounded by; 0 is what the broker has.
type Limits struct {
	Fuel           uint64 `json:"fuel,omitempty"`
	StartFuel      uint64 `json:"start_fuel,omitempty"`
	DepthMax       uint32 `json:"depth_max,omitempty"`
	MemoryBytesMax uint64 `json:"memory_bytes_max,omitempty"`
}

// Bundle is one that was opened: all of it is there and is what its digests say. What it answers is
// not the caller's to change.
type Bundle struct {
	Manifest
	// Digest is that of the OCI manifest: what the bundle is known by, and what is signed.
	Digest oci.Digest
	// Descriptor is what the layout says of it.
	Descriptor oci.Descriptor
	// Layers are all but the manifest, by title.
	Layers []Layer

	content map[oci.Digest][]byte
	schemas map[oci.Digest]*schema.Schema
	cases   map[oci.Digest][]cases.Case
}

// Layer is one blob of a bundle.
type Layer struct {
	Title     string `json:"title"`
	MediaType string `json:"media_type"`
	// Digest and Size are of the content, Packed is the size as it is kept.
	Digest oci.Digest `json:"digest"`
	Size   int64      `json:"size"`
	Packed int64      `json:"packed"`
}

// Content is what has that digest, uncompressed; nil if nothing has.
func (b *Bundle) Content(d oci.Digest) []byte { return b.content[d] }

// Schema is that of a component of b, once it is understood; nil if it has none.
func (b *Bundle) Schema(c *Component) *schema.Schema { return b.schemas[c.Schema] }

// Cases are the golden cases of a component of b, once they are read.
func (b *Bundle) Cases(c *Component) []cases.Case {
	var all []cases.Case
	for _, d := range c.Cases {
		all = append(all, b.cases[d]...)
	}
	return all
}
