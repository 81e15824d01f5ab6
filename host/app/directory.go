package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hpmq/hpmq/configs"
	"github.com/hpmq/hpmq/host/rollout"
)

// directory says by what name the links of a listener are known, and what its configuration links.
// It has a lock of its own: changes ask it, and App.change is held while some of them are waited
// for.
type directory struct {
	mu  sync.Mutex
	all map[string]located
}

// located is one listener that is linked, open or removed.
type located struct {
	key  string // of the link
	base rollout.Base
	link configs.Link // that of the configuration
}

// set puts l in the place of what there was.
func (d *directory) set(name string, l located) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = make(map[string]located)
	}
	d.all[name] = l
}

// names are those of the listeners, by the names of their links.
func (d *directory) names() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := make(map[string]string, len(d.all))
	for name, l := range d.all {
		names[l.key] = name
	}
	return names
}

// rename is for a listener that is removed, and drop for one whose last connection has left.
func (d *directory) rename(name, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all[id] = d.all[name]
	delete(d.all, name)
}

func (d *directory) drop(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, name)
}

func (d *directory) find(name string) (located, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, ok := d.all[name]
	if !ok {
		return l, fmt.Errorf("app: listener %.80s: %w: %s", name, errUnknown,
			thereAre(slices.Sorted(maps.Keys(d.all))))
	}
	return l, nil
}

// thereAre lists names of listeners, some if they are many.
func thereAre(names []string) string {
	const most = 16
	switch n := len(names); {
	case n == 0:
		return "there is none: add it first"
	case n > most:
		names = append(slices.Clone(names[:most]), fmt.Sprintf("and %d more", n-most))
	}
	return "name one that there is: " + strings.Join(names, ", ")
}

// baseOf is a link of a configuration as changes know it.
func baseOf(l *configs.Link) (rollout.Base, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return rollout.Base{}, fmt.Errorf("app: link: %w", err)
	}
	sum := sha256.Sum256(text)
	b := rollout.Base{Hash: hex.EncodeToString(sum[:]), Chains: make(map[string]int)}
	for _, role := range configs.Roles() {
		if n := len(*l.Role(role)); n > 0 {
			b.Chains[role] = n
		}
	}
	return b, nil
}
