package canon

import (
	"encoding/binary"
	"fmt"

	"github.com/hpmq/hpmq/host/wasm/component"
)

// lowerer writes values. Each alloc runs guest code, which may move and change the memory, so
// places are kept as numbers and looked up for each write.
type lowerer struct {
	side *Side
	call *Call
}

// alloc takes memory in the guest. Even nothing is asked for, and its place judged.
func (w *lowerer) alloc(align uint32, size uint64) (uint32, error) {
	if err := w.call.spend(0, size); err != nil {
		return 0, err
	}
	if w.side.Memory == nil {
		return 0, fmt.Errorf("canon: the options name no memory")
	}
	at, err := w.side.Memory.Realloc(align, uint32(size))
	if err != nil {
		return 0, err
	}
	if err := inBounds(w.side.bytes(), at, size, align); err != nil {
		return 0, fmt.Errorf("canon: realloc return: %w", err)
	}
	return at, nil
}

// put writes bytes into new memory.
func (w *lowerer) put(align uint32, s string) (uint32, error) {
	at, err := w.alloc(align, uint64(len(s)))
	if err != nil {
		return 0, err
	}
	b, err := w.at(at, uint32(len(s)))
	copy(b, s)
	return at, err
}

// at is size bytes of memory as it is now.
func (w *lowerer) at(at, size uint32) ([]byte, error) {
	mem := w.side.bytes()
	if uint64(at)+uint64(size) > uint64(len(mem)) {
		return nil, fmt.Errorf("canon: memory became smaller")
	}
	return mem[at : at+size], nil
}

// flat writes a value as core values, for which there is room.
func (w *lowerer) flat(t *component.Type, v Value, out []uint64) error {
	switch t.Kind {
	case component.String:
		return pair(out)(w.text(v.Text))
	case component.List:
		return pair(out)(w.list(t, v))
	case component.Record, component.Tuple:
		return w.flatFields(t, v, out)
	case component.Variant, component.Enum, component.Option, component.Result:
		return w.flatCase(t, v, out)
	}
	raw, err := w.leaf(t, v)
	out[0] = core(t.Kind, raw)
	return err
}

// core is a leaf as a core value: what is narrower than i32 is extended to it.
func core(k component.Kind, raw uint64) uint64 {
	switch k {
	case component.S64, component.U64, component.F64:
		return raw
	}
	return uint64(uint32(raw))
}

func pair(out []uint64) func(at, n uint32, err error) error {
	return func(at, n uint32, err error) error {
		out[0], out[1] = uint64(at), uint64(n)
		return err
	}
}

func (w *lowerer) flatFields(t *component.Type, v Value, out []uint64) error {
	if err := fits(t, v, len(t.Elems)); err != nil {
		return err
	}
	for i, e := range t.Elems {
		core, _ := e.Flat()
		if err := w.flat(e, v.Elems[i], out); err != nil {
			return err
		}
		out = out[len(core):]
	}
	return nil
}

func (w *lowerer) flatCase(t *component.Type, v Value, out []uint64) error {
	payload, err := payloadOf(t, v)
	if err != nil {
		return err
	}
	core, _ := t.Flat()
	clear(out[:len(core)])
	out[0] = v.Bits
	if payload == nil {
		return nil
	}
	return w.flat(payload, v.Elems[0], out[1:])
}

func payloadOf(t *component.Type, v Value) (*component.Type, error) {
	payload, err := caseOf(t, uint32(min(v.Bits, 1<<32-1)))
	if err != nil || payload == nil {
		return nil, err
	}
	return payload, fits(t, v, 1)
}

func fits(t *component.Type, v Value, n int) error {
	if len(v.Elems) != n {
		return fmt.Errorf("canon: a value of type %s has %d parts, not %d", t.Kind, n, len(v.Elems))
	}
	return nil
}

// leaf is the bits of what is one core value.
func (w *lowerer) leaf(t *component.Type, v Value) (uint64, error) {
	switch t.Kind {
	case component.Flags:
		return v.Bits & (1<<len(t.Labels) - 1), nil
	case component.Own, component.Borrow:
		h, err := w.handle(t, uint32(v.Bits))
		return uint64(h), err
	}
	s, err := scalar(t.Kind, v.Bits)
	return s.Bits, err
}

func (w *lowerer) handle(t *component.Type, rep uint32) (uint32, error) {
	table := w.side.Handles
	switch {
	case table == nil:
		return 0, fmt.Errorf("canon: %s: the instance has no handles", t)
	case t.Kind == component.Own:
		return table.New(t.Resource.ID, rep)
	}
	return table.Borrow(w.call, t.Resource.ID, rep)
}

// store writes a value at a place that was judged.
func (w *lowerer) store(t *component.Type, v Value, at uint32) error {
	switch t.Kind {
	case component.String:
		return w.pair(at)(w.text(v.Text))
	case component.List:
		return w.pair(at)(w.list(t, v))
	case component.Record, component.Tuple:
		return w.storeFields(t, v, at)
	case component.Variant, component.Enum, component.Option, component.Result:
		return w.storeCase(t, v, at)
	}
	raw, err := w.leaf(t, v)
	if err != nil {
		return err
	}
	return w.write(at, t.Size(), raw)
}

func (w *lowerer) pair(place uint32) func(at, n uint32, err error) error {
	return func(at, n uint32, err error) error {
		if err != nil {
			return err
		}
		return w.write(place, 8, uint64(at)|uint64(n)<<32)
	}
}

func (w *lowerer) write(at, size uint32, raw uint64) error {
	b, err := w.at(at, size)
	var le [8]byte
	binary.LittleEndian.PutUint64(le[:], raw)
	copy(b, le[:size])
	return err
}

func (w *lowerer) storeFields(t *component.Type, v Value, at uint32) error {
	if err := fits(t, v, len(t.Elems)); err != nil {
		return err
	}
	for i, e := range t.Elems {
		at = component.AlignTo(at, e.Align())
		if err := w.store(e, v.Elems[i], at); err != nil {
			return err
		}
		at += e.Size()
	}
	return nil
}

func (w *lowerer) storeCase(t *component.Type, v Value, at uint32) error {
	payload, err := payloadOf(t, v)
	if err != nil {
		return err
	}
	if err := w.write(at, t.DiscriminantSize(), v.Bits); err != nil || payload == nil {
		return err
	}
	return w.store(payload, v.Elems[0], at+t.PayloadOffset())
}

func (w *lowerer) list(t *component.Type, v Value) (at, n uint32, err error) {
	elem := t.Elems[0]
	if Packed(elem) {
		if len(v.Text)%int(elem.Size()) != 0 {
			return 0, 0, fmt.Errorf("canon: %d bytes are no %s", len(v.Text), t.Kind)
		}
		text, err := packed(elem, v.Text)
		if err != nil {
			return 0, 0, err
		}
		at, err = w.put(elem.Align(), text)
		return at, uint32(len(text)) / elem.Size(), err
	}
	at, err = w.alloc(elem.Align(), uint64(len(v.Elems))*uint64(elem.Size()))
	for i := 0; i < len(v.Elems) && err == nil; i++ {
		err = w.store(elem, v.Elems[i], at+uint32(i)*elem.Size())
	}
	return at, uint32(len(v.Elems)), err
}
