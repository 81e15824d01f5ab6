package fuel

import "fmt"

// The counter is an i32. Its low bits are the depth that is left, those above are fuel. Both may be
// below zero for a moment; then the counter is bad, which one test tells.
const (
	depthBits = 12
	depthMax  = 1<<(depthBits-1) - 1 // the highest of the low bits tells that depth is below zero
	badBits   = -1<<31 | 1<<(depthBits-1)

	// SliceMax is the most fuel that the counter takes at a time, and DepthMax the most depth.
	SliceMax = 1 << 18
	DepthMax = depthMax

	fuelMin = 1<<(31-depthBits) - 1
	// chargeMax is the most that is charged in place; more goes through the function that settles.
	chargeMax = 1 << 16
	// debtMax is what a function with calls may charge without a test, but for loops. Fuel reaches
	// down to -1<<19. Between two tests lie at most that debt of each frame on the way back to a
	// caller, once the debt of one that calls nobody, and two charges.
	debtMax = 64
)

// It does not compile if that were too much.
const _ = uint(fuelMin - DepthMax*debtMax - 3*chargeMax)

// Pack makes a counter. fuel is at most SliceMax, depth at most DepthMax, and both are not further
// below zero than a counter can be.
func Pack(fuel int64, depth int32) uint64 {
	if fuel < -fuelMin || fuel > SliceMax || depth > DepthMax || depth < -DepthMax {
		panic(fmt.Sprintf("fuel: pack: fuel %d, depth %d", fuel, depth))
	}
	return uint64(uint32(int32(fuel)<<depthBits + depth))
}

// Unpack is what a counter holds.
func Unpack(count uint64) (fuel int64, depth int32) {
	depth = int32(uint32(count)<<(32-depthBits)) >> (32 - depthBits)
	return int64((int32(uint32(count)) - depth) >> depthBits), depth
}

// expose notes a function that can be called from elsewhere: it is exported, or in a table. It must
// keep its type.
func (w *rewriter) expose(index uint32) {
	if int64(index) >= int64(len(w.funcs)) || index < w.imported {
		return
	}
	if w.exposes == nil {
		w.exposes = make([]bool, len(w.funcs))
	}
	w.exposes[index] = true
}

// thread gives the functions their types and indices: the counter is the last parameter and the
// last result. An exposed one keeps its index for an entrance, and its code comes behind all.
func (w *rewriter) thread() {
	if w.exposes == nil {
		w.exposes = make([]bool, len(w.funcs))
	}
	w.ranks = make([]uint32, len(w.funcs))
	if w.options.Counters == Without {
		return
	}
	var own, behind []byte
	for i, t := range w.funcs[w.imported:] {
		index := w.imported + uint32(i)
		if !w.exposes[index] {
			own = appendU32(own, w.threaded(t))
			continue
		}
		w.ranks[index] = uint32(len(w.exposed))
		w.exposed = append(w.exposed, index)
		own = appendU32(own, t)
		behind = appendU32(behind, w.threaded(t))
	}
	behind = appendU32(behind, w.newType(funcType{
		params: []byte{typeI32, typeI64}, results: []byte{typeI32},
	}))
	n := uint32(len(w.funcs)) - w.imported + uint32(len(w.exposed)) + 1
	w.sections[secFunction] = append(append(appendU32(nil, n), own...), behind...)
}

// threaded is the type t with the counter.
func (w *rewriter) threaded(t uint32) uint32 {
	with := func(types []byte) []byte { return append(types[:len(types):len(types)], typeI32) }
	return w.newType(funcType{params: with(w.types[t].params), results: with(w.types[t].results)})
}

// newType adds a type if it was not added before.
func (w *rewriter) newType(t funcType) uint32 {
	key := string(t.params) + "\x00" + string(t.results)
	i, had := w.known[key]
	if !had {
		if w.known == nil {
			w.known = make(map[string]uint32)
		}
		i = uint32(len(w.types) + len(w.newTypes))
		w.known[key] = i
		w.newTypes = append(w.newTypes, t)
	}
	return i
}

// inner is the index of a defined function's code, which takes the counter.
func (w *rewriter) inner(index uint32) uint32 {
	if w.exposes[index] {
		return uint32(len(w.funcs)) + w.ranks[index]
	}
	return index
}

// settleIndex is behind all others.
func (w *rewriter) settleIndex() uint32 { return uint32(len(w.funcs) + len(w.exposed)) }

// entrance is what an exposed function is to others: it takes the counter from the global, calls
// the code, and puts it back. It takes 1 of the depth, for the interpreter counts frames as well.
func (w *rewriter) entrance(index uint32) []byte {
	out := []byte{0} // no locals
	for i := range w.types[w.funcs[index]].params {
		out = appendU32(append(out, opLocalGet), uint32(i))
	}
	out = appendU32(append(out, opGlobalGet), w.countIndex())
	out = append(out, opI32Const, 1, opI32Sub, opCall)
	out = append(appendU32(out, w.inner(index)), opI32Const, 1, opI32Add, opGlobalSet)
	return append(appendU32(out, w.countIndex()), opEnd)
}
