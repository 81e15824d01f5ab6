package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/file"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/sdk/bundle/sign"
	"github.com/hpmq/hpmq/sdk/section"
)

// errUntrusted is for what a change linked and nobody vouches for any more.
var errUntrusted = errors.New("not trusted any more")

// admit asks who vouches for a bundle, and whether this broker has what it needs. It pins who did.
func (a *App) admit(art *rollout.Artifact, b *fetchedBundle) error {
	policy := a.trust.Load()
	by, err := b.signedBy(policy)
	if err != nil {
		return err
	}
	art.Of, art.Key, art.KeyIDs, art.Vouched = b.Name, by.key, by.keyIDs, ""
	if vouched(policy, &art.Pin) {
		art.Vouched = art.Name
	}
	for _, r := range b.Requires {
		if !a.linker.Serves(r) {
			return fmt.Errorf("bundle %s %s requires %s, which this broker does not have: update "+
				"the broker, or take a bundle that was made for it", b.Name, b.Version, r)
		}
	}
	return nil
}

// signers are the keys of a policy that vouch for a bundle.
type signers struct {
	policy *sign.Policy
	key    string
	keyIDs []string
}

// signedBy verifies the bundle by a policy, once.
func (p *openedBundle) signedBy(policy *sign.Policy) (*signers, error) {
	if p.signers != nil && p.signers.policy == policy {
		return p.signers, nil
	}
	_, verdict, err := policy.VerifyLayout(p.layout, p.Descriptor)
	if err != nil {
		return nil, err
	}
	by := &signers{policy: policy, key: verdict.Key}
	for i := range policy.Keys {
		// Each key that signed it, so that another may go.
		alone := sign.Policy{Keys: policy.Keys[i : i+1]}
		if _, _, err := alone.VerifyLayout(p.layout, p.Descriptor); err == nil {
			by.keyIDs = append(by.keyIDs, policy.Keys[i].Key.ID())
		}
	}
	p.signers = by
	return by, nil
}

// admitAlone says whether a .wasm that was sent without a bundle may be linked. It pins by which
// name.
func (a *App) admitAlone(art *rollout.Artifact) error {
	art.Alone = nameAlone(art.Code, art.Name)
	if mayAlone(a.trust.Load(), art.Alone) {
		return nil
	}
	return fmt.Errorf("a .wasm alone has no signature, and trust.unsigned does not name %q: send "+
		"it in a bundle that a trusted key signed, name it there, or name the file in the "+
		"configuration", art.Alone)
}

// nameAlone is what a .wasm calls itself, or else what it was sent as.
func nameAlone(code []byte, sent string) string {
	var said struct{ Name string }
	text, err := section.Custom(code, section.Manifest)
	if err == nil && json.Unmarshal(text, &said) == nil && said.Name != "" {
		return said.Name
	}
	return sent
}

// mayAlone is what holds for a .wasm without a bundle: where keys are trusted, its name alone.
func mayAlone(t *sign.Policy, name string) bool {
	return len(t.Keys) == 0 || sign.Matches(t.Unsigned, name)
}

// vouched says whether a key that signed p may ship components of its name. Who may ship a bundle
// of one name may put a component of another into it, but not in the place of one of the broker's
// own.
func vouched(t *sign.Policy, p *rollout.Pin) bool {
	return slices.ContainsFunc(t.Keys, func(k sign.Trusted) bool {
		return slices.Contains(p.KeyIDs, k.Key.ID()) && sign.Matches(k.Names, p.Of) &&
			sign.Matches(k.Names, p.Name)
	})
}

// judge says whether what a change linked may be linked again. What came in a bundle may by a key
// that signed it, whatever that is called now, and that may ship as much as it did then; what was
// sent alone by its name. What comes with the broker or stands in its configuration always may. A
// component is never called otherwise because trust is another, since its name is the key of what
// it remembers. Errors are errUntrusted.
func (a *App) judge(p *rollout.Pin) error {
	t := a.trust.Load()
	switch {
	case p.Bundle != "":
	case p.Alone == "" || mayAlone(t, p.Alone):
		return nil
	default:
		return fmt.Errorf("%s, which was sent alone, is %w: trust.unsigned does not name it; name "+
			"it there, or link a bundle that a trusted key signed", p.Alone, errUntrusted)
	}
	signed := slices.ContainsFunc(t.Keys, func(k sign.Trusted) bool {
		return slices.Contains(p.KeyIDs, k.Key.ID()) && sign.Matches(k.Names, p.Of)
	})
	switch {
	case !signed && !sign.Matches(t.Unsigned, p.Of):
		return fmt.Errorf("bundle %s %s is %w: trust has no key that signed it and may ship it; "+
			"name one, or link another version", p.Of, p.Version, errUntrusted)
	case p.Vouched != "" && !vouched(t, p):
		return fmt.Errorf("%s of bundle %s %s is %w by that name: trust has no key that signed it "+
			"and may ship components that are called so; add the name to its names, or link "+
			"another version", p.Name, p.Of, p.Version, errUntrusted)
	}
	return nil
}

// judgePlace judges what is linked in a place. What was sent alone to a broker that did not pin its
// name says it again.
func (a *App) judgePlace(p *rollout.Pinned) error {
	pin := p.Pin
	if _, _, sent := sentSource(p.Source); sent && pin.Bundle == "" && pin.Alone == "" {
		code, err := a.changes.shelf.Get(pin.Digest)
		if err != nil {
			return err
		}
		pin.Alone = nameAlone(code, pin.Name)
	}
	return a.judge(&pin)
}

// judgeDigest judges what changes once linked by its digest: one bundle that may be is enough. What
// is not known came otherwise.
func (a *App) judgeDigest(digest string) error {
	var why error
	for _, c := range a.changes.machine.Changes() {
		for i := range c.Places {
			p := c.Places[i].New
			if p == nil || p.Digest != digest {
				continue
			}
			if why = a.judge(p); why == nil {
				return nil
			}
		}
	}
	return why
}

// trustOf reads the keys of a configuration.
func trustOf(t *configs.Trust) (*sign.Policy, error) {
	p := &sign.Policy{Unsigned: slices.Clone(t.Unsigned)}
	var errs []error
	for i := range t.Keys {
		k := &t.Keys[i]
		text := []byte(k.Key)
		if k.IsPath() {
			var err error
			if text, err = file.Read(k.Key, sign.KeyBytesMax); err != nil {
				errs = append(errs, fmt.Errorf("app: trust: key %s: %w: put the public key there "+
					"that hpmq-cli bundle key new made, or correct trust.keys", k.Name, err))
				continue
			}
		}
		if err := p.Add(k.Name, text, k.Names); err != nil {
			errs = append(errs, fmt.Errorf("app: trust: %w: correct trust.keys", err))
		}
	}
	return p, errors.Join(errs...)
}
