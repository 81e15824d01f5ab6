package contract

import (
	"fmt"
	"slices"

	"github.com/hpmq/hpmq/host/cap/abi"
	"github.com/hpmq/hpmq/host/wasm"
)

// Call is what a function does, see wasm.HostFunc.
type Call = func(g *wasm.Guest, stack []uint64)

// Part implements an interface.
type Part struct {
	// Interface is its name without a version.
	Interface string
	// Calls are its functions by name.
	Calls map[string]Call
	// Unmade are resources, of this interface or another, that no function gives a handle of. A
	// function that takes such a handle first is not in Calls: no call of it can come so far.
	Unmade []string
}

// Modules are host modules of the parts, which must be all interfaces of the table with all their
// functions: anything else is a bug. drop hears of each handle that is gone.
func Modules(parts []Part, drop func(g *wasm.Guest, rep uint32)) []wasm.HostModule {
	all := All()
	if len(all) != len(parts) {
		panic(fmt.Sprintf("contract: %d parts for %d interfaces", len(parts), len(all)))
	}
	b := builder{drop: drop, home: map[string]string{}}
	for _, in := range all {
		for _, r := range in.Resources {
			b.home[r] = in.module()
		}
	}
	modules := make([]wasm.HostModule, len(all))
	for i, in := range all {
		at := slices.IndexFunc(parts, func(p Part) bool { return p.Interface == in.Name })
		if at < 0 {
			panic("contract: nobody implements " + in.Name)
		}
		modules[i] = b.module(in, parts[at])
	}
	return modules
}

// builder makes host modules.
type builder struct {
	drop func(g *wasm.Guest, rep uint32)
	home map[string]string // the host module of each resource
}

// module is the name of the host module.
func (in Interface) module() string { return in.Name + "@" + Version }

func (b *builder) module(in Interface, p Part) wasm.HostModule {
	m := wasm.HostModule{Name: in.module()}
	for _, r := range in.Resources {
		m.Resources = append(m.Resources, wasm.HostResource{Name: r, Drop: b.drop})
	}
	used := 0
	for _, f := range in.Functions {
		call := p.Calls[f.Name]
		switch r := f.handle(); {
		case call != nil:
			used++
		case r != "" && slices.Contains(p.Unmade, r):
			call = unmade(b.home[r], r)
		default:
			panic("contract: nobody implements " + f.Name + " of " + in.Name)
		}
		m.Funcs = append(m.Funcs, wasm.HostFunc{
			Name: f.Name, Type: f.Shape, Call: call,
			Params: abi.Types(f.Params), Results: abi.Types(f.Results),
		})
	}
	if used != len(p.Calls) {
		panic("contract: an implementation of " + in.Name + " is of no function")
	}
	return m
}

// unmade traps: the guest has no handle that it could give.
func unmade(module, resource string) Call {
	return func(g *wasm.Guest, stack []uint64) {
		g.Rep(module, resource, uint32(stack[0]))
		panic("contract: a handle of " + resource + " that nobody made")
	}
}
