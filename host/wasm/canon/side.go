package canon

import (
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// Memory is the memory and realloc that a lift or lower has as options.
type Memory interface {
	// Bytes is all of the memory, borrowed until the next Realloc.
	Bytes() []byte
	// Realloc is a call of realloc(0, 0, align, size) in the guest. What it gives is not trusted.
	Realloc(align, size uint32) (uint32, error)
}

// Side is one side of a call: the options of its lift or lower, and its handles.
type Side struct {
	// Memory is nil if the options name none.
	Memory   Memory
	Encoding component.Encoding
	// Handles is of the component instance; nil if no type of the function has a handle.
	Handles *Table
}

func (s *Side) bytes() []byte {
	if s.Memory == nil {
		return nil
	}
	return s.Memory.Bytes()
}

// LiftParams reads the parameters of a function out of the stack of the core function that lower
// made, and out of the caller's memory.
func (s *Side) LiftParams(c *Call, f *component.FuncType, stack []uint64) ([]Value, error) {
	t := f.ParamTuple()
	core, spill := f.FlatParams()
	if err := carries(t, stack, core); err != nil {
		return nil, err
	}
	v, err := s.lift(c, t, stack, spill)
	return v.Elems, err
}

// LowerParams writes parameters into the stack for the core function that is lifted, and into the
// callee's memory.
func (s *Side) LowerParams(c *Call, f *component.FuncType, v []Value, stack []uint64) error {
	t := f.ParamTuple()
	core, spill := f.FlatParams()
	if err := carries(t, stack, core); err != nil {
		return err
	}
	w := lowerer{side: s, call: c}
	if !spill {
		return w.flat(t, Value{Elems: v}, stack)
	}
	at, err := w.alloc(t.Align(), uint64(t.Size()))
	if err != nil {
		return err
	}
	stack[0] = uint64(at)
	return w.store(t, Value{Elems: v}, at)
}

// LiftResult reads the result of the core function that is lifted: it stands in the stack, or in
// the callee's memory. The function must have a result.
func (s *Side) LiftResult(c *Call, f *component.FuncType, stack []uint64) (Value, error) {
	core, spill := f.FlatResults()
	if err := carries(f.Result, stack, core); err != nil {
		return Value{}, err
	}
	return s.lift(c, f.Result, stack, spill)
}

// LowerResult writes the result into the stack of the core function that lower made, or to where
// the caller said by the last parameter that stands there. The function must have a result.
func (s *Side) LowerResult(c *Call, f *component.FuncType, v Value, stack []uint64) error {
	results, spill := f.FlatResults()
	params, _ := f.Flatten(true)
	w := lowerer{side: s, call: c}
	if !spill {
		if err := carries(f.Result, stack, results); err != nil {
			return err
		}
		return w.flat(f.Result, v, stack)
	}
	if err := carries(f.Result, stack, params); err != nil {
		return err
	}
	out := uint32(stack[len(params)-1])
	if err := inBounds(s.bytes(), out, uint64(f.Result.Size()), f.Result.Align()); err != nil {
		return fmt.Errorf("canon: result: %w", err)
	}
	return w.store(f.Result, v, out)
}

// carries says whether a type may be walked, and a stack has what it is flat.
func carries(t *component.Type, stack []uint64, core []byte) error {
	if t.Size() > component.ValueBytesMax || t.Depth() > component.ValueDepthMax+1 {
		return fmt.Errorf("canon: the type is too big: %d bytes, %d deep", t.Size(), t.Depth())
	}
	if len(stack) < len(core) {
		return fmt.Errorf("canon: the stack has %d of %d core values", len(stack), len(core))
	}
	return nil
}

// inBounds says whether size bytes from at stand in memory, aligned.
func inBounds(mem []byte, at uint32, size uint64, align uint32) error {
	if at&(align-1) != 0 {
		return fmt.Errorf("unaligned pointer %#x, must be a multiple of %d", at, align)
	}
	if uint64(at)+size > uint64(len(mem)) {
		return fmt.Errorf("%d bytes at %#x are out of bounds of memory of %d", size, at, len(mem))
	}
	return nil
}
