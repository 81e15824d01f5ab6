package sign

import (
	"encoding/json"
	"fmt"

	"github.com/hpmq/hpmq/sdk/bundle"
	"github.com/hpmq/hpmq/sdk/bundle/oci"
)

// The types of what stands in a layout.
const (
	// SignatureType is the artifact type of a signature, whose subject is the bundle's manifest.
	SignatureType = "application/vnd.hpmq.signature.v1+json"
	// EnvelopeType is the media type of its one layer.
	EnvelopeType = "application/vnd.dsse.envelope.v1+json"
)

// Of is what a signature of a bundle says. It reads the bundle to its end: a blob that is missing,
// cut short or changed is an error, oci.ErrMissing or oci.ErrDigest.
func Of(l *oci.Layout, d oci.Descriptor) (Statement, error) {
	m, err := l.Manifest(d)
	if err != nil {
		return Statement{}, fmt.Errorf("sign: the manifest of the bundle: %w", err)
	}
	if m.ArtifactType != bundle.ArtifactType || m.Config.MediaType != bundle.MediaTypeConfig {
		return Statement{}, fmt.Errorf("sign: %s is %.80q with a config of %.80q, not a bundle",
			d.Digest, m.ArtifactType, m.Config.MediaType)
	}
	config, err := l.Blob(m.Config)
	if err != nil {
		return Statement{}, fmt.Errorf("sign: the config of the bundle: %w", err)
	}
	for i, layer := range m.Layers {
		if _, err := l.Blob(layer); err != nil {
			return Statement{}, fmt.Errorf("sign: layer %d of the bundle, %.80q: %w", i,
				layer.Annotations[oci.AnnotationTitle], err)
		}
	}
	s := Statement{}
	if err := json.Unmarshal(config, &s); err != nil {
		return s, fmt.Errorf("sign: the config of the bundle: %w", err)
	}
	s.Manifest = string(d.Digest)
	if err := s.check(); err != nil {
		return s, fmt.Errorf("sign: the config of the bundle: %w", err)
	}
	return s, nil
}

// Attach puts an envelope beside the bundle that d describes. The same one is there once.
func Attach(l *oci.Layout, d oci.Descriptor, envelope []byte) (oci.Descriptor, error) {
	config, err := l.Add(oci.MediaTypeEmpty, oci.EmptyJSON())
	if err != nil {
		return oci.Descriptor{}, fmt.Errorf("sign: attach: %w", err)
	}
	layer, err := l.Add(EnvelopeType, envelope)
	if err != nil {
		return oci.Descriptor{}, fmt.Errorf("sign: attach: %w", err)
	}
	at, err := l.AddManifest(oci.Manifest{
		ArtifactType: SignatureType, Config: config, Layers: []oci.Descriptor{layer},
		Subject: &oci.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size},
	}, nil)
	if err != nil {
		return at, fmt.Errorf("sign: attach: %w", err)
	}
	return at, nil
}

// Envelopes are those beside the bundle that d describes. What stands there as a signature and is
// not built as one is left out; where nothing else is there, it is an error.
func Envelopes(l *oci.Layout, d oci.Descriptor) ([][]byte, error) {
	of, err := l.Referrers(d.Digest, SignatureType)
	if err != nil {
		return nil, fmt.Errorf("sign: the signatures of the bundle: %w", err)
	}
	var out [][]byte
	var first error
	for _, at := range of {
		b, err := envelope(l, at)
		if err == nil {
			out = append(out, b)
		} else if first == nil {
			first = err
		}
	}
	if len(out) == 0 {
		return nil, first
	}
	return out, nil
}

func envelope(l *oci.Layout, at oci.Descriptor) ([]byte, error) {
	m, err := l.Manifest(at)
	if err != nil {
		return nil, fmt.Errorf("sign: a signature of the bundle: %w", err)
	}
	if err := CheckSignature(m); err != nil {
		return nil, fmt.Errorf("sign: the signature %s: %w", at.Digest, err)
	}
	b, err := l.Blob(m.Layers[0])
	if err != nil {
		return nil, fmt.Errorf("sign: a signature of the bundle: %w", err)
	}
	return b, nil
}

// CheckSignature says whether m is built as Attach builds signatures.
func CheckSignature(m *oci.Manifest) error {
	switch {
	case m.ArtifactType != SignatureType || m.Subject == nil:
		return fmt.Errorf("%w: it is no signature of something", oci.ErrLayout)
	case len(m.Layers) != 1 || m.Layers[0].MediaType != EnvelopeType:
		return fmt.Errorf("%w: a signature has one layer, %s", oci.ErrLayout, EnvelopeType)
	case m.Layers[0].Size > EnvelopeBytesMax:
		return fmt.Errorf("%w: an envelope has at most %d bytes", oci.ErrLayout, EnvelopeBytesMax)
	case m.Config.Size > EnvelopeBytesMax:
		return fmt.Errorf("%w: its config has more than %d bytes", oci.ErrLayout, EnvelopeBytesMax)
	}
	return nil
}

// VerifyLayout is Verify of the bundle that d describes, by what stands beside it in the layout. It
// reads all of the bundle. What it answers of the bundle is proven where there is no error.
func (p *Policy) VerifyLayout(l *oci.Layout, d oci.Descriptor) (Statement, Verdict, error) {
	s, err := Of(l, d)
	if err != nil {
		return s, Verdict{}, err
	}
	envelopes, err := Envelopes(l, d)
	if err != nil {
		return s, Verdict{}, err
	}
	v, err := p.Verify(s, envelopes)
	return s, v, err
}
