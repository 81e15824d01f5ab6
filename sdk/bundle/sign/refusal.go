package sign

import (
	"fmt"
	"strings"
)

// Reason is why a bundle is refused. A higher one came nearer to being taken.
type Reason uint8

// The reasons.
const (
	// Unsigned has no signature at all, or the policy has no key.
	Unsigned Reason = iota + 1
	// UnknownKey is signed by keys alone that the policy does not name.
	UnknownKey
	// TooMany has more signatures beside it than are looked at.
	TooMany
	// Malformed has something beside it that is no signature.
	Malformed
	// Altered names a key that is trusted, which did not sign what stands there.
	Altered
	// Another has the signature of another bundle beside it.
	Another
	// Changed has the signature of a bundle of its name and version with other content.
	Changed
	// WrongName is signed by a key that may not ship bundles of its name.
	WrongName
)

// Refusal is why a bundle may not be used.
type Refusal struct {
	Reason Reason
	// Bundle is which.
	Bundle Statement
	// Said is what is wrong with it, Do what the operator can do.
	Said, Do string
}

// Error says which bundle, why, and the way out.
func (r *Refusal) Error() string {
	return fmt.Sprintf("sign: bundle %s %s is not trusted: %s; to do: %s", r.Bundle.Name,
		r.Bundle.Version, r.Said, r.Do)
}

func (p *Policy) unsigned(b *Statement) *Refusal {
	r := &Refusal{Reason: Unsigned, Bundle: *b, Said: "it is not signed",
		Do: "get a signed one, sign it with hpmq-cli bundle sign, or name it in trust.unsigned"}
	if len(p.Keys) == 0 {
		r.Said = "no key is trusted"
		r.Do = "name the key that signs it in trust.keys, or the bundle in trust.unsigned"
	}
	return r
}

func tooMany(b *Statement, n int) *Refusal {
	return &Refusal{Reason: TooMany, Bundle: *b,
		Said: fmt.Sprintf("%d signatures are beside it, at most %d are looked at", n, EnvelopesMax),
		Do:   "leave those that count, and drop the others"}
}

func malformed(b *Statement, err error) *Refusal {
	return &Refusal{Reason: Malformed, Bundle: *b,
		Said: fmt.Sprintf("what stands beside it as a signature is none: %v", err),
		Do:   "get the bundle again, or sign it again with hpmq-cli bundle sign"}
}

// unproven is an envelope that no trusted key signed.
func (p *Policy) unproven(b *Statement, e *Envelope) *Refusal {
	for i := range p.Keys {
		for _, id := range e.KeyIDs {
			if k := &p.Keys[i]; id == k.Key.ID() {
				return &Refusal{Reason: Altered, Bundle: *b,
					Said: fmt.Sprintf("its signature says it is by key %s and is not: the "+
						"signature or what it signs was changed", k.Name),
					Do: "do not use it; get it again from who made it"}
			}
		}
	}
	if len(p.Keys) == 0 {
		return p.unsigned(b)
	}
	return &Refusal{Reason: UnknownKey, Bundle: *b,
		Said: "it is signed by " + keys(e.KeyIDs) + ", which is not trusted",
		Do: "if that key should ship it, name the key in trust.keys; its id is printed by " +
			"hpmq-cli bundle key show"}
}

// keys names the keys that an envelope says signed it.
func keys(ids []string) string {
	var known []string
	for _, id := range ids {
		if id != "" {
			known = append(known, fmt.Sprintf("%q", clip(id)))
		}
	}
	if known == nil {
		return "a key without a name"
	}
	return "key " + strings.Join(known, ", ")
}

func another(b *Statement, k *Trusted, e *Envelope) *Refusal {
	return &Refusal{Reason: Another, Bundle: *b,
		Said: fmt.Sprintf("the signature of key %s is of another bundle: %s %s, manifest %s",
			k.Name, e.Claim.Name, e.Claim.Version, e.Claim.Manifest),
		Do: "get the signature of this bundle, or sign it with hpmq-cli bundle sign"}
}

func changed(b *Statement, k *Trusted, e *Envelope) *Refusal {
	return &Refusal{Reason: Changed, Bundle: *b,
		Said: fmt.Sprintf("key %s signed other content under this name and version: manifest %s, "+
			"here it is %s", k.Name, e.Claim.Manifest, b.Manifest),
		Do: "do not use it; get it again from who made it, or have this content signed"}
}

func wrongName(b *Statement, k *Trusted) *Refusal {
	may := "nothing"
	if len(k.Names) > 0 {
		may = strings.Join(k.Names, ", ")
	}
	return &Refusal{Reason: WrongName, Bundle: *b,
		Said: fmt.Sprintf("key %s signed it and may ship %s alone", k.Name, may),
		Do:   fmt.Sprintf("if it may ship %s, add that to its names in trust.keys", b.Name)}
}
