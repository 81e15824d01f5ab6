package link

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/sdk/section"
)

// Inspection is what can be said of a component before it is linked.
type Inspection struct {
	// Name and Version are empty if it does not say.
	Name, Version, Digest string
	Form                  wasm.Form
	Size                  int
	// Roles are those that its exports fit.
	Roles []Role
	// Speaks are the interfaces of wit/ that it exports, and which of them a host asks.
	Speaks []Spoken
	// Exports are all functions it exports.
	Exports []string
	// Imports are the interfaces it imports.
	Imports []Import
	// ByHandle says that it gets large payloads by handle, in one of its roles.
	ByHandle bool
	// Block says that it takes its arguments in a block, see wit/README.md.
	Block bool
}

// Spoken is an interface of wit/ that a component exports.
type Spoken struct {
	Name string
	// Asked says that a link asks it. Else the host serves a newer version that the component
	// exports too, or it does not serve this one.
	Asked bool
	// Served are the versions that the host serves of it, for people: "0.1 and 0.2".
	Served string
}

// Import is an interface that a component imports.
type Import struct {
	Name string
	// Capability is how a link grants it; empty for what needs no grant.
	Capability string
	// Always says that every component has it, granted or not.
	Always bool
}

// Inspect compiles a component and says what it is, without running it. It blocks for as long as
// compiling takes. Errors are those of wasm.Engine.Compile; a manifest that cannot be read is left
// for the link to refuse.
func (l *Linker) Inspect(ctx context.Context, code []byte) (Inspection, error) {
	mod, err := l.modules.acquire(ctx, code)
	if err != nil {
		return Inspection{}, fmt.Errorf("link: inspect: %w", l.contracts.explain(err))
	}
	defer l.modules.release(mod)
	in := Inspection{
		Digest: mod.Digest(), Form: mod.Form(), Size: mod.Size(), Exports: mod.Exports(),
		Block: mod.Has(argumentsExport),
	}
	var m manifest
	if said, _ := section.Custom(code, section.Manifest); json.Unmarshal(said, &m) == nil {
		in.Name, in.Version = m.Name, m.Version
	}
	for _, name := range mod.Imports() {
		in.Imports = append(in.Imports, l.importOf(name))
	}
	in.Speaks = l.contracts.inspect(mod.Module)
	for r := Role(0); r < roleCount; r++ {
		b := build{l: l, role: r}
		if s, err := b.exports(mod); err == nil {
			in.Roles = append(in.Roles, r)
			in.ByHandle = in.ByHandle || s.lent != nil
		}
	}
	return in, nil
}

// Keep compiles a component and keeps it so until letGo is called, once: what links or probes it
// meanwhile need not compile it. It blocks for as long as compiling takes.
func (l *Linker) Keep(ctx context.Context, code []byte) (letGo func(), err error) {
	mod, err := l.modules.acquire(ctx, code)
	if err != nil {
		return nil, fmt.Errorf("link: keep: %w", l.contracts.explain(err))
	}
	return func() { l.modules.release(mod) }, nil
}

// Serves says whether guests may be made for a package of interfaces: "hpmq:broker@0.1".
func (l *Linker) Serves(pkg string) bool { return l.contracts.serves(pkg) }

func (l *Linker) importOf(name string) Import {
	short, ok := l.contracts.capability(name)
	if !ok {
		return Import{Name: name, Always: true}
	}
	return Import{
		Name: name, Capability: short, Always: slices.Contains(alwaysGranted[:], short),
	}
}
