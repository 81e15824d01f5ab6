package wit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ordered is a JSON object whose fields keep their order.
type ordered[T any] struct {
	names  []string
	values []T
}

func (o *ordered[T]) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return fmt.Errorf("an object is wanted, not %.20s: %w", text, errors.Join(err, errShape))
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var v T
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		text, ok := name.(string)
		if !ok {
			return errShape
		}
		o.names, o.values = append(o.names, text), append(o.values, v)
	}
	return nil
}

var errShape = errors.New("this is not what wasm-tools writes")

// ErrUnbound says that a world has what is not in the model: resources, methods, async functions.
// Worlds beside it that do without are read.
var ErrUnbound = errors.New("cannot be bound yet")

// The JSON of wasm-tools component wit --json.
type (
	rawDocs struct {
		Contents string `json:"contents"`
	}
	rawItem struct {
		Interface *struct {
			ID int `json:"id"`
		} `json:"interface"`
	}
	rawWorld struct {
		Name    string           `json:"name"`
		Imports ordered[rawItem] `json:"imports"`
		Exports ordered[rawItem] `json:"exports"`
		Package int              `json:"package"`
		Docs    rawDocs          `json:"docs"`
	}
	rawFunc struct {
		Name   string          `json:"name"`
		Kind   json.RawMessage `json:"kind"`
		Params []rawField      `json:"params"`
		Result json.RawMessage `json:"result"`
		Docs   rawDocs         `json:"docs"`
	}
	rawField struct {
		Name string          `json:"name"`
		Type json.RawMessage `json:"type"`
		Docs rawDocs         `json:"docs"`
	}
	rawInterface struct {
		Name      *string          `json:"name"`
		Types     ordered[int]     `json:"types"`
		Functions ordered[rawFunc] `json:"functions"`
		Docs      rawDocs          `json:"docs"`
		Package   int              `json:"package"`
	}
	rawType struct {
		Name  *string         `json:"name"`
		Kind  json.RawMessage `json:"kind"`
		Owner *struct {
			Interface *int `json:"interface"`
		} `json:"owner"`
		Docs rawDocs `json:"docs"`
	}
	rawAll struct {
		Worlds     []rawWorld     `json:"worlds"`
		Interfaces []rawInterface `json:"interfaces"`
		Types      []rawType      `json:"types"`
		Packages   []struct {
			Name string `json:"name"`
		} `json:"packages"`
	}
)

// parser makes the model of the JSON.
type parser struct {
	raw        rawAll
	interfaces []*Interface
	types      []*Type
	// unbound are the types and interfaces that are not in the model, with why.
	unbound map[any]error
}

// Parse reads what wasm-tools wrote and answers one world. An empty name is the only world. Of
// worlds in several packages it is that of the folder's own, which wasm-tools writes after its
// deps; "hpmq:broker/NAME@0.1.0" is that of one.
func Parse(text []byte, world string) (*World, error) {
	p := &parser{unbound: map[any]error{}}
	if err := json.Unmarshal(text, &p.raw); err != nil {
		return nil, fmt.Errorf("wit: parse: %w", err)
	}
	if err := p.all(); err != nil {
		return nil, fmt.Errorf("wit: parse: %w", err)
	}
	w, err := p.find(world)
	if err != nil {
		return nil, err
	}
	return p.world(w)
}

// PackageOf is the package of the world that Parse would answer: "hpmq:broker@0.1.0".
func PackageOf(text []byte, world string) (string, error) {
	p := &parser{}
	if err := json.Unmarshal(text, &p.raw); err != nil {
		return "", fmt.Errorf("wit: parse: %w", err)
	}
	w, err := p.find(world)
	if err != nil {
		return "", err
	}
	return p.packageOf(w)
}

func (p *parser) find(world string) (*rawWorld, error) {
	var names []string
	for i := range slices.Backward(p.raw.Worlds) {
		w := &p.raw.Worlds[i]
		names = append(names, w.Name)
		if world == w.Name || world == "" && len(p.raw.Worlds) == 1 || world == p.idOf(w) {
			return w, nil
		}
	}
	slices.Reverse(names)
	return nil, fmt.Errorf("wit: no world %q; there are %s", world, strings.Join(names, ", "))
}

func (p *parser) packageOf(w *rawWorld) (string, error) {
	if w.Package < 0 || w.Package >= len(p.raw.Packages) {
		return "", fmt.Errorf("wit: parse: %w", errShape)
	}
	return p.raw.Packages[w.Package].Name, nil
}

// idOf is the full name of a world, "" if its package is not there.
func (p *parser) idOf(w *rawWorld) string {
	pkg, err := p.packageOf(w)
	if err != nil {
		return ""
	}
	name, version, versioned := strings.Cut(pkg, "@")
	if versioned {
		version = "@" + version
	}
	return name + "/" + w.Name + version
}

// all makes all interfaces and types: the empty ones first, since they refer to each other.
func (p *parser) all() error {
	for i := range p.raw.Interfaces {
		made, err := p.named(&p.raw.Interfaces[i])
		if err != nil {
			return err
		}
		p.interfaces = append(p.interfaces, made)
	}
	p.types = make([]*Type, len(p.raw.Types))
	for i := range p.types {
		p.types[i] = &Type{}
	}
	for i := range p.raw.Types {
		if err := p.keep(p.types[i], p.fill(i)); err != nil {
			return fmt.Errorf("type %d: %w", i, err)
		}
	}
	if err := p.weigh(); err != nil {
		return err
	}
	for i := range p.raw.Interfaces {
		if err := p.keep(p.interfaces[i], p.functions(i)); err != nil {
			return fmt.Errorf("interface %s: %w", p.interfaces[i].Name, err)
		}
	}
	return nil
}

