package link

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hpmq/hpmq/host/wasm"
)

// contracts are the versions of wit/ that a host serves at the same time, newest first, no two of
// one wasm.Track. Guests of each sit in one chain; one guest may speak another version with each
// interface.
type contracts []contract

// served are those of this host: the versions in wit/ and its deps, see wit/README.md.
func served() contracts { return contracts{contract01()} }

// spoken is what a component of a role is asked through; lent is nil if it gets all payloads whole,
// state and migration are if it does not have them.
type spoken struct{ lifecycle, role, lent, state, migration *face }

// spoken finds the newest versions that both have. It names all that is wrong with the exports.
func (cs contracts) spoken(mod *wasm.Module, r Role) (s spoken, wrong []string) {
	var more []string
	s.lifecycle, wrong = cs.newest(mod, func(c *contract) *face { return &c.lifecycle })
	s.role, more = cs.newest(mod, func(c *contract) *face { return &c.roles[r] })
	wrong = append(wrong, more...)
	s.lent = cs.newestOf(mod, func(c *contract) *face { return &c.lent[r] })
	s.state = cs.newestOf(mod, func(c *contract) *face { return &c.state })
	s.migration = cs.newestOf(mod, func(c *contract) *face { return &c.migration })
	for _, f := range []*face{s.lent, s.state, s.migration} {
		if f != nil {
			wrong = append(wrong, f.wrong(mod)...)
		}
	}
	return s, wrong
}

// newestOf is the newest version of an interface of which mod has a function, nil if it has none.
func (cs contracts) newestOf(mod *wasm.Module, of func(*contract) *face) *face {
	for i := range cs {
		f := of(&cs[i])
		if slices.ContainsFunc(f.exports, func(x export) bool { return mod.Has(x.name) }) {
			return f
		}
	}
	return nil
}

// newest is newestOf of an interface that mod must have, and what is wrong with that: an older one
// does not stand in for it, or a mistake would go unseen.
func (cs contracts) newest(mod *wasm.Module, of func(*contract) *face) (*face, []string) {
	if f := cs.newestOf(mod, of); f != nil {
		return f, f.wrong(mod)
	}
	if others := exported(mod, of(&cs[0])); others != nil {
		return nil, []string{wasm.List(others, " and ") + ", of which this host serves " +
			cs.tracks(of)}
	}
	return nil, of(&cs[0]).wrong(mod)
}

// inspect tells of each interface that mod exports in any version.
func (cs contracts) inspect(mod *wasm.Module) (all []Spoken) {
	tell := func(of func(*contract) *face) {
		asked, _ := cs.newest(mod, of)
		for _, name := range exported(mod, of(&cs[0])) {
			all = append(all, Spoken{
				Name: name, Served: cs.tracks(of),
				Asked: asked != nil && wasm.Track(name) == wasm.Track(asked.name),
			})
		}
	}
	tell(func(c *contract) *face { return &c.lifecycle })
	tell(func(c *contract) *face { return &c.state })
	tell(func(c *contract) *face { return &c.migration })
	for r := range roleCount {
		tell(func(c *contract) *face { return &c.roles[r] })
		if cs[0].lent[r].exports != nil {
			tell(func(c *contract) *face { return &c.lent[r] })
		}
	}
	return all
}

// wrong names what is wrong with the exports of mod.
func (f *face) wrong(mod *wasm.Module) (wrong []string) {
	for _, x := range f.exports {
		if text := x.as(mod); text != "" {
			wrong = append(wrong, text)
		}
	}
	return wrong
}

// exported are the full names of the versions of an interface that mod has functions of.
func exported(mod *wasm.Module, f *face) (all []string) {
	name, _, _ := strings.Cut(f.name, "@")
	for _, x := range mod.Exports() {
		full, _, _ := strings.Cut(x, "#")
		if strings.HasPrefix(full, name+"@") && !slices.Contains(all, full) {
			all = append(all, full)
		}
	}
	return all
}

// strange says which versions there are of interfaces that are asked for in another, "" if of none.
func (cs contracts) strange(interfaces []string) string {
	var all []string
	for _, name := range interfaces {
		full, _, _ := strings.Cut(name, "@")
		var have []string
		for _, c := range slices.Backward(cs) {
			if c.imported(full + "@" + c.version) {
				have = append(have, track(c.version))
			}
		}
		_, ok := cs.capability(name)
		if !ok && !cs.isGiven(name) && have != nil {
			if text := enumerate(have) + " of " + full; !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return strings.Join(all, ", ")
}

// explain adds to an error of Compile which versions there are of what is wanted in another.
func (cs contracts) explain(err error) error {
	var imports *wasm.ImportsError
	if !errors.As(err, &imports) {
		return err
	}
	if text := cs.strange(imports.Interfaces); text != "" {
		return fmt.Errorf("%w; this host serves %s", err, text)
	}
	return err
}

// tracks are the versions of an interface that are served, for people: "0.1 and 0.2".
func (cs contracts) tracks(of func(*contract) *face) string {
	var all []string
	for i := range slices.Backward(cs) {
		if f := of(&cs[i]); f.name != "" {
			all = append(all, track(f.version))
		}
	}
	return enumerate(all)
}

// track is as much of a version as counts.
func track(version string) string { return strings.TrimPrefix(wasm.Track("@"+version), "@") }

// enumerate is words as a sentence has them.
func enumerate(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// packages are the contracts by the names of their packages, for people, newest first.
func (cs contracts) packages() string {
	var all []string
	for _, c := range cs {
		all = append(all, contractPackage+"@"+c.version)
	}
	return enumerate(all)
}

// serves says whether one of the contracts is of the track of a package's name.
func (cs contracts) serves(pkg string) bool {
	return slices.ContainsFunc(cs, func(c contract) bool {
		return wasm.Track(pkg) == wasm.Track(contractPackage+"@"+c.version)
	})
}

// capabilities are all that can be granted, of any version, as they are written in a link.
func (cs contracts) capabilities() (all []string) {
	for _, c := range cs {
		for _, short := range c.capabilities {
			if !slices.Contains(all, short) {
				all = append(all, short)
			}
		}
	}
	return all
}

// imported says whether guests of c may import an interface.
func (c *contract) imported(name string) bool {
	return c.among(c.capabilities, name) != "" || c.among(c.given, name) != ""
}

// among is that of the interfaces of c which a name is of, of any patch version; "" if none.
func (c *contract) among(interfaces []string, name string) string {
	for _, short := range interfaces {
		if wasm.Track(name) == wasm.Track(interfaceOf(short, c.version)) {
			return short
		}
	}
	return ""
}

// isGiven says whether an interface needs no grant.
func (cs contracts) isGiven(name string) bool {
	return slices.ContainsFunc(cs, func(c contract) bool { return c.among(c.given, name) != "" })
}

// capability is how a link grants an interface that is imported: "kv", whatever the version; false
// if it is none of the capabilities.
func (cs contracts) capability(name string) (string, bool) {
	for i := range cs {
		if short := cs[i].among(cs[i].capabilities, name); short != "" {
			return short, true
		}
	}
	return "", false
}
