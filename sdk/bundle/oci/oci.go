// Package oci knows how blobs stand in an OCI image layout (image-spec 1.1), as a folder or as a
// tar. It does not know what the blobs say, and speaks with no registry.
//
// What it opens may come from anybody: names, counts and sizes are bounded, no entry of a tar is
// written anywhere, a symbolic link does not lead out of a folder, and a blob is answered only if
// it is what its digest says.
package oci

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/hpmq/hpmq/sdk/jsonsize"
)

// The media types and annotations of image-spec that are used here.
const (
	MediaTypeIndex    = "application/vnd.oci.image.index.v1+json"
	MediaTypeManifest = "application/vnd.oci.image.manifest.v1+json"
	// MediaTypeEmpty is of the descriptor that stands for nothing: a config that there is not.
	MediaTypeEmpty = "application/vnd.oci.empty.v1+json"

	AnnotationTitle   = "org.opencontainers.image.title"
	AnnotationRefName = "org.opencontainers.image.ref.name"
)

// What bounds a layout.
const (
	// BlobBytesMax bounds one blob: the biggest known component, a JavaScript engine, has 4 MiB
	// compressed.
	BlobBytesMax = 64 << 20
	// BytesMax bounds all blobs together.
	BytesMax = 128 << 20
	// BlobsMax bounds how many there are; a golden case is one.
	BlobsMax = 1024
	// DocumentBytesMax bounds index.json and a manifest: registries take no larger ones.
	DocumentBytesMax = 4 << 20
	// DocumentValuesMax bounds the values in one, since {} costs a reader much more than a writer.
	DocumentValuesMax = 64 << 10
	// ManifestsMax bounds what index.json lists: bundles, and their signatures.
	ManifestsMax = 256
)

var (
	// ErrLayout says that something is not an image layout, or one beyond the bounds.
	ErrLayout = errors.New("no good OCI image layout")
	// ErrDigest says that a blob is not what its digest says: it was changed, or cut short.
	ErrDigest = errors.New("not what its digest says")
	// ErrMissing says that a blob is not there.
	ErrMissing = errors.New("missing")
)

// Digest is "sha256:" with 64 hexadecimal digits, in lower case. No other algorithm is taken.
type Digest string

const sha256Prefix = "sha256:"

// DigestOf is the digest of b.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest(sha256Prefix + hex.EncodeToString(sum[:]))
}

// Check refuses what has not the form of a digest.
func (d Digest) Check() error {
	h, ok := strings.CutPrefix(string(d), sha256Prefix)
	if !ok || len(h) != 2*sha256.Size || strings.Trim(h, "0123456789abcdef") != "" {
		return fmt.Errorf("oci: %w: %.80q is no digest: want sha256: and 64 hexadecimal digits",
			ErrLayout, d)
	}
	return nil
}

// Hex is the digest without its algorithm.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), sha256Prefix) }

// Short is the beginning, enough for a person to tell two apart.
func (d Digest) Short() string { return d.Hex()[:min(12, len(d.Hex()))] }

// Descriptor says of a blob what it is.
type Descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       Digest            `json:"digest"`
	Size         int64             `json:"size"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	ArtifactType string            `json:"artifactType,omitempty"`
}

// Manifest is an image manifest: what belongs together.
type Manifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        Descriptor        `json:"config"`
	Layers        []Descriptor      `json:"layers"`
	Subject       *Descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// Index is index.json: where reading begins.
type Index struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	Manifests     []Descriptor `json:"manifests"`
}

// CheckDocument refuses JSON that has more than DocumentValuesMax values, before it is read. It
// does not look at whether it is good JSON.
func CheckDocument(text []byte) error {
	values := jsonsize.Values(text)
	if values > DocumentValuesMax {
		return fmt.Errorf("oci: %w: JSON of %d values; at most %d are read", ErrLayout, values,
			DocumentValuesMax)
	}
	return nil
}

// EmptyJSON is the blob of MediaTypeEmpty.
func EmptyJSON() []byte { return []byte("{}") }
