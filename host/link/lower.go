package link

import (
	"encoding/binary"
	"errors"

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
	if !in.guest.Module().Has(argumentsExport) {
		return nil
	}
	fn, err := in.guest.Func(argumentsExport)
	if err != nil {
		return err
	}
	in.stack[0] = argumentsSize
	if err := in.guest.Call(fn, in.stack[:]); err != nil {
		return err
	}
	at := uint32(in.stack[0])
	if _, ok := in.guest.Memory().Read(at, argumentsSize); !ok || at == 0 {
		return garbage("%s answered %d", argumentsExport, at)
	}
	in.block = block{at: at, size: argumentsSize}
	return nil
}

// begin starts a new call.
func (in *instance) begin() { in.used, in.err, in.block.used = 0, nil, 0 }

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

// text passes a string or list<u8>: copied to the guest, whose it is from then on.
func text[T string | []byte](in *instance, s T) {
	ptr := place(in, s)
	in.num(uint64(ptr))
	in.num(uint64(len(s)))
}

// place copies s to the guest's memory. Addresses placed before stay good; views do not.
func place[T string | []byte](in *instance, s T) uint32 {
	if len(s) == 0 || in.err != nil {
		return 1 // never looked at; not null, as some languages want it for empty slices
	}
	n := uint32(len(s))
	ptr := in.block.at + in.block.used
	if n > in.block.size-in.block.used {
		if ptr, in.err = in.guest.Alloc(n, 1); in.err != nil {
			return 0
		}
	} else {
		in.block.used += n
	}
	view, ok := in.guest.Memory().Read(ptr, n)
	if !ok {
		in.err = garbage("an argument at %d", ptr)
		return 0
	}
	copy(view, s)
	return ptr
}

// putText writes the address and length of s, copied to the guest, to b: a string inside a record.
func (in *instance) putText(b []byte, s string) {
	ptr := place(in, s)
	binary.LittleEndian.PutUint32(b, ptr)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(s)))
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
	text(in, m.Payload)
	in.num(uint64(m.QoS))
	in.flag(m.Retain)
}

// call runs a function of the role with what was passed, and answers its flat result: a number, or
// the address of the results.
func (in *instance) call(fn int) (uint32, error) {
	if in.err == nil {
		in.err = in.guest.Call(in.fns[fn], in.stack[:])
	}
	return uint32(in.stack[0]), in.err
}

// post lets the guest free what the result of fn points to. No view of the result holds after.
func (in *instance) post(fn int, result uint32) error {
	return in.guest.Post(in.fns[fn], uint64(result))
}
