package sign

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// The PEM types of key files.
const (
	privateType = "PRIVATE KEY" // PKCS #8, RFC 5958
	publicType  = "PUBLIC KEY"  // SubjectPublicKeyInfo, RFC 5280
)

// KeyBytesMax bounds a key file.
const KeyBytesMax = 16 << 10

// errSignature says that a signature is not by a key.
var errSignature = errors.New("the signature does not hold")

// Public is a key that verifies.
type Public struct{ key ed25519.PublicKey }

// Private is a key that signs. It is not printed by accident.
type Private struct{ key ed25519.PrivateKey }

// Generate answers a new key, from the system's random numbers.
func Generate() (Private, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Private{}, fmt.Errorf("sign: generate: %w", err)
	}
	return Private{key}, nil
}

// ParsePrivate reads a PEM file with a key in PKCS #8.
func ParsePrivate(text []byte) (Private, error) {
	block, err := only(text, privateType)
	if err != nil {
		return Private{}, fmt.Errorf("sign: private key: %w", err)
	}
	any, err := x509.ParsePKCS8PrivateKey(block)
	if err != nil {
		return Private{}, fmt.Errorf("sign: private key: %w", err)
	}
	key, ok := any.(ed25519.PrivateKey)
	if !ok {
		return Private{}, errors.New("sign: private key: it is not for ed25519")
	}
	return Private{key}, nil
}

// ParsePublic reads a PEM file with a SubjectPublicKeyInfo, or the base64 within it on one line.
func ParsePublic(text []byte) (Public, error) {
	der, err := publicDER(text)
	if err != nil {
		return Public{}, fmt.Errorf("sign: public key: %w", err)
	}
	any, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return Public{}, fmt.Errorf("sign: public key: %w", err)
	}
	key, ok := any.(ed25519.PublicKey)
	if !ok {
		return Public{}, errors.New("sign: public key: it is not for ed25519")
	}
	return Public{key}, nil
}

func publicDER(text []byte) ([]byte, error) {
	if len(text) > KeyBytesMax {
		return nil, fmt.Errorf("a key has at most %d bytes", KeyBytesMax)
	}
	if !strings.Contains(string(text), "-----BEGIN ") {
		der, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
		if err != nil {
			return nil, errors.New("it is neither PEM nor the base64 of a public key")
		}
		return der, nil
	}
	return only(text, publicType)
}

// only answers the bytes of the one PEM block in text, which must be of that type.
func only(text []byte, want string) ([]byte, error) {
	if len(text) > KeyBytesMax {
		return nil, fmt.Errorf("a key has at most %d bytes", KeyBytesMax)
	}
	block, rest := pem.Decode(text)
	switch {
	case block == nil:
		return nil, fmt.Errorf("no PEM in it: -----BEGIN %s-----", want)
	case block.Type != want:
		return nil, fmt.Errorf("it holds a %s, not a %s", clip(block.Type), want)
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errors.New("it holds more than one key")
	}
	return block.Bytes, nil
}

// PEM is the key as a file, in PKCS #8.
func (k Private) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		return nil, fmt.Errorf("sign: private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateType, Bytes: der}), nil
}

// Public is the key that verifies what k signs.
func (k Private) Public() Public {
	return Public{k.key.Public().(ed25519.PublicKey)} // as the package promises
}

// String does not tell the key.
func (k Private) String() string { return "private key of " + k.Public().ID() }

// GoString does not either.
func (k Private) GoString() string { return k.String() }

// KeyID is that of the public key, as dsse.Signer.
func (k Private) KeyID() (string, error) { return k.Public().ID(), nil }

// Sign signs data, as dsse.Signer.
func (k Private) Sign(_ context.Context, data []byte) ([]byte, error) {
	if len(k.key) != ed25519.PrivateKeySize {
		return nil, errors.New("there is no key")
	}
	return ed25519.Sign(k.key, data), nil
}

// der is the key as SubjectPublicKeyInfo, empty if there is none.
func (k Public) der() []byte {
	if len(k.key) != ed25519.PublicKeySize {
		return nil
	}
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		panic(err) // an ed25519 key of the right length always can
	}
	return der
}

// PEM is the key as a file.
func (k Public) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: k.der()})
}

// Text is the key as it stands in a configuration, base64 on one line.
func (k Public) Text() string { return base64.StdEncoding.EncodeToString(k.der()) }

// ID names the key: sha256: and the hash of its SubjectPublicKeyInfo in DER.
func (k Public) ID() string {
	sum := sha256.Sum256(k.der())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// String is ID.
func (k Public) String() string { return k.ID() }

// KeyID is ID, as dsse.Verifier.
func (k Public) KeyID() (string, error) { return k.ID(), nil }

// Public is the key as the standard library has it, as dsse.Verifier.
func (k Public) Public() crypto.PublicKey { return k.key }

// Verify says whether sig is k's signature of data, as dsse.Verifier.
func (k Public) Verify(_ context.Context, data, sig []byte) error {
	if len(k.key) != ed25519.PublicKeySize || !ed25519.Verify(k.key, data, sig) {
		return errSignature
	}
	return nil
}
