package component

import "sync/atomic"

// ParamTuple is the parameters as one tuple, as they stand in memory if they do not go flat. It is
// made once and shared.
func (f *FuncType) ParamTuple() *Type {
	if t := f.tuple.p.Load(); t != nil {
		return t
	}
	t := &Type{Kind: Tuple, Elems: f.Params}
	f.tuple.p.Store(t)
	return t
}

type tupleOnce struct{ p atomic.Pointer[Type] }

// FlatParams is the core types of the parameters; spill says that they go by one pointer instead.
// The slice is borrowed.
func (f *FuncType) FlatParams() (core []byte, spill bool) {
	core, ok := f.ParamTuple().Flat()
	if !ok {
		return []byte{I32}, true
	}
	return core, false
}

// FlatResults is the core types of the result; spill says that it goes by memory: a lifted function
// returns the pointer, a lowered one takes it as its last parameter. The slice is borrowed.
func (f *FuncType) FlatResults() (core []byte, spill bool) {
	if f.Result == nil {
		return nil, false
	}
	core, ok := f.Result.Flat()
	if !ok || len(core) > FlatResultsMax {
		return []byte{I32}, true
	}
	return core, false
}

// Flatten is the type of the core function that is lifted, or that lower makes, as CanonicalABI.md
// has it: flatten_functype. The slices are borrowed.
func (f *FuncType) Flatten(lower bool) (params, results []byte) {
	params, _ = f.FlatParams()
	results, spill := f.FlatResults()
	if spill && lower {
		return append(params[:len(params):len(params)], I32), nil
	}
	return params, results
}

// NeedsMemory says whether a lift or lower of the function needs a memory: something spills, or a
// string or list is among the types. NeedsRealloc is the same for what is written into the memory
// of the lifted (lower false) or lowering side.
func (f *FuncType) NeedsMemory(lower bool) bool {
	_, params := f.FlatParams()
	_, result := f.FlatResults()
	return params || result || f.ParamTuple().pointers() || f.Result != nil && f.Result.pointers()
}

// NeedsRealloc says whether a lift or lower of the function needs a realloc: to lift, for
// parameters that are written to memory, to lower, for strings or lists in the result.
func (f *FuncType) NeedsRealloc(lower bool) bool {
	if lower {
		return f.Result != nil && f.Result.pointers()
	}
	_, spill := f.FlatParams()
	return spill || f.ParamTuple().pointers()
}

func (t *Type) pointers() bool { return t.layout().pointers }
