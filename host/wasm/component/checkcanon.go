package component

import (
	"errors"
	"fmt"
)

func (k *checker) canon(d *DefCanon) error {
	switch d.Kind {
	case CanonLift:
		return k.lift(d)
	case CanonLower:
		return k.lower(d)
	}
	return k.resourceBuiltin(d)
}

func (k *checker) lift(d *DefCanon) error {
	e, err := k.typeAt(d.Type)
	if err != nil {
		return err
	}
	if e.Func == nil {
		return fmt.Errorf("type %d is not a function type", d.Type)
	}
	f, err := k.coreItem(CoreFunc, d.Func)
	if err != nil {
		return err
	}
	var want CoreFuncType
	want.Params, want.Results = e.Func.Flatten(false)
	if !f.Func.equal(want) {
		return fmt.Errorf("the core function %q is %s, its type %s asks for %s", f.Name, f.Func,
			e.Func, want)
	}
	k.funcs = append(k.funcs, e.Func)
	if d.Options.PostReturn != nil {
		after := CoreFuncType{Params: f.Func.Results}
		if err := k.coreOption("post-return", *d.Options.PostReturn, after); err != nil {
			return err
		}
	}
	return k.options(d.Options, e.Func, false)
}

func (k *checker) lower(d *DefCanon) error {
	f, err := at(k.funcs, Func, d.Func)
	if err != nil {
		return err
	}
	core := CoreExtern{Sort: CoreFunc}
	core.Func.Params, core.Func.Results = f.Flatten(true)
	k.core[CoreFunc] = append(k.core[CoreFunc], core)
	if d.Options.PostReturn != nil {
		return errors.New("post-return: only a lift has one")
	}
	return k.options(d.Options, f, true)
}

// options checks that memory and realloc are there if they are needed, and of the right types.
func (k *checker) options(o Options, f *FuncType, lower bool) error {
	if o.Memory != nil {
		if _, err := k.coreItem(CoreMemory, *o.Memory); err != nil {
			return fmt.Errorf("option memory: %w", err)
		}
	} else if o.Realloc != nil {
		return errors.New("option realloc needs option memory")
	}
	if o.Realloc != nil {
		i := byte(coreI32)
		want := CoreFuncType{Params: []byte{i, i, i, i}, Results: []byte{i}}
		if err := k.coreOption("realloc", *o.Realloc, want); err != nil {
			return err
		}
	}
	if o.Memory == nil && f.NeedsMemory(lower) {
		return fmt.Errorf("%s needs option memory", f)
	}
	if o.Realloc == nil && f.NeedsRealloc(lower) {
		return fmt.Errorf("%s needs option realloc", f)
	}
	return nil
}

// coreOption checks the type of a core function.
func (k *checker) coreOption(name string, i uint32, want CoreFuncType) error {
	f, err := k.coreItem(CoreFunc, i)
	if err != nil {
		return fmt.Errorf("option %s: %w", name, err)
	}
	if !f.Func.equal(want) {
		return fmt.Errorf("option %s is %s, not %s", name, f.Func, want)
	}
	return nil
}

func (k *checker) resourceBuiltin(d *DefCanon) error {
	e, err := k.resource(d.Type)
	if err != nil {
		return err
	}
	f := CoreFuncType{Params: []byte{coreI32}}
	if d.Kind != CanonResourceDrop {
		if !k.local[e.Resource] {
			return fmt.Errorf("type %d is not a resource that this component defines", d.Type)
		}
		f.Results = []byte{coreI32}
	}
	k.core[CoreFunc] = append(k.core[CoreFunc], CoreExtern{Sort: CoreFunc, Func: f})
	return nil
}
