package sign

import (
	"fmt"
	"strings"
)

// EnvelopesMax bounds how many signatures of one bundle are looked at.
const EnvelopesMax = 64

// Trusted is a key and the bundles it may ship.
type Trusted struct {
	// Name is what people call the key, in messages.
	Name string
	Key  Public
	// Names are patterns of bundle names: * stands for any text, all else for itself.
	Names []string
}

// Policy says whose word is enough. The zero Policy takes no bundle.
type Policy struct {
	Keys []Trusted
	// Unsigned are patterns of the names of bundles that need no signature.
	Unsigned []string
}

// Add lets a key ship the bundles of names; text is as ParsePublic takes it.
func (p *Policy) Add(name string, text []byte, names []string) error {
	key, err := ParsePublic(text)
	if err != nil {
		return fmt.Errorf("the key %s: %w", name, err)
	}
	p.Keys = append(p.Keys, Trusted{Name: name, Key: key, Names: names})
	return nil
}

// Verdict is why a bundle may be used.
type Verdict struct {
	// Key and KeyID name the key that vouches for it; both are empty if none needs to.
	Key   string `json:"key,omitempty"`
	KeyID string `json:"key_id,omitempty"`
	// Unsigned says that no key that is trusted signed it, and that the policy takes it so.
	Unsigned bool `json:"unsigned,omitempty"`
}

// Verify says whether a bundle may be used: b is what it is, read from it, envelopes what was found
// beside it. One signature that holds among the first EnvelopesMax is enough, whatever else is
// there. A refusal is a *Refusal.
func (p *Policy) Verify(b Statement, envelopes [][]byte) (Verdict, error) {
	if err := b.check(); err != nil {
		return Verdict{}, fmt.Errorf("sign: verify: %w", err)
	}
	nearest := p.unsigned(&b)
	for _, text := range envelopes[:min(len(envelopes), EnvelopesMax)] {
		verdict, r := p.one(&b, text)
		if r == nil {
			return verdict, nil
		}
		if r.Reason > nearest.Reason {
			nearest = r
		}
	}
	if len(envelopes) > EnvelopesMax { // the one that counts may be behind
		return Verdict{}, tooMany(&b, len(envelopes))
	}
	if nearest.Reason <= UnknownKey && Matches(p.Unsigned, b.Name) {
		return Verdict{Unsigned: true}, nil
	}
	return Verdict{}, nearest
}

// one looks at one envelope.
func (p *Policy) one(b *Statement, text []byte) (Verdict, *Refusal) {
	e, err := Decode(text)
	if err != nil {
		return Verdict{}, malformed(b, err)
	}
	var by *Trusted // who signed it, though it does not count
	for i := range p.Keys {
		k := &p.Keys[i]
		if !e.signedBy(k.Key) {
			continue
		}
		if e.Claim == *b && Matches(k.Names, b.Name) {
			return Verdict{Key: k.Name, KeyID: k.Key.ID()}, nil
		}
		by = k
	}
	switch {
	case by == nil:
		return Verdict{}, p.unproven(b, e)
	case e.Claim == *b:
		return Verdict{}, wrongName(b, by)
	case e.Claim.Name == b.Name && e.Claim.Version == b.Version:
		return Verdict{}, changed(b, by, e)
	}
	return Verdict{}, another(b, by, e)
}

// Matches says whether a pattern is that of name: * stands for any text, all else for itself.
func Matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if matches(p, name) {
			return true
		}
	}
	return false
}

func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return strings.HasSuffix(name, parts[last])
}
