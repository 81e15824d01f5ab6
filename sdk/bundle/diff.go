package bundle

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/hpmq/hpmq/sdk/bundle/oci"
	"github.com/hpmq/hpmq/sdk/bundle/spdx"
)

// Difference is one between two bundles. From is empty for what is new, To for what is gone.
type Difference struct {
	What string `json:"what"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Alert says why an operator should look at it: it wants more than before, or goes back.
	Alert string `json:"alert,omitempty"`
}

// differ gathers differences.
type differ struct{ out []Difference }

func (d *differ) add(what, from, to string) {
	if from != to {
		d.out = append(d.out, Difference{What: what, From: from, To: to})
	}
}

func (d *differ) alert(what, from, to, why string) {
	if from != to {
		d.out = append(d.out, Difference{what, from, to, why})
	}
}

// both tells two lists by name apart, in the order of their names.
func (d *differ) both(what string, from, to map[string]string) {
	names := map[string]bool{}
	for _, list := range []map[string]string{from, to} {
		for name := range list {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		d.add(what+" "+name, from[name], to[name])
	}
}

// Diff says what is different in to, by meaning: in the order of a manifest.
func Diff(from, to *Bundle) []Difference {
	d := &differ{}
	d.alert("name", from.Name, to.Name, "it is another bundle")
	if why := ""; from.Version != to.Version {
		if CompareVersions(to.Version, from.Version) < 0 {
			why = "it is older"
		}
		d.alert("version", from.Version, to.Version, why)
	}
	d.add("description", from.Description, to.Description)
	d.alert("licence", from.Licence, to.Licence, "it is under another licence")
	d.add("licence text", from.LicenceText.Short(), to.LicenceText.Short())
	d.both("requires", set(from.Requires), set(to.Requires))
	was, is := from.byKey(), to.byKey()
	keys := slices.Sorted(maps.Keys(was))
	for key := range is {
		if was[key] == nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		d.component(key, side{from, was[key]}, side{to, is[key]})
	}
	d.both("contains", set(spdx.URLs(from.content[from.SBOM])),
		set(spdx.URLs(to.content[to.SBOM])))
	if len(d.out) == 0 && from.Digest != to.Digest {
		d.add("digest", string(from.Digest), string(to.Digest))
	}
	return d.out
}

func set(list []string) map[string]string {
	out := map[string]string{}
	for _, s := range list {
		out[s] = "yes"
	}
	return out
}

// byKey are the components by name and role.
func (b *Bundle) byKey() map[string]*Component {
	out := map[string]*Component{}
	for i := range b.Components {
		c := &b.Components[i]
		out[c.Name+" as "+c.Role] = c
	}
	return out
}

// side is a component in its bundle; nil where the bundle has it not.
type side struct {
	b *Bundle
	c *Component
}

func (d *differ) component(key string, from, to side) {
	switch {
	case to.c == nil:
		d.alert(key, from.c.Digest.Short(), "", "what is linked of it has no successor")
		return
	case from.c == nil:
		d.add(key, "", to.c.Digest.Short())
		from.c = &Component{Digest: to.c.Digest}
	}
	d.add(key+": code", from.c.Digest.Short(), to.c.Digest.Short())
	d.capabilities(key, from.c, to.c)
	d.both(key+": limit", from.c.Limits.list(), to.c.Limits.list())
	d.add(key+": schema", has(from.c.Schema), has(to.c.Schema))
	if from.c.Schema != to.c.Schema {
		d.both(key+": config", from.properties(), to.properties())
	}
	d.add(key+": defaults", string(from.c.Defaults), string(to.c.Defaults))
	d.both(key+": case", from.cases(), to.cases())
}

func has(digest oci.Digest) string {
	if digest == "" {
		return ""
	}
	return "yes"
}

func (d *differ) capabilities(key string, from, to *Component) {
	why := func(c *Component) map[string]string {
		out := map[string]string{}
		for _, one := range c.Capabilities {
			out[one.Name] = one.Why
		}
		return out
	}
	was, is := why(from), why(to)
	for _, name := range slices.Sorted(maps.Keys(is)) {
		alert := ""
		if was[name] == "" {
			alert = "it wants more than before"
		}
		d.alert(key+": capability "+name, was[name], is[name], alert)
		delete(was, name)
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		d.add(key+": capability "+name, was[name], "")
	}
}

// list are the limits that are set.
func (l Limits) list() map[string]string {
	out := map[string]string{}
	for name, n := range map[string]uint64{
		"fuel": l.Fuel, "start_fuel": l.StartFuel, "depth_max": uint64(l.DepthMax),
		"memory_bytes_max": l.MemoryBytesMax,
	} {
		if n > 0 {
			out[name] = strconv.FormatUint(n, 10)
		}
	}
	return out
}

func (s side) properties() map[string]string {
	if sch := s.b.Schema(s.c); sch != nil {
		return sch.Properties()
	}
	return nil
}

// cases are by title: how many there are in each file, with the beginning of its digest.
func (s side) cases() map[string]string {
	out := map[string]string{}
	for _, layer := range s.b.Layers {
		if slices.Contains(s.c.Cases, layer.Digest) {
			out[layer.Title] = fmt.Sprintf("%d of %s", len(s.b.cases[layer.Digest]),
				layer.Digest.Short())
		}
	}
	return out
}
