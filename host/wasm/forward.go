package wasm

import (
	"slices"

	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/host/wasm/fuel"
	"github.com/hpmq/hpmq/host/wasm/plan"
)

// forwarders are the steps that need no counters, because what they call has them: their modules
// only call what stands in their tables, and that is none of their own functions. Linkers make one
// for imports that need the memory of the module that they are given to. All do with counters if
// the tables of one might have what they must not: if somebody with code has such a table, or if
// who fills it is given a function of a forwarder, by whatever way, or a reference.
func (l *linker) forwarders() []bool {
	may := make([]bool, len(l.p.Instances))
	for i, in := range l.p.Instances {
		may[i] = l.modules[in.Module].Forwards
	}
	for i, in := range l.p.Instances {
		if l.fills(&in, may) && !l.fillsOthers(i, may) {
			return make([]bool, len(may))
		}
	}
	return may
}

// fills tells if a step is given the table of a forwarder, perhaps by one that hands it on.
func (l *linker) fills(in *plan.Instance, may []bool) bool {
	return slices.ContainsFunc(in.Args, func(a plan.Arg) bool {
		from := a.Def.Instance
		return a.Def.Sort == component.CoreTable &&
			(may[from] || l.modules[l.p.Instances[from].Module].Functions == 0)
	})
}

// fillsOthers tells that a step has no code and fills tables only with functions that count.
func (l *linker) fillsOthers(i int, may []bool) bool {
	in := &l.p.Instances[i]
	if l.modules[in.Module].Functions > 0 {
		return false
	}
	return !slices.ContainsFunc(in.Args, func(a plan.Arg) bool {
		if a.Def.Sort == component.CoreFunc {
			from := l.origin(a.Def)
			return from >= 0 && may[from]
		}
		return a.Def.Sort == component.CoreGlobal
	})
}

// origin is the step that defines a core function, -1 for a trampoline. The plan is checked.
func (l *linker) origin(d plan.CoreDef) int {
	for d.Instance >= 0 {
		in := &l.p.Instances[d.Instance]
		exports := l.modules[in.Module].Exports
		n := slices.IndexFunc(exports, func(ex fuel.Export) bool {
			return ex.Kind == fuel.KindFunc && ex.Name == d.Name
		})
		if exports[n].Import < 0 {
			return d.Instance
		}
		d = in.Args[exports[n].Import].Def
	}
	return -1
}
