package link

import (
	"encoding/binary"
	"errors"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/lite/broker"
)

// ErrGarbage is wrapped by faults of guests that answered what the contract does not allow.
var ErrGarbage = errors.New("the answer breaks the contract")

// block is memory of the guest that belongs to the host: a guest that exports argumentsExport gives
// it once, and arguments are written there instead of being allocated one by one. They hold until
// the call returns. See wit/README.md.
type block struct{ at, size, used uint32 }

// argumentsExport is func(size: u32) -> u32, the address of a block of that size.
const argumentsExport = "hpmq_arguments"

// argumentsSize is enough for who a client is, a topic and a usual payload.
const argumentsSize = 8 << 10

// openBlock asks for the block, if the guest gives one.
func (in *instance) openBlock() error {
	m := in.guest.Module()
	if m.Form() != wasm.CoreForm || !m.Has(argumentsExport) {
		return nil
	}
	fn, err := in.guest.Func(argumentsExport)
	if err != nil {
		return err
	}
	in.use(fn)
	in.num(argumentsSize)
	at, err := in.call()
	if err != nil {
		return err
	}
	if _, ok := in.guest.Memory().Read(at, argumentsSize); !ok || at == 0 {
		return garbage("%s answered %d", argumentsExport, at)
	}
	in.block = block{at: at, size: argumentsSize}
	return nil
}

// begin starts a new call of a function of the role.
func (in *instance) begin(fn int) { in.use(in.fns[fn]) }

// use starts a new call of fn.
func (in *instance) use(fn *wasm.Func) {
	in.guest.Use(fn)
	in.fn, in.encoding = fn, fn.Encoding()
	in.used, in.err, in.block.used = 0, nil, 0
	in.texts.reset()
}

// num passes a flat number.
func (in *instance) num(v uint64) {
	in.stack[in.used] = v
	in.used++
}

// flag passes a bool.
func (in *instance) flag(v bool) {
	if v {
		in.num(1)
	} else {
		in.num(0)
	}
}

// text passes a string: copied to the guest, whose it is from then on.
func text[T string | []byte](in *instance, s T) {
	ptr, units := placeText(in, s)
	in.num(uint64(ptr))
	in.num(uint64(units))
}

// data passes a list<u8>, as text does.
func (in *instance) data(b []byte) {
	in.num(uint64(in.placeData(b)))
	in.num(uint64(len(b)))
}

// placeText copies s to the guest's memory, in the guest's encoding. Addresses placed before stay
// good; views do not.
func placeText[T string | []byte](in *instance, s T) (ptr, units uint32) {
	if in.encoding == component.UTF8 {
		return place(in, s), uint32(len(s))
	}
	align := canon.TextAlign(in.encoding)
	if len(s) == 0 || in.err != nil {
		return align, 0
	}
	size, units := canon.TextSize(in.encoding, s)
	ptr, view := in.room(uint32(size), align)
	if view != nil {
		canon.PutText(view, in.encoding, units, s)
	}
	return ptr, units
}

// place copies the bytes s to the guest's memory.
func place[T string | []byte](in *instance, s T) uint32 {
	if len(s) == 0 || in.err != nil {
		return 1 // never looked at; not null, as some languages want it for empty slices
	}
	ptr, view := in.room(uint32(len(s)), 1)
	copy(view, s)
	return ptr
}

// placeData is place for a list<u8>. A component may free the address of an empty one, so it must
// be its own; it may as well that of a string, but no toolchain is known that does, and most names
// of a client are empty.
func (in *instance) placeData(b []byte) uint32 {
	if len(b) > 0 || in.err != nil || in.guest.Module().Form() == wasm.CoreForm {
		return place(in, b)
	}
	ptr, _ := in.room(0, 1)
	return ptr
}

// room is n bytes of the guest's memory for an argument; view is nil if it has none.
func (in *instance) room(n, align uint32) (ptr uint32, view []byte) {
	ptr = in.block.at + in.block.used
	if n > in.block.size-in.block.used || align > 1 {
		if ptr, in.err = in.guest.Alloc(n, align); in.err != nil {
			return 0, nil
		}
	} else {
		in.block.used += n
	}
	view, ok := in.guest.Memory().Read(ptr, n)
	if !ok {
		in.err = garbage("an argument at %d", ptr)
	}
	return ptr, view
}

// putText writes the address and length of s, copied to the guest, to b: a string inside a record.
func (in *instance) putText(b []byte, s string) { putPair(b)(placeText(in, s)) }

// putData is putText for a list<u8>.
func (in *instance) putData(b, data []byte) { putPair(b)(in.placeData(data), uint32(len(data))) }

func putPair(b []byte) func(ptr, n uint32) {
	return func(ptr, n uint32) {
		binary.LittleEndian.PutUint32(b, ptr)
		binary.LittleEndian.PutUint32(b[4:], n)
	}
}

// record copies a record of words to the guest. The block has no alignment to rely on.
func (in *instance) record(b []byte) (uint32, error) {
	if in.err != nil {
		return 0, in.err
	}
	ptr, err := in.guest.Alloc(uint32(len(b)), 4)
	if err != nil {
		return 0, err
	}
	if !in.guest.Memory().Write(ptr, b) {
		return 0, garbage("an argument at %d", ptr)
	}
	return ptr, nil
}

// identity passes the 10 flat parameters of the WIT record identity.
func (in *instance) identity(who *broker.Identity) {
	text(in, who.ClientID)
	text(in, who.Username)
	text(in, who.Address)
	text(in, who.Listener)
	text(in, who.Tenant)
}

// message passes the 6 flat parameters of the WIT record message.
func (in *instance) message(m *broker.Message) {
	text(in, m.Topic)
	in.data(m.Payload)
	in.num(uint64(m.QoS))
	in.flag(m.Retain)
}

// call runs the function at hand with what was passed, and answers its flat result: a number, or
// the address of the results.
func (in *instance) call() (uint32, error) {
	if in.err == nil {
		in.err = in.guest.Call(in.fn, in.stack[:])
	}
	in.lent = nil
	return uint32(in.stack[0]), in.err
}

// number is call for a function whose result is a number.
func (in *instance) number() (uint32, error) {
	v, err := in.call()
	if err == nil {
		err = in.post(v)
	}
	return v, err
}

// post lets the guest free what the result points to. No view of the result holds after.
func (in *instance) post(result uint32) error { return in.guest.Post(in.fn, uint64(result)) }
