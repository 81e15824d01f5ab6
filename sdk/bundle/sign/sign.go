// Package sign knows which key vouches for which bundle: ed25519 keys as PEM, signatures as DSSE
// envelopes that are referrers of the bundle's manifest, and the policy that says whose signature
// counts for which name.
//
// It asks no clock and no network: the layout and the policy decide, so that a broker without a
// connection comes to the same answer. It does not know what is in a bundle, but its name and
// version.
package sign

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// PayloadType is what an envelope says its payload is: a Statement as JSON.
const PayloadType = "application/vnd.hpmq.bundle.v1+json"

// Bounds of an envelope, in bytes of JSON, and of how many signatures there are in it.
const (
	EnvelopeBytesMax = 16 << 10
	SignaturesMax    = 16
)

// textBytesMax bounds a name, a version and the name of a key in an envelope.
const textBytesMax = 256

// Statement is what a signature says: this manifest is that version of the bundle of that name.
type Statement struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Manifest is the digest of the bundle's manifest: sha256: and 64 hexadecimal digits.
	Manifest string `json:"manifest"`
}

var digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (s *Statement) check() error {
	switch {
	case s.Name == "" || len(s.Name) > textBytesMax:
		return fmt.Errorf("the name of a bundle has 1 to %d bytes", textBytesMax)
	case s.Version == "" || len(s.Version) > textBytesMax:
		return fmt.Errorf("the version of a bundle has 1 to %d bytes", textBytesMax)
	case strings.ContainsFunc(s.Name+s.Version, odd):
		return errors.New("the name and the version of a bundle have no spaces, and nothing that " +
			"cannot be shown")
	case !digestForm.MatchString(s.Manifest):
		return errors.New("the digest of a manifest is sha256: and 64 hexadecimal digits")
	}
	return nil
}

// odd is what a terminal may obey.
func odd(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar
}

// Sign answers an envelope in which k signs s. The same key and statement make the same bytes.
func Sign(k Private, s Statement) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	payload, err := json.Marshal(&s)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	signer, err := dsse.NewEnvelopeSigner(k)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	envelope, err := signer.SignPayload(context.Background(), PayloadType, payload)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return json.Marshal(envelope)
}

// Envelope is a decoded signature. Nothing in it is proven.
type Envelope struct {
	// Claim is what it says.
	Claim Statement
	// KeyIDs are those of the keys that it says signed it, empty where it does not say.
	KeyIDs []string

	dsse dsse.Envelope
}

// Decode reads an envelope as Sign makes it. It does not look at whether the signatures hold.
func Decode(text []byte) (*Envelope, error) {
	e := new(Envelope)
	if err := e.decode(text); err != nil {
		return nil, fmt.Errorf("sign: decode: %w", err)
	}
	return e, nil
}

func (e *Envelope) decode(text []byte) error {
	if len(text) > EnvelopeBytesMax {
		return fmt.Errorf("an envelope has at most %d bytes", EnvelopeBytesMax)
	}
	if err := one(text, &e.dsse, false); err != nil {
		return fmt.Errorf("it is no DSSE envelope: %w", err)
	}
	if e.dsse.PayloadType != PayloadType {
		return fmt.Errorf("its payload is %q, not %s", clip(e.dsse.PayloadType), PayloadType)
	}
	if n := len(e.dsse.Signatures); n == 0 || n > SignaturesMax {
		return fmt.Errorf("it has %d signatures; 1 to %d are read", n, SignaturesMax)
	}
	for _, s := range e.dsse.Signatures {
		if len(s.KeyID) > textBytesMax {
			return fmt.Errorf("the id of a key has at most %d bytes", textBytesMax)
		}
		e.KeyIDs = append(e.KeyIDs, s.KeyID)
	}
	payload, err := e.dsse.DecodeB64Payload()
	if err != nil {
		return err
	}
	if err := one(payload, &e.Claim, true); err != nil {
		return fmt.Errorf("its payload: %w", err)
	}
	if err := e.Claim.check(); err != nil {
		return fmt.Errorf("its payload: %w", err)
	}
	return nil
}

// one decodes text as one JSON value with nothing behind it, strictly without keys that v has not.
func one(text []byte, v any, strict bool) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	if strict {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON")
	}
	return nil
}

// signedBy says whether a signature of the envelope is by k.
func (e *Envelope) signedBy(k Public) bool {
	// One verifier at a time: the library counts only one for each key and writes about others
	// to standard output.
	v, err := dsse.NewEnvelopeVerifier(k)
	if err != nil {
		return false
	}
	_, err = v.Verify(context.Background(), &e.dsse)
	return err == nil
}

// clip shortens what a stranger wrote.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
