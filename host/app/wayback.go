package app

import (
	"cmp"
	"strings"

	"github.com/hpmq/hpmq/components"
	"github.com/hpmq/hpmq/host/rollout"
	"github.com/hpmq/hpmq/host/shelf"
	"github.com/hpmq/hpmq/sdk/client"
)

// waysBack fills in what a rollback brings back to the roles of one listener whose tables keep
// nothing warm, as it is after a restart: what the records of changes have.
func (o *operator) waysBack(chains []client.Linked) {
	warm := map[string]bool{}
	for i := range chains {
		l := &chains[i]
		warm[l.Role] = warm[l.Role] || l.Previous != "" || l.Added
	}
	for i := range chains {
		l := &chains[i]
		if warm[l.Role] {
			continue
		}
		items, err := o.changes.machine.Back(l.Listener, l.Role)
		if err != nil {
			continue // there is no way back, or none by a rollback
		}
		for j := range items {
			switch it := &items[j]; {
			case it.Position != l.Position:
			case it.Remove:
				l.Added = true
			default:
				l.Previous, l.PreviousName = o.slotNames(it)
			}
		}
	}
}

// slotNames are the digest of what an item brings back and its name. Of a file or a bundle that the
// configuration names the digest is not known until it is read.
func (o *operator) slotNames(it *rollout.Item) (digest, name string) {
	if p := it.Back.Pinned; p != nil {
		named := strings.TrimSpace(cmp.Or(p.Name, p.Source) + " " + p.Version)
		return strings.TrimPrefix(p.Digest, "sha256:"), named
	}
	at, err := o.places.find(it.Listener)
	if err != nil {
		return "", it.Source
	}
	chain := *at.link.Role(it.Role)
	if it.Back.From < 0 || it.Back.From >= len(chain) {
		return "", it.Source
	}
	name = chain[it.Back.From].Use
	if code, ok := components.Default(name); ok {
		digest = strings.TrimPrefix(shelf.DigestOf(code), "sha256:")
	}
	return digest, name
}
