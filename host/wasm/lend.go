package wasm

import "fmt"

// Lend gives a guest a handle that borrows a resource of a host module, by the names it was
// provided under, for the next call of f, an export that takes borrow<resource>. The handle ends
// with that call: a component has to drop it before, else the call fails and the guest is dead; of
// a core module it is taken back. Nobody is told when a borrow is dropped. It allocates nothing
// once the guest had a handle. An error leaves the guest alive: f has no such resource in its type,
// or the guest has HandlesMax handles.
func (g *Guest) Lend(f *Func, module, resource string, rep uint32) (uint32, error) {
	if g.dead || g.closed {
		return 0, g.gone("lend to " + f.name)
	}
	id, ok := g.lendID(f, module, resource)
	if !ok {
		return 0, fmt.Errorf("wasm: lend to %s: it takes no %s of %s", f.name, resource, module)
	}
	h, err := g.handles(f.part).Borrow(&g.loan, id, rep)
	if err != nil {
		return 0, fmt.Errorf("wasm: lend to %s: %w", f.name, err)
	}
	return h, nil
}

// Takes says whether the type of f has a resource of a host module, so that Lend can give it one. A
// core module's has no types: it takes what it is given.
func (f *Func) Takes(module, resource string) bool {
	_, ok := f.guest.lendID(f, module, resource)
	return ok
}

// lendID is the number that the guest knows the resource by.
func (g *Guest) lendID(f *Func, module, resource string) (int, bool) {
	r := g.module.engine.resources[resourceKey{module, resource}]
	if r == nil {
		return 0, false
	}
	if g.module.form == CoreForm {
		return r.id, true
	}
	for i := range f.resources {
		if f.resources[i].host == r {
			return f.resources[i].id, true
		}
	}
	return 0, false
}

// endLoan ends what was lent for a call of f that is over.
func (g *Guest) endLoan(f *Func) error {
	if g.loan.Borrowed() == 0 {
		return nil
	}
	if g.module.form == CoreForm {
		return g.handles(f.part).Revoke(&g.loan)
	}
	return g.loan.Exit()
}
