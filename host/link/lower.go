package link

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"github.com/hpmq/hpmq/host/wasm"
	"github.com/hpmq/hpmq/host/wasm/canon"
	"github.com/hpmq/hpmq/host/wasm/component"
	"github.com/hpmq/hpmq/lite/broker"
)

// ErrGarbage is wrapped by faults of guests that answered what the contract does not allow.
var ErrGarbage = errors.New("the answer breaks the contract")

// begin starts a new call of a function of the role.
func (in *instance) begin(fn int) { in.use(in.fns[fn]) }

// use starts a new call of fn.
func (in *instance) use(fn *wasm.Func) {
	in.guest.Use(fn)
	in.fn, in.encoding = fn, fn.Encoding()
	in.used, in.waits, in.err = 0, 0, nil
	in.lifted, in.owed, in.lines = 0, 0, 0
	if in.block.size > 0 {
		in.block.open(in.guest.Memory())
	}
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

// waiting is an argument that has no place in the guest's memory yet.
type waiting struct {
	text string // its bytes, borrowed until the guest is called
	slot int    // of its address
	// units is the length of a string that is written in the guest's encoding, not as it is.
	units uint32
}

// borrowedMax is how much of what it borrowed an instance holds on to between calls.
const borrowedMax = 4 << 10

// waitingMax is how much can wait: an identity, a topic and a payload, which one entry into the
// guest makes room for.
const waitingMax = 7

// A slot is where the address of an argument belongs, and its length behind it: a place on the
// stack, or, from slotRecord on, a byte of the record that is passed in memory.
const slotRecord = 16

// text passes a string: copied to the guest, whose it is from then on. It is borrowed until call.
func text[T string | []byte](in *instance, s T) { in.passText(in.slots(), borrow(s)) }

// data passes a list<u8>, as text does.
func (in *instance) data(b []byte) { in.passData(in.slots(), b) }

// slots takes two places on the stack.
func (in *instance) slots() int {
	in.used += 2
	return in.used - 2
}

// putText puts a string at a byte of the record, and putData a list<u8>.
func (in *instance) putText(at int, s string) { in.passText(slotRecord+at, s) }
func (in *instance) putData(at int, b []byte) { in.passData(slotRecord+at, b) }

// passRecord passes n bytes of the record, the last that is passed, when its fields are there. It
// is aligned to 4, which nothing in the block is.
func (in *instance) passRecord(n int) {
	w := in.wait(in.used, wasm.Room{Size: uint32(n), Align: 4}, 0)
	w.text, w.units = borrow(in.record[:n]), 0
	in.used++
}

// borrow looks at s as a string, which it is no longer than its bytes stay.
func borrow[T string | []byte](s T) string { return *(*string)(unsafe.Pointer(&s)) }

func (in *instance) passText(slot int, s string) {
	if in.encoding == component.UTF8 {
		if len(s) == 0 {
			in.point(slot, 1, 0) // never looked at; not null, as some languages want it
		} else {
			in.passBytes(slot, s)
		}
		return
	}
	align := canon.TextAlign(in.encoding)
	if len(s) == 0 {
		in.point(slot, align, 0)
		return
	}
	size, units := canon.TextSize(in.encoding, s)
	w := in.wait(slot, wasm.Room{Size: uint32(size), Align: align}, units)
	w.text, w.units = s, units
}

// passData: a component may free the address of an empty list, so it must be its own; it may as
// well that of a string, but no toolchain is known that does, and most names of a client are empty.
func (in *instance) passData(slot int, b []byte) {
	if len(b) == 0 && in.guest.Module().Form() == wasm.CoreForm {
		in.point(slot, 1, 0)
		return
	}
	in.passBytes(slot, borrow(b))
}

// passBytes passes s as it is, in the block if it fits there.
func (in *instance) passBytes(slot int, s string) {
	if b := &in.block; len(s) > 0 && len(s) <= len(b.view)-b.used {
		copy(b.view[b.used:], s)
		in.point(slot, b.at+uint32(b.used), uint32(len(s)))
		b.used += len(s)
		b.pieces++
		return
	}
	w := in.wait(slot, wasm.Room{Size: uint32(len(s)), Align: 1}, uint32(len(s)))
	w.text, w.units = s, 0
}

// point writes where an argument is.
func (in *instance) point(slot int, at, n uint32) {
	if slot < slotRecord-1 {
		in.stack[slot], in.stack[slot+1] = uint64(at), uint64(n)
		return
	}
	b := in.record[slot-slotRecord:]
	binary.LittleEndian.PutUint32(b, at)
	binary.LittleEndian.PutUint32(b[4:], n)
}

// wait has an argument of that length placed later, at the latest by call.
func (in *instance) wait(slot int, r wasm.Room, n uint32) *waiting {
	if in.waits == waitingMax {
		in.settle()
	}
	in.point(slot, 0, n)
	w := &in.waiting[in.waits]
	in.rooms[in.waits], w.slot = r, slot
	in.waits++
	return w
}

// settle makes room for what waits, in the order of the parameters, and copies it. The guest may
// have grown its memory for it: no view of before holds. A record comes behind what it points to.
func (in *instance) settle() {
	in.block.seal()
	rooms := in.rooms[:in.waits]
	in.waits = 0
	if in.err == nil {
		in.err = in.guest.AllocAll(rooms)
	}
	if in.err != nil {
		return
	}
	m := in.guest.Memory()
	view, _ := m.Read(0, m.Size())
	for i := range rooms {
		w, at := &in.waiting[i], rooms[i].At
		if w.slot < slotRecord {
			in.stack[w.slot] = uint64(at)
		} else {
			binary.LittleEndian.PutUint32(in.record[w.slot-slotRecord:], at)
		}
		if w.units > 0 {
			canon.PutText(view[at:at+rooms[i].Size], in.encoding, w.units, w.text)
		} else {
			copy(view[at:], w.text)
		}
		if len(w.text) > borrowedMax {
			w.text = ""
		}
	}
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
	if in.waits > 0 {
		in.settle()
	} else if in.block.view != nil {
		in.block.seal()
	}
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

// post has the call pay for what its answer cost and lets the guest free what the result points to.
// No view of the result holds after. What was taken of the answer must not be used after an error.
func (in *instance) post(result uint32) error {
	if in.owed >= bytesPerFuel {
		if err := in.guest.Spend(in.owed / bytesPerFuel); err != nil {
			return err
		}
	}
	return in.guest.Post(in.fn, uint64(result))
}
