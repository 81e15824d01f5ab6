package configs

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
)

// What bounds Trust: its keys, the patterns of one list, the bytes of one pattern.
const (
	TrustedKeysMax  = 64
	PatternsMax     = 256
	PatternBytesMax = 256
)

// Trust says who may ship bundles. It does not concern the components that come with the broker or
// that stand as files in a link.
type Trust struct {
	// Keys are those whose signatures count.
	Keys []TrustedKey `yaml:"keys"`
	// Unsigned are patterns of the names of bundles that need no signature, as TrustedKey.Names.
	Unsigned []string `yaml:"unsigned"`
}

// TrustedKey is a key and what it may ship.
type TrustedKey struct {
	// Name is what messages call it.
	Name string `yaml:"name"`
	// Key is a public key for ed25519: the base64 of its SubjectPublicKeyInfo, or the path of a PEM
	// file; Load makes a relative path relative to the folder of the file that names it.
	Key string `yaml:"key"`
	// Names are patterns of the names of the bundles it may ship: * stands for any text.
	Names []string `yaml:"names"`
}

// DefaultTrust trusts nobody.
func DefaultTrust() Trust { return Trust{Keys: []TrustedKey{}, Unsigned: []string{}} }

// IsPath is true when Key means a file.
func (k *TrustedKey) IsPath() bool { return strings.HasSuffix(k.Key, ".pem") }

// relativeTo makes the relative paths of key files relative to dir.
func (t *Trust) relativeTo(dir string) {
	for i := range t.Keys {
		if k := &t.Keys[i]; k.IsPath() && !filepath.IsAbs(k.Key) {
			k.Key = filepath.Join(dir, k.Key)
		}
	}
}

func (t *Trust) validate(ps *Problems) {
	if n := len(t.Keys); n > TrustedKeysMax {
		ps.add("trust.keys", "%d are too many; at most %d", n, TrustedKeysMax)
	}
	names := make(map[string]string)
	for i := range t.Keys {
		k, at := &t.Keys[i], fmt.Sprintf("trust.keys[%d]", i)
		switch {
		case !nameForm.MatchString(k.Name):
			ps.add(at+".name", "%q must be 1 to 64 letters, digits, dots, dashes and underscores",
				clip(k.Name))
		case names[k.Name] != "":
			ps.add(at+".name", "%q is the name of %s too; give each one of its own", k.Name,
				names[k.Name])
		default:
			names[k.Name] = at
		}
		ps.note(at+".key", k.fault())
		if len(k.Names) == 0 {
			ps.add(at+".names", `is empty: the key may ship nothing; "*" is every bundle`)
		}
		validatePatterns(ps, at+".names", k.Names)
	}
	validatePatterns(ps, "trust.unsigned", t.Unsigned)
}

// keyPrefix is what the SubjectPublicKeyInfo of an ed25519 key begins with, RFC 8410, section 4;
// the 32 bytes of the key follow.
func keyPrefix() []byte {
	return []byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}
}

// fault says what is wrong with Key, without looking at the file it may name.
func (k *TrustedKey) fault() string {
	const right = "write the key that hpmq-cli bundle key show prints, or the path of a file " +
		"that ends in .pem"
	switch {
	case k.Key == "":
		return "is missing; " + right
	case strings.Contains(k.Key, "PRIVATE KEY"):
		return "is a private key: keep it secret; " + right
	case k.IsPath():
		return ""
	}
	der, err := base64.StdEncoding.DecodeString(k.Key)
	if err != nil || !bytes.HasPrefix(der, keyPrefix()) || len(der) != len(keyPrefix())+32 {
		return fmt.Sprintf("%q is no public key for ed25519; %s", clip(k.Key), right)
	}
	return ""
}

func validatePatterns(ps *Problems, at string, patterns []string) {
	if n := len(patterns); n > PatternsMax {
		ps.add(at, "%d are too many; at most %d", n, PatternsMax)
	}
	for i, p := range patterns {
		odd := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }
		if p == "" || len(p) > PatternBytesMax || strings.ContainsFunc(p, odd) {
			ps.add(fmt.Sprintf("%s[%d]", at, i), "%q is no pattern of bundle names; write acme-* "+
				"for all that begin so", clip(p))
		}
	}
}