// keep keeps an ErrUnbound for the worlds that need what it is about.
func (p *parser) keep(what any, err error) error {
	if errors.Is(err, ErrUnbound) {
		p.unbound[what], err = err, nil
	}
	return err
}

// bound refuses what a world cannot be bound with.
func (p *parser) bound(w *World) error {
	for _, i := range w.Interfaces() {
		if err := p.unbound[i]; err != nil {
			return fmt.Errorf("wit: world %s: interface %s: %w", w.Name, i.Name, err)
		}
		seen := map[*Type]bool{}
		err := p.whole(seen, i.Types...)
		for _, f := range i.Funcs {
			err = errors.Join(err, p.whole(seen, f.Result))
			for _, param := range f.Params {
				err = errors.Join(err, p.whole(seen, param.Type))
			}
		}
		if err != nil {
			return fmt.Errorf("wit: world %s: interface %s: %w", w.Name, i.Name, err)
		}
	}
	return nil
}

// whole says whether types, and what they hold, are all in the model.
func (p *parser) whole(seen map[*Type]bool, types ...*Type) error {
	for _, t := range types {
		if t == nil || seen[t] {
			continue
		}
		seen[t] = true
		if err := p.unbound[t]; err != nil {
			return fmt.Errorf("type %s: %w", t.Name, err)
		}
		inner := []*Type{t.Elem}
		for _, f := range t.Fields {
			inner = append(inner, f.Type)
		}
		for _, c := range t.Cases {
			inner = append(inner, c.Type)
		}
		if err := p.whole(seen, inner...); err != nil {
			return err
		}
	}
	return nil
}

// named is an interface without what is in it.
func (p *parser) named(raw *rawInterface) (*Interface, error) {
	i := &Interface{Docs: raw.Docs.Contents}
	if raw.Name == nil {
		return i, nil
	}
	if raw.Package < 0 || raw.Package >= len(p.raw.Packages) {
		return nil, errShape
	}
	i.Name = *raw.Name
	name, version, versioned := strings.Cut(p.raw.Packages[raw.Package].Name, "@")
	i.ID = name + "/" + i.Name
	if versioned {
		i.ID += "@" + version
	}
	return i, nil
}

// at is the type of a number or a name.
func (p *parser) at(raw json.RawMessage) (*Type, error) {
	if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	if n, err := strconv.Atoi(string(raw)); err == nil {
		if n < 0 || n >= len(p.types) {
			return nil, errShape
		}
		return p.types[n], nil
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return nil, err
	}
	for kind, scalar := range scalars {
		if scalar == name {
			return &Type{Kind: Kind(kind)}, nil
		}
	}
	return nil, fmt.Errorf("values of type %q %w", name, ErrUnbound)
}

func (p *parser) functions(i int) error {
	raw, made := &p.raw.Interfaces[i], p.interfaces[i]
	for _, n := range raw.Types.values {
		if n < 0 || n >= len(p.types) {
			return errShape
		}
		made.Types = append(made.Types, p.types[n])
	}
	for _, f := range raw.Functions.values {
		if string(f.Kind) != `"freestanding"` {
			return fmt.Errorf("function %s: methods and async functions %w", f.Name, ErrUnbound)
		}
		fn := &Func{Name: f.Name, Docs: f.Docs.Contents}
		var err error
		if fn.Params, err = p.fields(f.Params); err != nil {
			return fmt.Errorf("function %s: %w", f.Name, err)
		}
		if fn.Result, err = p.at(f.Result); err != nil {
			return fmt.Errorf("function %s: %w", f.Name, err)
		}
		made.Funcs = append(made.Funcs, fn)
	}
	return nil
}

// fields each have a type.
func (p *parser) fields(raw []rawField) ([]Field, error) {
	out, err := p.cases(raw)
	for _, f := range out {
		if f.Type == nil && err == nil {
			err = errShape
		}
	}
	return out, err
}

// cases may have one.
func (p *parser) cases(raw []rawField) ([]Field, error) {
	var out []Field
	for _, f := range raw {
		t, err := p.at(f.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		out = append(out, Field{Name: f.Name, Docs: f.Docs.Contents, Type: t})
	}
	return out, nil
}

func (p *parser) world(raw *rawWorld) (*World, error) {
	w := &World{Name: raw.Name, Docs: raw.Docs.Contents}
	var err error
	if w.Package, err = p.packageOf(raw); err != nil {
		return nil, err
	}
	for to, from := range map[*[]*Interface]*ordered[rawItem]{
		&w.Imports: &raw.Imports, &w.Exports: &raw.Exports,
	} {
		for n, item := range from.values {
			if item.Interface == nil || item.Interface.ID < 0 ||
				item.Interface.ID >= len(p.interfaces) {
				return nil, fmt.Errorf("wit: world %s: %s is no interface; only interfaces can be "+
					"bound", w.Name, from.names[n])
			}
			*to = append(*to, p.interfaces[item.Interface.ID])
		}
	}
	return w, p.bound(w)
}
