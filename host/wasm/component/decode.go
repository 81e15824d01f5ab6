package component

import "fmt"

// Sections of a component, numbered as in the binary format.
const (
	sectionCustom byte = iota
	sectionCoreModule
	sectionCoreInstance
	sectionCoreType
	sectionComponent
	sectionInstance
	sectionAlias
	sectionType
	sectionCanon
	sectionStart
	sectionImport
	sectionExport
	sectionValue
)

// Decode reads a component and validates it, its nested components and the imports and exports of
// its core modules; code within core modules is left to the engine that compiles it. What is
// returned aliases code, which must not change any more. An error tells the place and what to do;
// it wraps ErrNotServed where a construct is known, but not served.
func Decode(code []byte, l Limits) (*Component, error) {
	if len(code) > l.BytesMax {
		return nil, fmt.Errorf("component: decode: %d bytes, at most %d are served", len(code),
			l.BytesMax)
	}
	b := &budget{limits: l}
	r := &reader{code: code, budget: b}
	c := readComponent(r, 0)
	if r.err != nil {
		return nil, fmt.Errorf("component: decode: %w", r.err)
	}
	if err := check(c, b); err != nil {
		return nil, fmt.Errorf("component: validate: %w", err)
	}
	return c, nil
}

// readComponent reads all of r.
func readComponent(r *reader, depth int) *Component {
	c := &Component{}
	if depth > r.limits.NestingMax {
		r.fail("more than %d components in each other", r.limits.NestingMax)
	}
	r.preamble(layer1, "a component")
	for r.more() {
		id := r.byte()
		s := r.sub(r.u32())
		readSection(s, c, id, depth)
		r.done(s, "a section")
	}
	return c
}

// readSection appends what a section defines to c.
func readSection(r *reader, c *Component, id byte, depth int) {
	switch id {
	case sectionCustom:
		custom := Custom{Name: r.name(), Data: r.bytes(len(r.code) - r.pos)}
		if depth == 0 {
			c.Customs = append(c.Customs, custom)
		}
	case sectionCoreModule:
		r.one()
		c.Defs = append(c.Defs, &DefCoreModule{Code: r.bytes(len(r.code))})
	case sectionComponent:
		r.one()
		c.Defs = append(c.Defs, &DefComponent{Component: readComponent(r, depth+1)})
	case sectionStart:
		r.failWith(notServed("start function of a component (value definitions)", buildPlain))
	case sectionValue:
		r.failWith(notServed("value definitions", buildPlain))
	default:
		read := sectionReaders(depth)[id]
		if read == nil {
			r.fail("section %d is not known", id)
			return
		}
		c.Defs = append(c.Defs, vec(r, read)...)
	}
}

// one counts an item that is no element of a vector.
func (r *reader) one() {
	r.items++
	if r.items > r.limits.ItemsMax {
		r.fail("more than %d definitions, arguments and labels", r.limits.ItemsMax)
	}
}

// sectionReaders are by section: what reads one definition of it.
func sectionReaders(depth int) map[byte]func(*reader) Def {
	return map[byte]func(*reader) Def{
		sectionCoreInstance: readCoreInstance,
		sectionCoreType:     readCoreType,
		sectionInstance:     readInstance,
		sectionAlias:        readAlias,
		sectionType:         func(r *reader) Def { return readType(r, depth) },
		sectionCanon:        readCanon,
		sectionImport:       readImport,
		sectionExport:       readExport,
	}
}
